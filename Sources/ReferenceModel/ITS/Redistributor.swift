import EventModel

/// A redistributor as far as LPIs are concerned (IHI 0069, §12.11). Offsets are from RD_base; the
/// frame of the virtual LPIs is 128 KiB above it.
package struct Redistributor: Sendable {
  package let number: UInt16
  /// GICR_CTLR.EnableLPIs.
  package internal(set) var lpisEnabled = false
  package internal(set) var propbaser: UInt64 = 0
  package internal(set) var pendbaser: UInt64 = 0
  package internal(set) var vpropbaser: UInt64 = 0
  package internal(set) var vpendbaser = VirtualPendingBase(0)
  /// GICR_VSGIR's answer, read back through GICR_VSGIPENDR.
  package internal(set) var pendingSGIs: UInt16 = 0
  /// Reads of GICR_VPENDBASER that still show Dirty.
  package internal(set) var dirtyReadsLeft = 0

  /// Configuration bytes as they were when last read. Only INV, INVALL and VINVALL (and the
  /// registers of the same effect) make the redistributor read them again: software that forgets
  /// the command meets the old value here, as it may in hardware. Physical LPIs, by INTID; what is
  /// known of a vPE's goes with the vPE: `ITS.virtualConfigurations`.
  package internal(set) var configurationCache: [UInt32: LPIConfiguration] = [:]

  package init(number: UInt16) { self.number = number }

  package enum Register {
    package static let ctlr: UInt64 = 0x0000
    package static let setlpir: UInt64 = 0x0040
    package static let clrlpir: UInt64 = 0x0048
    package static let propbaser: UInt64 = 0x0070
    package static let pendbaser: UInt64 = 0x0078
    package static let invlpir: UInt64 = 0x00A0
    package static let invallr: UInt64 = 0x00B0
    package static let vpropbaser: UInt64 = 0x2_0070
    package static let vpendbaser: UInt64 = 0x2_0078
    package static let vsgir: UInt64 = 0x2_0080
    package static let vsgipendr: UInt64 = 0x2_0088
  }

  /// GICR_PROPBASER and GICR_PENDBASER, with their halves.
  static func isMemoryRegister(_ offset: UInt64) -> Bool {
    (Register.propbaser..<Register.pendbaser + 8).contains(offset)
  }

  /// One byte per LPI, starting with INTID 8192.
  package var configurationTable: UInt64 { propbaser & .field(~0 as UInt64, 51, 12) }
  /// One bit per INTID, the first KiB (INTIDs below 8192) is not used for pending bits.
  package var pendingTable: UInt64 { pendbaser & .field(~0 as UInt64, 51, 16) }
  package var idBits: UInt64 { propbaser.bits(4, 0) + 1 }
  package var virtualConfigurationTable: UInt64 { vpropbaser & .field(~0 as UInt64, 51, 12) }
  package var virtualIDBits: UInt64 { vpropbaser.bits(4, 0) + 1 }

  package func supports(_ intid: UInt32) -> Bool {
    intid >= INTID.firstLPI.rawValue && UInt64(intid) < 1 << idBits
  }
}

/// GICR_VPENDBASER (IHI 0069, §12.11.36): which vPE is resident.
///
///     63    62          61          60    59 58      51:16            15:0
///     Valid IDAI (4.0)  PendingLast Dirty vGrpEn 4.1 VPT addr (4.0)   vPEID (4.1)
///           DB (4.1)
package struct VirtualPendingBase: Hashable, Sendable {
  package var value: UInt64
  package init(_ value: UInt64) { self.value = value }

  package static func residentVPT(_ address: UInt64) -> VirtualPendingBase {
    VirtualPendingBase(address | .field(true, 63))
  }
  package static func resident(vPEID: UInt16) -> VirtualPendingBase {
    VirtualPendingBase(UInt64(vPEID) | .field(true, 58) | .field(true, 63))
  }

  package var isValid: Bool { value.bit(63) }
  package var pendingLast: Bool { value.bit(61) }
  package var vptAddress: UInt64 { value & .field(~0 as UInt64, 51, 16) }
  package var vPEID: UInt16 { UInt16(value.bits(15, 0)) }
  /// GICv4.1, meaningful in the write that clears Valid: a doorbell is wanted.
  package var doorbellRequested: Bool { value.bit(62) }

  package static let dirty: UInt64 = .field(true, 60)
  package static let pendingLastBit: UInt64 = .field(true, 61)
  package static let bit62: UInt64 = .field(true, 62)
}
