import EventModel
import ReferenceModel
import Testing

@Suite struct SMMUCacheTests {
  static let stage1 = SMMUFixture.Shape(granule: .kib4, inputBits: 39, startLevel: 1)
  static let stage2 = SMMUFixture.Shape(granule: .kib4, inputBits: 40, startLevel: 1)

  private func nested(_ caches: SMMUCaches.Kinds = .all) -> SMMUFixture {
    var fixture = SMMUFixture(stage1: Self.stage1, stage2: Self.stage2, caches: caches)
    fixture.map(0x1000, 0x3000_0000)
    fixture.mapStage2(0x3000_0000, 0x9_0000_0000)
    return fixture
  }

  @Test func aHitReadsNothing() {
    var fixture = nested()
    let first = fixture.read(0x1000)
    #expect(first.translation?.tlbHit == false)
    let second = fixture.read(0x1FFF)
    #expect(second.translation?.tlbHit == true && second.work.reads == 0)
    #expect(second.work.ste.hits == 1 && second.work.cd.hits == 1 && second.work.iotlb.hits == 1)
    #expect(second.address == 0x9_0000_0FFF)
    let counters = fixture.smmu.counters
    #expect(counters.accesses == 2 && counters.tlbMisses == 1)
    #expect(counters.configurationCacheMisses == 1)
  }

  /// Streams 8 and 9 have one VMID and ASID: the TLB does not know them apart.
  @Test func streamIDIsNoTagOfTheTLB() {
    var fixture = nested()
    _ = fixture.read(0x1000, streamID: 8)
    let other = fixture.read(0x1000, streamID: 9)
    #expect(other.translation?.tlbHit == true)
    #expect(other.work.ste.misses == 1 && other.work.cd.misses == 1, "configuration is per stream")
  }

  /// Each cache alone, switched on: what it saves is exactly its own.
  @Test(
    arguments: [
      (.none, 1, 1, 3, 15), (.ste, 0, 1, 3, 15), (.cd, 1, 0, 3, 12), (.iotlb, 1, 1, 0, 3),
      (.stage2TLB, 1, 1, 3, 0), (.stage1Walk, 1, 1, 1, 9), (.stage2Walk, 1, 1, 3, 5),
      (.all, 0, 0, 0, 0),
    ] as [(SMMUCaches.Kinds, UInt64, UInt64, UInt64, UInt64)])
  func eachCacheSavesItsOwnReads(
    kinds: SMMUCaches.Kinds, ste: UInt64, cd: UInt64, stage1: UInt64, stage2: UInt64
  ) {
    var fixture = nested(kinds)
    _ = fixture.read(0x1000)
    let work = fixture.read(0x1000).work
    #expect(work.steReads == ste && work.cdReads == cd)
    #expect(work.stage1Reads == stage1)
    #expect(work.stage2Reads == stage2)
  }

  @Test func aRememberedTranslationAnswersUntilItIsInvalidated() throws {
    var fixture = nested()
    _ = fixture.read(0x1000)
    fixture.map(0x1000, 0x3000_1000)
    fixture.mapStage2(0x3000_1000, 0xA_0000_0000)
    #expect(fixture.read(0x1000).address == 0x9_0000_0000)
    try fixture.smmu.execute(.tlbiNHVA(vmid: 7, asid: 3, TLBIRange(0x1000, leaf: true)))
    #expect(fixture.read(0x1000).address == 0xA_0000_0000)
  }

  @Test func aRememberedEntryKeepsItsPermissions() throws {
    var fixture = nested()
    fixture.map(0x1000, 0x3000_0000, attributes: SMMUFixture.page | 0x80)
    #expect(fixture.read(0x1000).translation?.writable == false)
    fixture.map(0x1000, 0x3000_0000)
    #expect(fixture.write(0x1000).eventName == "F_PERMISSION")
    try fixture.smmu.execute(.tlbiNHAll(vmid: 7))
    #expect(fixture.write(0x1000).eventName == "translated")
  }

