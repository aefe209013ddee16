import EventModel
import ReferenceModel
import Testing

@Suite struct TranslationCachePolicyTests {
  private let other = DeviceID(9)

  private func warm(_ invalidation: CacheInvalidation) -> ITS {
    var policy = ITS.Policy.specification.forRecordings()
    policy.invalidation = invalidation
    var its = mappedITS(policy: policy)
    its.execute(.mapd(other, size: 1, ittAddress: 0x5000_0000, valid: true))
    its.mapPhysical(0, to: 8192)
    its.mapPhysical(1, to: 8193)
    its.execute(.mapti(other, EventID(0), pINTID: INTID(8194), icid: 0))
    for _ in 0..<2 {
      its.raise(0)
      its.raise(1)
      its.raise(0, device: other)
    }
    return its
  }

  @Test(arguments: [CacheInvalidation.targeted, .wholeCache])
  func theSecondTranslationIsAHit(_ invalidation: CacheInvalidation) {
    let its = warm(invalidation)
    #expect(its.cache.misses == 3 && its.cache.hits == 3 && its.cache.entries.count == 3)
    #expect(its.cache.flushes == 0 && its.cache.invalidations == 0 && its.cache.staleHits == 0)
  }

  /// Which commands empty KVM's cache, and how many entries the specification's loses.
  @Test(arguments: [
    (ITSCommand.discard(device, EventID(0)), true, 1),
    (.movi(device, EventID(0), icid: 1), true, 1),
    (.mapc(icid: 0, rdBase: 0, valid: false), true, 0),
    (.mapc(icid: 0, rdBase: 0, valid: true), false, 0),
    (.mapd(device, size: 1, ittAddress: 0x6000_0000, valid: true), true, 2),
    (.mapd(device, size: 1, ittAddress: 0, valid: false), true, 2),
    (.mapd(DeviceID(10), size: 1, ittAddress: 0x6000_0000, valid: true), false, 0),
    (.mapd(DeviceID(10), size: 1, ittAddress: 0, valid: false), false, 0),
    (.movall(from: 0, to: 1), true, 0), (.movall(from: 1, to: 1), false, 0),
    (.mapti(device, EventID(2), pINTID: INTID(8200), icid: 0), false, 0),
    (.inv(device, EventID(0)), false, 0), (.invall(icid: 0), false, 0),
    (.clear(device, EventID(0)), false, 0), (.int(device, EventID(0)), false, 0),
    (.sync(rdBase: 0), false, 0),
    // Wrong commands have no effect on the cache either.
    (.discard(device, EventID(3)), false, 0), (.movi(device, EventID(0), icid: 9), false, 0),
  ])
  func whatEachCommandDrops(_ command: ITSCommand, _ flushesWhole: Bool, _ dropped: Int) {
    var kvm = warm(.wholeCache)
    kvm.execute(command)
    #expect(kvm.cache.flushes == (flushesWhole ? 1 : 0))
    #expect(kvm.cache.entries.isEmpty == flushesWhole)
    var specification = warm(.targeted)
    specification.execute(command)
    #expect(specification.cache.invalidations == UInt64(dropped))
    #expect(specification.cache.entries.count == 3 - dropped)
  }

  @Test(arguments: [CacheInvalidation.targeted, .wholeCache])
  func disablingTheITSEmptiesTheCache(_ invalidation: CacheInvalidation) {
    var its = warm(invalidation)
    its.write(register: ITS.Register.ctlr, value: 0)
    #expect(its.cache.entries.isEmpty && its.cache.flushes == 1)
  }

  @Test func disablingLPIsEmptiesKVMsCache() {
    for invalidation in [CacheInvalidation.targeted, .wholeCache] {
      var its = warm(invalidation)
      its.writeRedistributor(0, offset: Redistributor.Register.ctlr, value: 0)
      #expect(its.cache.entries.isEmpty == (invalidation == .wholeCache))
    }
  }

  @Test func kvmDoesNotCacheWhatTheHardwareForwards() {
    for invalidation in [CacheInvalidation.targeted, .wholeCache] {
      var policy = ITS.Policy.specification.forRecordings()
      policy.invalidation = invalidation
      var its = virtualITS(policy: policy)
      its.mapVirtual(0, to: 9000)
      its.raise(0)
      #expect(its.cache.entries.isEmpty == (invalidation == .wholeCache))
    }
  }

  @Test func lostMSIsAreNotCached() {
    var its = warm(.wholeCache)
    its.raise(3)
    its.raise(3)
    #expect(its.cache.entries.count == 3 && its.cache.misses == 5)
  }

  /// Without its invalidation a cache would answer with a dead mapping: the model notices.
  @Test func aStaleHitIsNoticed() {
    var its = warm(.targeted)
    its.memory.store(0 as UInt64, at: 0x4000_0000)
    its.raise(0)
    #expect(its.cache.staleHits == 1)
    its.memory.store(0x0000_0000_0000_9003 as UInt64, at: 0x4000_000C)
    its.raise(1)
    #expect(its.cache.staleHits == 2)
  }
}
