/// One 16-byte entry of an MSI-X table (PCI Local Bus 3.0, §6.8.2.6 … §6.8.2.9; PCI Express Base 5.0,
/// §7.7.2).
///
///     +0x0  Message Address (bits 1:0 must be 0)
///     +0x4  Message Upper Address
///     +0x8  Message Data
///     +0xC  Vector Control: 0 mask; the rest is reserved and kept as written
package struct MSIXTableEntry: Hashable, Sendable {
  package static let sizeBytes: UInt32 = 16

  package var address: UInt64 = 0
  package var data: UInt32 = 0
  package var vectorControl: UInt32

  /// The state after reset: masked.
  package init() { vectorControl = 1 }

  package init(address: UInt64, data: UInt32, masked: Bool) {
    self.address = address & ~3
    self.data = data
    vectorControl = masked ? 1 : 0
  }

  package var isMasked: Bool { vectorControl & 1 == 1 }
  package var message: MSIXMessage { MSIXMessage(address: address, data: data) }

  /// The doubleword at byte `offset` 0, 4, 8 or 12 of the entry.
  package subscript(offset: UInt32) -> UInt32 {
    get {
      switch offset {
      case 0: UInt32(truncatingIfNeeded: address)
      case 4: UInt32(truncatingIfNeeded: address >> 32)
      case 8: data
      default: vectorControl
      }
    }
    set {
      switch offset {
      case 0: address = address & ~0xFFFF_FFFF | UInt64(newValue & ~3)
      case 4: address = address & 0xFFFF_FFFF | UInt64(newValue) << 32
      case 8: data = newValue
      default: vectorControl = newValue
      }
    }
  }
}

/// What a function puts on the bus: a 32-bit write of `data` to `address`.
package struct MSIXMessage: Hashable, Sendable {
  package var address: UInt64
  package var data: UInt32
  package init(address: UInt64, data: UInt32) {
    self.address = address
    self.data = data
  }
}
