package import EventModel

extension ITS {
  /// What to do where the architecture leaves a choice, or where a known implementation departs.
  package struct Policy: Hashable, Sendable {
    /// MAPTI (and VMAPTI) on an event that is mapped already: UNPREDICTABLE.
    package enum LiveMapping: Sendable { case overwrite, ignore }
    /// A command that is wrong, or cannot be fetched: CONSTRAINED UNPREDICTABLE (IHI 0069, §5.2.5).
    package enum Reaction: Sendable { case skip, stall }
    package enum InvallScope: Sendable { case redistributorOfCollection, everyRedistributor }
    package enum DoorbellCondition: Sendable { case pendingBitRises, everyEvent }

    package var liveMapping: LiveMapping = .overwrite
    package var wrongCommand: Reaction = .skip
    package var fetchFailure: Reaction = .stall
    package var invallScope: InvallScope = .redistributorOfCollection
    package var doorbell: DoorbellCondition = .pendingBitRises
    package var invalidation: CacheInvalidation = .targeted
    package var cacheShapes: ITSCacheShapes = .none

    /// How many reads of GICR_VPENDBASER show Dirty = 1 after a vPE came or went.
    package var dirtyReads = 0

    /// Recordings do not hold the guest's stores to the LPI configuration table. With this option a
    /// configuration byte that was never stored counts as 0xA3: priority 0xA0, group 1, enabled, the
    /// value that Linux gives to an LPI in use. "Never stored" means 0, which no driver stores:
    /// bit 1 is RES1 (IHI 0069, §5.1.1). Off, such a byte is what it is: disabled.
    package var lpisEnabledByDefault = false

    package init() {}

    /// The letter of the architecture, skipping wrong commands.
    package static let specification = Policy()

    /// QEMU's emulation (hw/intc/arm_gicv3_its.c, arm_gicv3_redist.c): stalls only when a fetch
    /// fails, INVALL ignores its ICID, a doorbell rings for every event of a vPE that is away.
    package static let qemu: Policy = {
      var policy = Policy()
      policy.invallScope = .everyRedistributor
      policy.doorbell = .everyEvent
      return policy
    }()

    /// KVM's virtual ITS (arch/arm64/kvm/vgic/vgic-its.c): MAPTI on a live mapping succeeds without
    /// effect, nothing stalls, and the translation cache is flushed whole.
    package static let kvm: Policy = {
      var policy = Policy()
      policy.liveMapping = .ignore
      policy.fetchFailure = .skip
      policy.invalidation = .wholeCache
      return policy
    }()

    /// `self` for replaying a recording: see `lpisEnabledByDefault`.
    package func forRecordings() -> Policy {
      var policy = self
      policy.lpisEnabledByDefault = true
      return policy
    }
  }
}