  @Test func configurationStaysUntilCFGI() throws {
    var fixture = nested()
    _ = fixture.read(0x1000)
    fixture.ste.config = StreamTableEntry.abort
    fixture.cd.v = false
    fixture.commit()
    #expect(fixture.read(0x1000).eventName == "translated")
    try fixture.smmu.execute(.cfgiCD(streamID: 8, substreamID: 0, leaf: true))
    #expect(fixture.read(0x1000).eventName == "C_BAD_CD")
    try fixture.smmu.execute(.cfgiSTE(streamID: 8, leaf: true))
    #expect(fixture.read(0x1000).eventName == "aborted")
  }

  @Test func invalidStructuresAreNotRemembered() {
    var fixture = nested()
    fixture.ste.v = false
    fixture.commit()
    #expect(fixture.read(0x1000).eventName == "C_BAD_STE")
    fixture.ste.v = true
    fixture.commit()
    #expect(fixture.read(0x1000).eventName == "translated")
  }

  /// TLBI_S2_IPA leaves combined entries alone; S12_VMALL does not.
  @Test func combinedEntriesOutliveAnInvalidationByIPA() throws {
    var fixture = nested()
    _ = fixture.read(0x1000)
    fixture.mapStage2(0x3000_0000, 0xA_0000_0000)
    try fixture.smmu.execute(.tlbiS2IPA(vmid: 7, TLBIRange(0x3000_0000)))
    #expect(fixture.read(0x1000).address == 0x9_0000_0000)
    try fixture.smmu.execute(.tlbiNHVAA(vmid: 7, TLBIRange(0x1000)))
    #expect(fixture.read(0x1000).address == 0xA_0000_0000)
  }

  @Test func invalidationByIPASufficesForStage2Alone() throws {
    var fixture = SMMUFixture(stage1: nil, stage2: Self.stage2, caches: .all)
    fixture.mapStage2(0x1000, 0x5000)
    #expect(fixture.read(0x1000).translation?.tlbHit == false)
    #expect(fixture.read(0x1000).translation?.tlbHit == true)
    fixture.mapStage2(0x1000, 0x6000)
    try fixture.smmu.execute(.tlbiNHAll(vmid: 7))
    #expect(fixture.read(0x1000).address == 0x5000, "stage 1 commands do not reach it")
    try fixture.smmu.execute(.tlbiS2IPA(vmid: 7, TLBIRange(0x1000, leaf: true)))
    #expect(fixture.read(0x1000).address == 0x6000)
  }

  /// A guest's 2 MiB block over 4 KiB pages of the host is many entries, and one VA of the block
  /// removes them all: the guest knows one translation only.
  @Test func invalidatingAnyAddressOfABlockRemovesAllItsFragments() throws {
    var fixture = nested()
    fixture.map(0x20_0000, 0x3020_0000, level: 2)
    for page in 0..<8 as Range<UInt64> {
      fixture.mapStage2(0x3020_0000 + page << 12, 0x9_0020_0000 + page << 12)
      let result = fixture.read(0x20_0000 + page << 12)
      #expect(result.translation?.log2SizeBytes == 12)
      #expect(result.address == 0x9_0020_0000 + page << 12)
    }
    #expect(fixture.smmu.caches.iotlb.count == 8)
    try fixture.smmu.execute(
      .tlbiNHVA(vmid: 7, asid: 3, TLBIRange(0x20_0000, leaf: true, tg: 1, ttl: 2)))
    #expect(fixture.smmu.caches.iotlb.isEmpty)
  }

  @Test func globalEntriesServeEveryASIDAndSurviveInvalidationByASID() throws {
    var fixture = SMMUFixture(caches: .all)
    fixture.map(0x1000, 0x5000, attributes: SMMUFixture.page & ~0x800)
    _ = fixture.read(0x1000)
    fixture.cd.asid = 4
    fixture.commit()
    try fixture.smmu.execute(.cfgiCDAll(streamID: 8))
    #expect(fixture.read(0x1000).translation?.tlbHit == true)
    try fixture.smmu.execute(.tlbiNHASID(vmid: 7, asid: 4))
    #expect(fixture.read(0x1000).translation?.tlbHit == true)
    try fixture.smmu.execute(.tlbiNHVA(vmid: 7, asid: 4, TLBIRange(0x1000)))
    #expect(fixture.read(0x1000).translation?.tlbHit == false)
  }

