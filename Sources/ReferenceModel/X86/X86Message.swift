// MSI messages of x86: a 32-bit write to 0xFEEx_xxxx (Intel SDM vol. 3, §11.11; VT-d spec §5.1.2).

/// What an interrupt request asks of an interrupt-remapping unit.
package struct X86Message: Hashable, Sendable {
  package var address: UInt64
  package var data: UInt32
  package init(address: UInt64, data: UInt32) {
    self.address = address
    self.data = data
  }

  /// Bits 31:20 are 0xFEE. Extended destinations of the compatibility format use bits 63:40.
  package var isInterrupt: Bool { address & 0xFFF0_0000 == 0xFEE0_0000 }
  /// Address bit 4: 1 remappable, 0 compatibility.
  package var isRemappable: Bool { address >> 4 & 1 == 1 }

  // Compatibility format.
  package var vector: UInt8 { UInt8(truncatingIfNeeded: data) }
  package var deliveryMode: UInt8 { UInt8(data >> 8 & 7) }
  package var isLevelTriggered: Bool { data >> 15 & 1 == 1 }
  package var destinationID: UInt32 {
    UInt32(address >> 12 & 0xFF) | UInt32(truncatingIfNeeded: address >> 32) & 0xFFFF_FF00
  }
  package var redirectionHint: Bool { address >> 3 & 1 == 1 }
  package var isLogicalDestination: Bool { address >> 2 & 1 == 1 }

  // Remappable format.
  /// handle[14:0] in address bits 19:5, handle[15] in address bit 2.
  package var handle: UInt16 {
    UInt16(address >> 5 & 0x7FFF) | UInt16(address >> 2 & 1) << 15
  }
  package var subhandleValid: Bool { address >> 3 & 1 == 1 }
  package var subhandle: UInt16 { UInt16(truncatingIfNeeded: data) }
  /// Index into the interrupt remapping table (VT-d spec, §5.1.3).
  package var interruptIndex: UInt32 {
    UInt32(handle) + (subhandleValid ? UInt32(subhandle) : 0)
  }

  /// The remappable message that selects `handle`, as Linux composes it (SHV = 1, subhandle =
  /// vector offset in a multi-message block).
  package static func remappable(handle: UInt16, subhandle: UInt16 = 0) -> X86Message {
    let address =
      0xFEE0_0000 | UInt64(handle & 0x7FFF) << 5 | 1 << 4 | 1 << 3 | UInt64(handle >> 15) << 2
    return X86Message(address: address, data: UInt32(subhandle))
  }

  /// The compatibility message for a physical destination and a fixed vector.
  package static func compatibility(destinationID: UInt8, vector: UInt8) -> X86Message {
    X86Message(address: 0xFEE0_0000 | UInt64(destinationID) << 12, data: UInt32(vector))
  }
}

/// Why an Intel unit refuses an interrupt request (VT-d spec, §5.1.4: fault reasons 0x20…0x26).
package enum InterruptRemappingFault: UInt8, Error, Sendable, CaseIterable {
  case reservedFieldInRequest = 0x20
  case indexOutOfRange = 0x21
  case notPresent = 0x22
  case tableNotAccessible = 0x23
  case reservedFieldInEntry = 0x24
  case compatibilityBlocked = 0x25
  case sourceIDMismatch = 0x26
}
