// The interrupt remapping table entry of Intel VT-d (VT-d spec, §9.10 remapped, §9.11 posted).
//
//   remapped  P 0 · FPD 1 · DM 2 · RH 3 · TM 4 · DLM 7:5 · AVAIL 11:8 · IM 15 = 0 · V 23:16 ·
//             DST 63:32 (xAPIC: 47:40) · SID 79:64 · SQ 81:80 · SVT 83:82
//   posted    P 0 · FPD 1 · AVAIL 11:8 · URG 14 · IM 15 = 1 · V 23:16 · PDAL 63:38 · SID 79:64 ·
//             SQ 81:80 · SVT 83:82 · PDAH 127:96

/// One IRTE: 16 bytes.
package struct VTdEntry: Hashable, Sendable {
  package var low: UInt64
  package var high: UInt64
  package init(low: UInt64 = 0, high: UInt64 = 0) {
    self.low = low
    self.high = high
  }

  /// How the requester's ID is compared.
  package enum SourceValidation: Hashable, Sendable {
    case none
    /// Requester must equal `sid` in all bits but those that `qualifier` (SQ) leaves out.
    case sourceID(sid: UInt16, qualifier: UInt8)
    /// Requester's bus must lie in the range: SID 15:8 first, 7:0 last.
    case busRange(first: UInt8, last: UInt8)
  }

  package static func remapped(
    vector: UInt8, destination: UInt32, logical: Bool = false, redirectionHint: Bool = false,
    deliveryMode: UInt8 = 0, levelTriggered: Bool = false,
    validation: SourceValidation = .none
  ) -> VTdEntry {
    let low =
      1 | (logical ? 1 << 2 : 0) | (redirectionHint ? 1 << 3 : 0) | (levelTriggered ? 1 << 4 : 0)
      | UInt64(deliveryMode & 7) << 5 | UInt64(vector) << 16 | UInt64(destination) << 32
    return VTdEntry(low: low, high: encode(validation))
  }

  /// - Parameter descriptor: address of the posted-interrupt descriptor, 64-byte aligned.
  package static func posted(
    vector: UInt8, descriptor: UInt64, urgent: Bool = false,
    validation: SourceValidation = .none
  ) -> VTdEntry {
    precondition(descriptor % 64 == 0)
    let low =
      1 | (urgent ? 1 << 14 : 0) | 1 << 15 | UInt64(vector) << 16
      | (descriptor >> 6 & 0x3FF_FFFF) << 38
    return VTdEntry(low: low, high: encode(validation) | (descriptor >> 32) << 32)
  }

  package var isPresent: Bool { low & 1 == 1 }
  package var faultProcessingDisabled: Bool { low >> 1 & 1 == 1 }
  package var isPosted: Bool { low >> 15 & 1 == 1 }
  package var vector: UInt8 { UInt8(truncatingIfNeeded: low >> 16) }
  package var destination: UInt32 { UInt32(truncatingIfNeeded: low >> 32) }
  package var deliveryMode: UInt8 { UInt8(low >> 5 & 7) }
  package var isUrgent: Bool { low >> 14 & 1 == 1 }
  package var descriptorAddress: UInt64 { (low >> 38) << 6 | (high >> 32) << 32 }

  package var validation: SourceValidation? {
    let sid = UInt16(truncatingIfNeeded: high)
    switch high >> 18 & 3 {
    case 0: return SourceValidation.none
    case 1: return .sourceID(sid: sid, qualifier: UInt8(high >> 16 & 3))
    case 2: return .busRange(first: UInt8(sid >> 8), last: UInt8(truncatingIfNeeded: sid))
    default: return nil
    }
  }

  /// Bits that must be 0. Remapped: 14:12, 31:24, 127:84. Posted: 7:2, 13:12, 37:24, 95:84.
  package var reservedBitsAreClear: Bool {
    isPosted
      ? low & 0x0000_003F_FF00_30FC == 0 && high & 0x0000_0000_FFF0_0000 == 0
      : low & 0x0000_0000_FF00_7000 == 0 && high & 0xFFFF_FFFF_FFF0_0000 == 0
  }

  /// VT-d spec, §9.10: SQ 1 ignores SID bit 2, SQ 2 bits 2:1, SQ 3 bits 2:0.
  package func accepts(requester: UInt16) -> Bool {
    switch validation {
    case .some(.none): return true
    case .sourceID(let sid, let qualifier):
      let ignored: UInt16 = [0, 0b100, 0b110, 0b111][Int(qualifier)]
      return (requester ^ sid) & ~ignored == 0
    case .busRange(let first, let last):
      return (first...max(first, last)).contains(UInt8(requester >> 8)) && first <= last
    case nil: return false
    }
  }

  private static func encode(_ validation: SourceValidation) -> UInt64 {
    switch validation {
    case .none: 0
    case .sourceID(let sid, let qualifier): UInt64(sid) | UInt64(qualifier & 3) << 16 | 1 << 18
    case .busRange(let first, let last): UInt64(first) << 8 | UInt64(last) | 2 << 18
    }
  }
}
