@testable import TraceImport

/// Makes pages of the kernel's ring buffer, little-endian and with a long of 8 bytes, by
/// linux, include/linux/ring_buffer.h and kernel/trace/ring_buffer.c: a writer that shares nothing
/// with the reader but those.
struct RingPageBuilder {
  static let size = 4096
  static let room = size - 16

  private(set) var body: [UInt8] = []
  private let start: UInt64
  /// The time of the last event.
  private(set) var time: UInt64

  init(at time: UInt64) {
    start = time
    self.time = time
  }

  private func number(_ value: UInt64, _ size: Int) -> [UInt8] {
    (0..<size).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
  }

  private func head(_ type: UInt64, _ delta: UInt64) -> [UInt8] {
    precondition(delta < 1 << 27)
    return number(delta << 5 | type, 4)
  }

  /// Whether a record of this size, with a time extension, still fits.
  func hasRoom(for data: [UInt8]) -> Bool { body.count + data.count + 16 <= Self.room }

  /// A record at `time`, with its time extended where the delta is too large for 27 bits.
  mutating func record(_ data: [UInt8], at time: UInt64, isLong: Bool = false) {
    var delta = time - self.time
    if delta >= 1 << 27 {
      extend(by: delta)
      delta = 0
    }
    if isLong || data.count > 28 * 4 {
      body += head(0, delta) + number(UInt64(data.count + 4), 4)
    } else {
      body += head(UInt64(data.count / 4), delta)
    }
    body += data
    self.time = time
  }

  mutating func extend(by delta: UInt64) {
    body += head(30, delta & 0x7FF_FFFF) + number(delta >> 27, 4)
    time += delta
  }

  /// An absolute time: its low 59 bits.
  mutating func stamp(_ time: UInt64) {
    let low = time & (1 << 59 - 1)
    body += head(31, low & 0x7FF_FFFF) + number(low >> 27, 4)
    self.time = time
  }

  /// An event that its writer took back: `count` bytes behind its two words.
  mutating func discard(_ count: Int, after delta: UInt64) {
    precondition(delta > 0)
    body += head(29, delta) + number(UInt64(count + 4), 4) + [UInt8](repeating: 0xEE, count: count)
    time += delta
  }

  /// The rest of the page is unused.
  mutating func pad() {
    body += head(29, 0) + [UInt8](repeating: 0xDD, count: Self.room - body.count - 4)
  }

  /// - Parameter lost: events lost before the page: 0 an unknown number; nil none.
  func page(lost: UInt64? = nil) -> [UInt8] {
    var commit = UInt64(body.count)
    var behind: [UInt8] = []
    if let lost {
      // The kernel's constant is an int, so that its sign fills the long.
      commit |= 0xFFFF_FFFF_8000_0000
      if lost > 0 {
        commit |= 1 << 30
        behind = number(lost, 8)
      }
    }
    let page = number(start, 8) + number(commit, 8) + body + behind
    precondition(page.count <= Self.size)
    return page + [UInt8](repeating: 0xBB, count: Self.size - page.count)
  }
}
