/// Which GIC an `ITSCore` belongs to, and what it does where the architecture leaves a choice or where
/// a known implementation departs. The choices are those of the reference model's `ITS.Policy`.
package struct ITSRules: Hashable, Sendable {
  /// GICv3, GICv4.0, GICv4.1.
  package enum Version: Int, Comparable, Sendable {
    case v3, v4, v41
    package static func < (a: Version, b: Version) -> Bool { a.rawValue < b.rawValue }
  }

  package var version: Version
  /// MAPTI and VMAPTI on an event that is mapped already have no effect, as in KVM; else overwrite.
  package var keepsLiveMappings = false
  /// INVALL ignores its ICID, as in QEMU.
  package var invallReachesEveryRedistributor = false
  /// A doorbell rings for every interrupt of a vPE that is away, as in QEMU; else when its bit rises.
  package var ringsForEveryEvent = false
  /// A configuration byte that was never stored counts as enabled: for recordings.
  package var lpisEnabledByDefault = true
  /// How many reads of GICR_VPENDBASER show Dirty = 1 after a vPE came or went.
  package var dirtyReads: UInt32 = 0

  package init(version: Version) { self.version = version }
}
