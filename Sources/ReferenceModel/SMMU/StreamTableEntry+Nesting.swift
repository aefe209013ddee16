// The STE that a host installs for a guest's stream.

extension StreamTableEntry {
  /// Why a guest's STE was not taken.
  package enum NestingError: Error, Hashable, Sendable {
    /// A bit outside the fields that a guest may set.
    case reservedBits
    /// A Config that a guest may not ask for: it has no stage 2 of its own.
    case config(UInt8)
    /// EATS other than "no ATS" and "full ATS".
    case eats(UInt8)
  }

  /// DW0 and DW1 as a guest may set them: V, Config, S1Fmt, S1ContextPtr, S1CDMax; S1DSS, S1CIR,
  /// S1COR, S1CSH, S1STALLD, EATS (Linux, include/uapi/linux/iommufd.h, iommu_hwpt_arm_smmuv3).
  package static let guestDW0: UInt64 =
    .field(UInt64.max, 5, 0) | .field(UInt64.max, 51, 6) | .field(UInt64.max, 63, 59)
  package static let guestDW1: UInt64 = .field(UInt64.max, 7, 0) | .field(UInt64.max, 29, 27)

  /// This STE, stage 2 of the guest's machine, with the guest's wishes on top: stage 1 becomes
  /// nested, bypass becomes stage 2 alone, abort or V = 0 aborts (Linux, arm-smmu-v3-iommufd.c,
  /// arm_smmu_validate_vste and arm_smmu_make_nested_domain_ste). Events are merged, so that a
  /// guest cannot flood the queue.
  package func nested(guest dw0: UInt64, _ dw1: UInt64) throws(NestingError) -> StreamTableEntry {
    guard dw0.bit(0) else { return StreamTableEntry(config: Self.abort) }
    guard dw0 & ~Self.guestDW0 == 0, dw1 & ~Self.guestDW1 == 0 else { throw .reservedBits }
    let guest = StreamTableEntry([dw0, dw1, 0, 0, 0, 0, 0, 0])
    guard guest.eats < 2 else { throw .eats(guest.eats) }
    var entry = self
    switch guest.config {
    case Self.abort: return StreamTableEntry(config: Self.abort)
    case Self.bypass: return entry
    case Self.stage1:
      entry.config = Self.nested
      entry.s1Fmt = guest.s1Fmt
      entry.s1ContextPtr = guest.s1ContextPtr
      entry.s1CDMax = guest.s1CDMax
      entry.s1DSS = guest.s1DSS
      entry.s1CIR = guest.s1CIR
      entry.s1COR = guest.s1COR
      entry.s1CSH = guest.s1CSH
      entry.s1STALLD = guest.s1STALLD
      entry.eats = guest.eats
      entry.mev = true
      return entry
    default: throw .config(guest.config)
    }
  }
}
