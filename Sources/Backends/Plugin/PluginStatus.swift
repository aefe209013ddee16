import CPlatform
import Glibc

/// Where a process that runs a plug-in is, for the process that watches it: one page of a file that
/// both have mapped. What was stored before a crash is still there after it.
///
///   word 0  what the plug-in was called for: `Call`, 0 between calls
///        1  calls so far: a watcher that finds it unchanged for long sees a call that hangs
///        2  events that the instance had been given before this call
///        3  events of this call
///        4  how it ended: `Ending`
///   byte 64  text of the ending, NUL-terminated
@safe
package final class PluginStatus: @unchecked Sendable {
  package enum Call: UInt64, Sendable, CaseIterable {
    case none, load, create, destroy, configure, translate, readCounters, physicalAddress, signal
    case inject

    package var name: String {
      switch self {
      case .none: "no call"
      case .load: "loading"
      case .readCounters: "read_counters"
      case .physicalAddress: "physical_address"
      default: "\(self)"
      }
    }
  }

  package enum Ending: UInt64, Sendable, Equatable {
    /// It has not ended, or not by itself.
    case none
    case finished
    case notLoadable
    case nonconforming
    /// Not the plug-in's fault: the trace, the disk.
    case hostFailed
  }

  package static let byteCount = 4_096
  fileprivate static let textOffset = 64
  /// `@unchecked Sendable`: the page lives as long as the object; its words are written by the one
  /// thread that is in a call of the plug-in.
  private let page: UnsafeMutablePointer<UInt64>
  private let isWatched: Bool

  /// Maps the page of a file that the watcher has made.
  /// - Returns: nil if the file cannot be mapped; `errno` says why.
  package init?(path: String) {
    // Safety: the path is NUL-terminated for the call; the mapping is of `byteCount` bytes, which the
    // watcher gave the file, and is given back by `deinit` only.
    let descriptor = unsafe open(path, O_RDWR | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    let mapped = unsafe mmap(
      nil, Self.byteCount, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
    guard let mapped = unsafe mapped, unsafe mapped != MAP_FAILED else { return nil }
    unsafe page = mapped.bindMemory(to: UInt64.self, capacity: Self.byteCount / 8)
    isWatched = true
  }

  /// For a plug-in that nobody watches.
  package init() {
    // Safety: as above; anonymous memory is zero.
    let mapped = unsafe mmap(
      nil, Self.byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    guard let mapped = unsafe mapped, unsafe mapped != MAP_FAILED else {
      preconditionFailure("no memory for one page")
    }
    unsafe page = mapped.bindMemory(to: UInt64.self, capacity: Self.byteCount / 8)
    isWatched = false
  }

  // Safety: mapped by `init`, unmapped once.
  deinit { unsafe munmap(page, Self.byteCount) }

  @inline(__always)
  func enter(_ call: Call, at first: UInt64 = 0, count: Int = 0) {
    // Safety: words of the page. The call that follows is opaque, so they are stored before it.
    unsafe page[1] &+= 1
    unsafe page[2] = first
    unsafe page[3] = UInt64(count)
    unsafe page[0] = call.rawValue
  }

  // Safety: as above.
  @inline(__always)
  func leave() { unsafe page[0] = Call.none.rawValue }

  /// Lets this process end when the one that watches it is gone.
  package func followParent() { CPlatform_dieWithParent() }

  package func end(_ ending: Ending, _ text: String = "") {
    let bytes = Array(text.utf8.prefix(Self.byteCount - Self.textOffset - 1)) + [0]
    // Safety: the text ends within the page.
    unsafe UnsafeMutableRawPointer(page).advanced(by: Self.textOffset)
      .copyMemory(from: bytes, byteCount: bytes.count)
    unsafe page[4] = ending.rawValue
  }

  /// Ends the process: after a breach of the interface nothing that it holds can be trusted, and there
  /// is no answer that a caller could be given. Only processes that exist for one plug-in come here.
  func fail(_ error: PluginError) -> Never {
    end(error.isOfLoading ? .notLoadable : .nonconforming, "\(error)")
    if !isWatched {
      // Safety: the array's bytes, for the call.
      let line = Array("\(error)\n".utf8)
      _ = unsafe write(STDERR_FILENO, line, line.count)
    }
    _exit(Self.failureStatus)
  }

  /// What a process exits with when its ending is in the page.
  package static let failureStatus: Int32 = 3
}

/// What the watcher reads in the page.
package struct PluginPosition: Equatable, Sendable {
  package var call: PluginStatus.Call
  package var calls: UInt64
  package var firstEvent: UInt64
  package var eventCount: UInt64
  package var ending: PluginStatus.Ending
  package var text: String

  /// - Parameter bytes: those of the page; nil if there are fewer.
  package init?(page bytes: [UInt8]) {
    guard bytes.count >= PluginStatus.byteCount else { return nil }
    func word(_ index: Int) -> UInt64 {
      bytes[index * 8..<index * 8 + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
    call = PluginStatus.Call(rawValue: word(0)) ?? .none
    calls = word(1)
    firstEvent = word(2)
    eventCount = word(3)
    ending = PluginStatus.Ending(rawValue: word(4)) ?? .none
    text = String(
      decoding: bytes[PluginStatus.textOffset...].prefix { $0 != 0 }, as: UTF8.self)
  }

  /// "in translate, events 4096…5119 of the instance".
  package var description: String {
    switch call {
    case .none:
      "between calls: has it written where it must not, or does it run threads of its own?"
    case .configure, .translate, .signal, .inject:
      "in \(call.name), "
        + (eventCount == 1
          ? "event \(firstEvent) of the instance"
          : "events \(firstEvent)…\(firstEvent &+ eventCount &- 1) of the instance")
    default: "in \(call.name)"
    }
  }
}
