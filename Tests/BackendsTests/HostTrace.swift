import Backends
import TraceImport

/// What one line of a recorded host's ftrace text says, as far as the ground truth needs it.
enum HostNote: Equatable {
  /// A store of the guest that trapped (kvm_mmio).
  case store(address: UInt64, value: UInt64)
  /// A vCPU woke up after it had blocked (kvm_vcpu_wakeup).
  case wakeUp
  /// VFIO's handler ran for a host interrupt (vfio_msihandler).
  case handler(irq: UInt64)
  /// The host stored a message for an interrupt (msi_write); its data, nil for a zeroed message.
  case message(irq: UInt64, data: UInt64?)
  /// The translation cache was asked (inject_cached).
  case lookup
  /// A slow injection of a guest's event began (inject_msi).
  case slowInjection(event: UInt64)
}

/// The notes of a whole text, in their order.
struct HostTrace {
  private(set) var notes: [HostNote] = []

  /// - Parameter path: plain or zstd.
  init(path: String) throws {
    var input = try CaptureInput(path: path)
    let block = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
    defer { unsafe block.deallocate() }
    var rest: [UInt8] = []
    while true {
      // Safety: the block outlives the span, and only the bytes that were read are looked at.
      var span = unsafe OutputRawSpan(buffer: block, initializedCount: 0)
      let count = try input.read(into: &span)
      if count == 0 { break }
      unsafe rest.append(contentsOf: block[..<count])
      guard let end = rest.lastIndex(of: UInt8(ascii: "\n")) else { continue }
      for line in rest[..<end].split(separator: UInt8(ascii: "\n")) { note(line) }
      rest.removeSubrange(...end)
    }
    note(rest[...])
  }

  /// `TASK-PID [CPU] flags SECONDS: event: text`. A task's name may hold a colon, never one with a blank
  /// behind it.
  private mutating func note(_ line: ArraySlice<UInt8>) {
    guard let clock = Self.colon(in: line), let name = Self.colon(in: line[(clock + 2)...]) else {
      return
    }
    let event = String(decoding: line[(clock + 2)..<name], as: UTF8.self)
    func words() -> [Substring] {
      String(decoding: line[(name + 2)...], as: UTF8.self).split(separator: " ")
    }
    switch event {
    case "kvm_mmio":
      // "mmio write len 4 gpa 0x8000002000 val 0x8090040"
      let words = words()
      guard words.count == 8, words[1] == "write", let address = Self.number(words[5]),
        let value = Self.number(words[7])
      else { return }
      notes.append(.store(address: address, value: value))
    case "kvm_vcpu_wakeup": notes.append(.wakeUp)
    case "vfio_msihandler":
      guard let irq = Self.field("irq", words()) else { return }
      notes.append(.handler(irq: irq))
    case "msi_write":
      let words = words()
      guard let irq = Self.field("irq", words), let address = Self.field("addr_lo", words) else {
        return
      }
      notes.append(.message(irq: irq, data: address == 0 ? nil : Self.field("data", words)))
    case "inject_cached": notes.append(.lookup)
    case "inject_msi":
      guard let event = Self.field("data", words()) else { return }
      notes.append(.slowInjection(event: event))
    default: break
    }
  }

  /// The first colon that a blank follows.
  private static func colon(in line: ArraySlice<UInt8>) -> Int? {
    var index = line.startIndex
    while index + 1 < line.endIndex {
      if line[index] == UInt8(ascii: ":") && line[index + 1] == UInt8(ascii: " ") { return index }
      index += 1
    }
    return nil
  }

  private static func number(_ word: Substring) -> UInt64? {
    word.hasPrefix("0x") ? UInt64(word.dropFirst(2), radix: 16) : UInt64(word)
  }

  private static func field(_ name: String, _ words: [Substring]) -> UInt64? {
    words.first { $0.hasPrefix(name + "=") }.flatMap { number($0.dropFirst(name.count + 1)) }
  }
}
