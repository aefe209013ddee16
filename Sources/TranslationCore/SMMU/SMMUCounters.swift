package import EventModel

/// The SMMU's work, close to the fast path, which adds to `accesses` alone.
@frozen
@usableFromInline
struct SMMUCounters: BitwiseCopyable {
  @usableFromInline var accesses: UInt64 = 0
  /// Misses that `resolvePage` served: of the TLB, with a hit in the walk cache and in the stage-2
  /// TLB, and one descriptor read.
  var pageWalks: UInt64 = 0
  /// Accesses that neither the fast path nor `resolvePage` answered.
  var resolved: UInt64 = 0
  /// Among `resolved`: found in the TLB after all.
  var tlbHits: UInt64 = 0
  var tlbMisses: UInt64 = 0
  var configurationMisses: UInt64 = 0
  var streamMisses: UInt64 = 0
  var contextMisses: UInt64 = 0
  var steReads: UInt64 = 0
  var cdReads: UInt64 = 0
  var stage1Reads: UInt64 = 0
  var stage2Reads: UInt64 = 0
  var stage2TLBHits: UInt64 = 0
  var stage2TLBMisses: UInt64 = 0
  var walkCacheHits: UInt64 = 0
  var walkCacheMisses: UInt64 = 0
  var stage1TableHits: UInt64 = 0
  var stage1TableMisses: UInt64 = 0
  var stage2TableHits: UInt64 = 0
  var stage2TableMisses: UInt64 = 0
  var commands: UInt64 = 0
  var faults: UInt64 = 0
  var descriptorWrites: UInt64 = 0
  /// Descriptors that the walker itself rewrote (HTTU).
  var descriptorUpdates: UInt64 = 0
  var atcInvalidations: UInt64 = 0
}

/// Lookups by the cache that was asked. A cache that is switched off is not asked.
package struct SMMUCacheCounters: Hashable, Sendable {
  package struct Lookups: Hashable, Sendable {
    package var hits: UInt64 = 0
    package var misses: UInt64 = 0
    package init(hits: UInt64 = 0, misses: UInt64 = 0) {
      self.hits = hits
      self.misses = misses
    }
  }

  /// Accesses that read an STE or a CD, and those that did not have to.
  package var configuration = Lookups()
  /// STEs and CDs that had to be read.
  package var streamMisses: UInt64 = 0
  package var contextMisses: UInt64 = 0
  package var tlb = Lookups()
  package var stage2TLB = Lookups()
  /// Last-level stage-1 tables.
  package var walkCache = Lookups()
  /// Table descriptors of either stage.
  package var stage1Tables = Lookups()
  package var stage2Tables = Lookups()

  package init() {}
}

extension SMMUCore {
  package func addCounters(to work: inout WorkCounters) {
    work.accesses += counters.accesses
    work.configurationCacheMisses += counters.configurationMisses
    work.steReads += counters.steReads
    work.cdReads += counters.cdReads
    work.tlbMisses += counters.tlbMisses + counters.pageWalks
    work.stage1DescriptorReads += counters.stage1Reads + counters.pageWalks
    work.stage2DescriptorReads += counters.stage2Reads
    work.stage2TLBMisses += counters.stage2TLBMisses
    work.smmuCommands += counters.commands
    work.smmuFaults += counters.faults
    work.descriptorWrites += counters.descriptorWrites + counters.descriptorUpdates
  }

  /// Hits and misses of every cache. The fast path adds to no counter of hits: what it answered is
  /// what nobody else did.
  package var cacheCounters: SMMUCacheCounters {
    let fast = counters.accesses - counters.resolved - counters.pageWalks
    var caches = SMMUCacheCounters()
    caches.configuration = .init(
      hits: counters.accesses - counters.configurationMisses, misses: counters.configurationMisses)
    caches.streamMisses = counters.streamMisses
    caches.contextMisses = counters.contextMisses
    caches.tlb = .init(
      hits: fast + counters.tlbHits, misses: counters.tlbMisses + counters.pageWalks)
    caches.stage2TLB = .init(
      hits: counters.stage2TLBHits + counters.pageWalks, misses: counters.stage2TLBMisses)
    caches.walkCache = .init(
      hits: counters.walkCacheHits + counters.pageWalks, misses: counters.walkCacheMisses)
    caches.stage1Tables = .init(
      hits: counters.stage1TableHits, misses: counters.stage1TableMisses)
    caches.stage2Tables = .init(
      hits: counters.stage2TableHits, misses: counters.stage2TableMisses)
    return caches
  }

  /// Descriptors that hardware rewrote to set the access flag or the dirty state.
  package var descriptorUpdates: UInt64 { counters.descriptorUpdates }
  /// ATC_INV commands sent on to devices.
  package var atcInvalidations: UInt64 { counters.atcInvalidations }
}
