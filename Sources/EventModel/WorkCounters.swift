/// What a translation core did, counted exactly.
///
/// The same trace and design give the same numbers on every host and every night; gates compare
/// them before they look at time. A field that a design has no use for stays 0.
@frozen
public struct WorkCounters: Hashable, Sendable {
  // SMMU.
  public var accesses: UInt64 = 0
  public var configurationCacheMisses: UInt64 = 0
  public var steReads: UInt64 = 0
  public var cdReads: UInt64 = 0
  public var tlbMisses: UInt64 = 0
  public var stage1DescriptorReads: UInt64 = 0
  public var stage2DescriptorReads: UInt64 = 0
  public var stage2TLBMisses: UInt64 = 0
  public var smmuCommands: UInt64 = 0
  public var smmuFaults: UInt64 = 0
  public var descriptorWrites: UInt64 = 0
  // ITS.
  public var interruptsOffered: UInt64 = 0
  public var deviceTableReads: UInt64 = 0
  public var ittReads: UInt64 = 0
  public var collectionTableReads: UInt64 = 0
  public var vPETableReads: UInt64 = 0
  public var itsCommands: UInt64 = 0
  public var pendingBitsSet: UInt64 = 0
  public var doorbellsRaised: UInt64 = 0
  // The ITS's own three caches; 0 where they are switched off.
  public var itsDeviceCacheHits: UInt64 = 0
  public var itsDeviceCacheMisses: UInt64 = 0
  public var itsEventCacheHits: UInt64 = 0
  public var itsEventCacheMisses: UInt64 = 0
  public var itsCollectionCacheHits: UInt64 = 0
  public var itsCollectionCacheMisses: UInt64 = 0
  /// Lines dropped by commands, and times that all three were emptied.
  public var itsCacheInvalidations: UInt64 = 0
  public var itsCacheFlushes: UInt64 = 0
  // Interrupt remapping and posting of x86, the tables of GICv5, residency of vPEs.
  /// Interrupt remapping entries stored, each a compare-exchange of 128 bits.
  public var irteWrites: UInt64 = 0
  /// Entries that the unit read because its cache did not hold them.
  public var irteReads: UInt64 = 0
  /// Synchronous invalidations of cached interrupt entries: one queue descriptor (x86), or one register
  /// and its polls (GICv5).
  public var entryCacheInvalidations: UInt64 = 0
  /// Stores to the control word of a posted-interrupt descriptor.
  public var descriptorUpdates: UInt64 = 0
  /// Notification interrupts and doorbells to running vCPUs.
  public var notifications: UInt64 = 0
  public var gaLogAppends: UInt64 = 0
  public var gaLogOverflows: UInt64 = 0
  /// GICv5: entries that software stored in device, translation and interrupt state tables.
  public var tableStores: UInt64 = 0
  /// GICR_VPENDBASER stores; one that takes Valid away is followed by polls of Dirty.
  public var residencyWrites: UInt64 = 0
  /// Guest interrupts for which no vector, vCPU or entry was left.
  public var vectorShortages: UInt64 = 0
  // Software injection: irqfd route cache and the virtual ITS translation cache of KVM.
  public var routeReads: UInt64 = 0
  public var translationCacheHits: UInt64 = 0
  public var translationCacheMisses: UInt64 = 0
  public var translationCacheFlushes: UInt64 = 0
  public var listSteps: UInt64 = 0
  // Crossings. Modelled ones are counted, never timed.
  public var msixTraps: UInt64 = 0
  /// Stores to the MSI-X capability in configuration space, which VFIO emulates for every design.
  public var configurationTraps: UInt64 = 0
  public var commandTraps: UInt64 = 0
  /// ioctl, read and write calls of the VMM: to route a vector, to bounce an interrupt.
  public var syscalls: UInt64 = 0
  public var wakeUps: UInt64 = 0
  public var ringOperations: UInt64 = 0

  @inlinable public init() {}
}

extension WorkCounters {
  /// Every counter with the name under which it is reported, in a fixed order.
  public static var fields: [(name: String, path: WritableKeyPath<WorkCounters, UInt64>)] {
    [
      ("accesses", \.accesses),
      ("configuration-cache-misses", \.configurationCacheMisses),
      ("ste-reads", \.steReads),
      ("cd-reads", \.cdReads),
      ("tlb-misses", \.tlbMisses),
      ("stage-1-descriptor-reads", \.stage1DescriptorReads),
      ("stage-2-descriptor-reads", \.stage2DescriptorReads),
      ("stage-2-tlb-misses", \.stage2TLBMisses),
      ("smmu-commands", \.smmuCommands),
      ("smmu-faults", \.smmuFaults),
      ("descriptor-writes", \.descriptorWrites),
      ("interrupts-offered", \.interruptsOffered),
      ("device-table-reads", \.deviceTableReads),
      ("itt-reads", \.ittReads),
      ("collection-table-reads", \.collectionTableReads),
      ("vpe-table-reads", \.vPETableReads),
      ("its-commands", \.itsCommands),
      ("pending-bits-set", \.pendingBitsSet),
      ("doorbells-raised", \.doorbellsRaised),
      ("its-device-cache-hits", \.itsDeviceCacheHits),
      ("its-device-cache-misses", \.itsDeviceCacheMisses),
      ("its-event-cache-hits", \.itsEventCacheHits),
      ("its-event-cache-misses", \.itsEventCacheMisses),
      ("its-collection-cache-hits", \.itsCollectionCacheHits),
      ("its-collection-cache-misses", \.itsCollectionCacheMisses),
      ("its-cache-invalidations", \.itsCacheInvalidations),
      ("its-cache-flushes", \.itsCacheFlushes),
      ("irte-writes", \.irteWrites),
      ("irte-reads", \.irteReads),
      ("entry-cache-invalidations", \.entryCacheInvalidations),
      ("descriptor-updates", \.descriptorUpdates),
      ("notifications", \.notifications),
      ("ga-log-appends", \.gaLogAppends),
      ("ga-log-overflows", \.gaLogOverflows),
      ("table-stores", \.tableStores),
      ("residency-writes", \.residencyWrites),
      ("vector-shortages", \.vectorShortages),
      ("route-reads", \.routeReads),
      ("translation-cache-hits", \.translationCacheHits),
      ("translation-cache-misses", \.translationCacheMisses),
      ("translation-cache-flushes", \.translationCacheFlushes),
      ("list-steps", \.listSteps),
      ("msix-traps", \.msixTraps),
      ("configuration-traps", \.configurationTraps),
      ("command-traps", \.commandTraps),
      ("syscalls", \.syscalls),
      ("wake-ups", \.wakeUps),
      ("ring-operations", \.ringOperations),
    ]
  }

  public static func + (a: WorkCounters, b: WorkCounters) -> WorkCounters {
    var sum = a
    for field in fields { sum[keyPath: field.path] += b[keyPath: field.path] }
    return sum
  }

  /// What was added since `earlier`.
  public static func - (later: WorkCounters, earlier: WorkCounters) -> WorkCounters {
    var difference = later
    for field in fields { difference[keyPath: field.path] -= earlier[keyPath: field.path] }
    return difference
  }
}