  @Test func nonGlobalEntriesBelongToTheirASID() throws {
    var fixture = SMMUFixture(caches: .all)
    fixture.map(0x1000, 0x5000)
    _ = fixture.read(0x1000)
    fixture.cd.asid = 4
    fixture.commit()
    try fixture.smmu.execute(.cfgiCDAll(streamID: 8))
    #expect(fixture.read(0x1000).translation?.tlbHit == false)
  }

  @Test func worldsDoNotShareEntries() throws {
    var fixture = SMMUFixture(caches: .all)
    fixture.map(0x1000, 0x5000)
    _ = fixture.read(0x1000)
    fixture.ste.strw = 2
    fixture.commit()
    try fixture.smmu.execute(.cfgiAll)
    #expect(fixture.read(0x1000).translation?.tlbHit == false)
    fixture.smmu.registers.e2h = false
    #expect(fixture.read(0x1000).translation?.tlbHit == false)
    #expect(fixture.smmu.caches.iotlb.count == 3)
    // EL2 has neither ASID nor privilege: an unprivileged device reads a privileged page.
    fixture.map(0x2000, 0x6000, attributes: 0xF04)
    #expect(fixture.read(0x2000).address == 0x6000)
  }

  @Test func walkCacheStartsBelowTheRoot() {
    var fixture = SMMUFixture(caches: [.stage1Walk])
    fixture.map(0x1000, 0x5000)
    fixture.map(0x2000, 0x6000)
    fixture.map(0x4000_0000, 0x7000)
    #expect(fixture.read(0x1000).work.stage1Reads == 4)
    #expect(fixture.read(0x2000).work.stage1Reads == 1, "same level 3 table")
    #expect(fixture.read(0x4000_0000).work.stage1Reads == 3, "same level 1 table only")
    let misses = fixture.read(0x80_0000_0000).work.stage1Walk
    #expect(misses.misses == 1 && misses.hits == 0)
  }

  /// Table limits travel with the remembered table.
  @Test func walkCacheKeepsHierarchicalPermissions() {
    var fixture = SMMUFixture(caches: [.stage1Walk])
    fixture.map(0x1000, 0x5000, tableBits: 1 << 62)
    #expect(fixture.read(0x1000).eventName == "translated")
    #expect(fixture.write(0x1000).eventName == "F_PERMISSION")
  }
}

@Suite struct SpanCacheTests {
  struct Item: AddressSpanning, Hashable {
    var coverage: AddressSpan
    var reach: AddressSpan
    var name: Int
  }

  @Test func smallestCoverageComesFirst() {
    var cache = SpanCache<Int, Item>()
    let block = AddressSpan(around: 0x20_0000, log2: 21)
    let page = AddressSpan(around: 0x20_3000, log2: 12)
    cache.insert(0, Item(coverage: block, reach: block, name: 1))
    cache.insert(0, Item(coverage: page, reach: page, name: 2))
    #expect(cache.lookup(0, 0x20_3FFF).map(\.name) == [2, 1])
    #expect(cache.lookup(0, 0x20_4000).map(\.name) == [1])
    #expect(cache.lookup(1, 0x20_3000).isEmpty)
    cache.insert(0, Item(coverage: page, reach: page, name: 3))
    #expect(cache.count == 2, "same coverage is replaced")
  }

  @Test func theWholeAddressSpaceIsASpan() {
    var cache = SpanCache<Int, Item>()
    let all = AddressSpan(around: .max, log2: 64)
    cache.insert(0, Item(coverage: all, reach: all, name: 1))
    #expect(cache.lookup(0, 0).count == 1 && cache.lookup(0, .max).count == 1)
    cache.remove(first: 5, last: 5, where: { _ in true }, and: { _ in true })
    #expect(cache.isEmpty)
  }

  @Test func removalFollowsReachNotCoverage() {
    var cache = SpanCache<Int, Item>()
    for page: UInt64 in 0..<4 {
      cache.insert(
        0,
        Item(
          coverage: AddressSpan(around: page << 12, log2: 12),
          reach: AddressSpan(around: 0, log2: 21), name: Int(page)))
    }
    cache.remove(first: 0x3000, last: 0x3FFF, where: { _ in true }, and: { $0.name != 2 })
    #expect(cache.entries.map(\.value.name) == [2])
    cache.remove(first: 0x20_0000, last: .max, where: { _ in true }, and: { _ in true })
    #expect(cache.count == 1)
  }
}
