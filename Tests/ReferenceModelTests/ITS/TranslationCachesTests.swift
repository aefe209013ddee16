import EventModel
import ReferenceModel
import Testing

/// The caches with a size, shaped as a GIC-600's.
@Suite struct TranslationCachesTests {
  private let other = DeviceID(9)

  private func cached(
    _ shapes: ITSCacheShapes = .gic600, _ invalidation: CacheInvalidation = .targeted
  ) -> ITS {
    var policy = ITS.Policy.specification.forRecordings()
    policy.cacheShapes = shapes
    policy.invalidation = invalidation
    var its = mappedITS(policy: policy)
    its.execute(.mapd(other, size: 1, ittAddress: 0x5000_0000, valid: true))
    its.mapPhysical(0, to: 8192)
    its.mapPhysical(1, to: 8193)
    its.execute(.mapti(other, EventID(0), pINTID: INTID(8194), icid: 1))
    return its
  }

  private func warm(_ invalidation: CacheInvalidation) -> ITS {
    var its = cached(.gic600, invalidation)
    for _ in 0..<2 {
      its.raise(0)
      its.raise(1)
      its.raise(0, device: other)
    }
    return its
  }

  private func work(_ its: ITS) -> WorkCounters {
    var work = its.counters
    its.caches.addCounters(to: &work)
    return work
  }

  @Test func eachCacheSavesTheReadsOfItsTable() {
    let all = work(warm(.targeted))
    // Six MSIs: three events of two devices to two collections, then the same again.
    #expect(all.itsEventCacheMisses == 3 && all.itsEventCacheHits == 3)
    #expect(all.itsDeviceCacheMisses == 2 && all.itsDeviceCacheHits == 1)
    #expect(all.itsCollectionCacheMisses == 2 && all.itsCollectionCacheHits == 4)
    #expect(all.deviceTableReads == 2 && all.ittReads == 3 && all.collectionTableReads == 2)
    #expect(warm(.targeted).caches.staleHits == 0)
  }

  @Test func eachCacheIsSwitchedOffAlone() {
    for (shapes, device, itt, collection) in [
      (ITSCacheShapes(device: ITSCacheShapes.gic600.device), 2, 6, 6),
      (ITSCacheShapes(event: ITSCacheShapes.gic600.event), 3, 3, 6),
      (ITSCacheShapes(collection: ITSCacheShapes.gic600.collection), 6, 6, 2),
      (.none, 6, 6, 6),
    ] as [(ITSCacheShapes, UInt64, UInt64, UInt64)] {
      var its = cached(shapes)
      for _ in 0..<2 {
        its.raise(0)
        its.raise(1)
        its.raise(0, device: other)
      }
      #expect(its.counters.deviceTableReads == device && its.counters.ittReads == itt)
      #expect(its.counters.collectionTableReads == collection)
    }
  }

  /// Lines (device, event, collection) that are left, and what was dropped or flushed.
  private static let drops: [(ITSCommand, targeted: UInt64, isFlushedByKVM: Bool)] = [
    (.discard(device, EventID(0)), 1, true), (.movi(device, EventID(0), icid: 1), 1, true),
    (.mapc(icid: 0, rdBase: 0, valid: false), 1, true),
    (.mapc(icid: 0, rdBase: 0, valid: true), 1, false),
    (.mapd(device, size: 1, ittAddress: 0x6000_0000, valid: true), 3, true),
    (.mapd(device, size: 1, ittAddress: 0, valid: false), 3, true),
    (.mapd(DeviceID(10), size: 1, ittAddress: 0x6000_0000, valid: true), 0, false),
    (.movall(from: 0, to: 1), 0, true), (.movall(from: 1, to: 1), 0, false),
    (.mapti(device, EventID(0), pINTID: INTID(8200), icid: 0), 1, false),
    (.mapti(device, EventID(2), pINTID: INTID(8200), icid: 0), 0, false),
    (.vmapti(device, EventID(0), vPEID: 0, vINTID: INTID(8200), doorbell: .spurious), 1, false),
    (.inv(device, EventID(0)), 0, false), (.invall(icid: 0), 0, false),
    (.clear(device, EventID(0)), 0, false), (.int(device, EventID(0)), 0, false),
    (.discard(device, EventID(3)), 0, false),
  ]

  @Test(arguments: drops.indices)
  func whatEachCommandDrops(_ index: Int) {
    let (command, dropped, isFlushed) = Self.drops[index]
    var specification = warm(.targeted)
    specification.execute(command)
    #expect(specification.caches.invalidations == dropped && specification.caches.flushes == 0)
    var kvm = warm(.wholeCache)
    kvm.execute(command)
    #expect(kvm.caches.flushes == (isFlushed ? 1 : 0))
    #expect(kvm.caches.invalidations == (isFlushed ? 0 : dropped))
    #expect(kvm.caches.event!.lines.isEmpty == isFlushed)
    for its in [specification, kvm] {
      var its = its
      for event in 0..<4 as Range<UInt32> { its.raise(event) }
      its.raise(0, device: other)
      #expect(its.caches.staleHits == 0)
    }
  }

  @Test func disablingTheITSEmptiesAll() {
    for invalidation in [CacheInvalidation.targeted, .wholeCache] {
      var its = warm(invalidation)
      its.write(register: ITS.Register.ctlr, value: 0)
      #expect(its.caches.flushes == 1 && its.caches.device!.lines.isEmpty)
      its.raise(0)
      #expect(work(its).itsEventCacheMisses == 3, "a disabled ITS asks no cache")
    }
  }

  @Test func virtualEntriesUseTheFirstTwoCaches() {
    var policy = ITS.Policy.specification.forRecordings()
    policy.cacheShapes = .gic600
    var its = virtualITS(policy: policy)
    its.mapVirtual(0, to: 9000)
    for _ in 0..<3 { its.raise(0) }
    #expect(its.counters.deviceTableReads == 1 && its.counters.ittReads == 1)
    #expect(its.counters.vPETableReads == 3)
    #expect(work(its).itsCollectionCacheMisses == 0)
  }

  /// 2 ways × 128 sets: 512 events in turn never hit, 200 always do after the first round.
  @Test func moreEventsThanLinesThrash() {
    for (count, hits) in [(UInt32(200), UInt64(200)), (512, 0)] {
      var its = cached()
      its.execute(.mapd(device, size: 9, ittAddress: 0x6000_0000, valid: true))
      for event in 0..<count { its.mapPhysical(event, to: 8192 + event) }
      for _ in 0..<2 { for event in 0..<count { its.raise(event) } }
      #expect(work(its).itsEventCacheHits == hits)
    }
  }

  @Test func aStaleAnswerIsNoticed() {
    var its = warm(.targeted)
    its.memory.store(0 as UInt64, at: 0x4000_0000)
    its.raise(0)
    #expect(its.caches.staleHits == 1)
  }
}
