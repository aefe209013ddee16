/// The 32 bytes of a command in the queue: four little-endian doublewords (IHI 0069, §5.3).
package struct ITSCommandPacket: Hashable, Sendable {
  package var dw0: UInt64
  package var dw1: UInt64
  package var dw2: UInt64
  package var dw3: UInt64

  /// The size of a command, and of a slot of the queue.
  package static let sizeBytes: UInt64 = 32

  package init(_ dw0: UInt64 = 0, _ dw1: UInt64 = 0, _ dw2: UInt64 = 0, _ dw3: UInt64 = 0) {
    self.dw0 = dw0
    self.dw1 = dw1
    self.dw2 = dw2
    self.dw3 = dw3
  }

  package var words: [UInt64] { [dw0, dw1, dw2, dw3] }

  package var bytes: [UInt8] {
    words.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) } }
  }

  package static func & (a: ITSCommandPacket, b: ITSCommandPacket) -> ITSCommandPacket {
    ITSCommandPacket(a.dw0 & b.dw0, a.dw1 & b.dw1, a.dw2 & b.dw2, a.dw3 & b.dw3)
  }

  package static prefix func ~ (a: ITSCommandPacket) -> ITSCommandPacket {
    ITSCommandPacket(~a.dw0, ~a.dw1, ~a.dw2, ~a.dw3)
  }
}

extension UInt64 {
  /// Bits `high…low`, as the specifications write a field.
  package func bits(_ high: UInt64, _ low: UInt64) -> UInt64 {
    (self >> low) & (UInt64.max >> (63 - (high - low)))
  }

  package func bit(_ position: UInt64) -> Bool { (self >> position) & 1 == 1 }

  /// `value` placed in bits `high…low`. What does not fit is cut off.
  package static func field(_ value: some BinaryInteger, _ high: UInt64, _ low: UInt64) -> UInt64 {
    (UInt64(truncatingIfNeeded: value) & (UInt64.max >> (63 - (high - low)))) << low
  }

  package static func field(_ value: Bool, _ position: UInt64) -> UInt64 {
    (value ? 1 : 0) << position
  }
}
