@testable import TraceImport

/// Writes a simpletrace of either version and byte order as QEMU's trace/simple.c does, byte by byte.
struct SimpleTraceBuilder {
  enum Value {
    case number(UInt64)
    case text(String)
  }

  let version: UInt64
  let isBigEndian: Bool
  private(set) var bytes: [UInt8]

  init(version: UInt64, isBigEndian: Bool = false) {
    self.version = version
    self.isBigEndian = isBigEndian
    bytes = []
    add(UInt64.max, 8)
    add(0xF2B1_77CB_0AA4_29B4, 8)
    add(version, 8)
  }

  private mutating func add(_ value: UInt64, _ size: Int) {
    let little = (0..<size).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
    bytes += isBigEndian ? little.reversed() : little
  }

  /// The name of a number; version 4 only.
  mutating func name(_ number: UInt64, _ name: String) {
    add(0, 8)
    add(number, 8)
    add(UInt64(name.utf8.count), 4)
    bytes += name.utf8
  }

  mutating func event(
    _ number: UInt64, nanoseconds: UInt64, process: UInt64 = 1, _ values: [Value]
  ) {
    if version == 4 { add(1, 8) }
    let size = values.reduce(24) { sum, value in
      switch value {
      case .number: sum + 8
      case .text(let text): sum + 4 + text.utf8.count
      }
    }
    add(number, 8)
    add(nanoseconds, 8)
    add(UInt64(size), 4)
    add(process, 4)
    for value in values {
      switch value {
      case .number(let number): add(number, 8)
      case .text(let text):
        add(UInt64(text.utf8.count), 4)
        bytes += text.utf8
      }
    }
  }

  mutating func dropped(_ count: UInt64, nanoseconds: UInt64) {
    event(.max - 1, nanoseconds: nanoseconds, [.number(count)])
  }
}
