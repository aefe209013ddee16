import EventModel
import ReferenceModel
import Testing

/// A, R, S and the hardware update of access flag and dirty state.
@Suite struct SMMUFaultBehaviourTests {
  @Test(arguments: [
    (true, true, SMMUFault.Termination.abort), (true, false, .abort),
    (false, true, .readZeroWriteIgnored), (false, false, .readZeroWriteIgnored),
  ])
  func stage1FaultEndsAsTheCDSays(abort: Bool, record: Bool, end: SMMUFault.Termination) {
    var fixture = SMMUFixture()
    fixture.cd.a = abort
    fixture.cd.r = record
    fixture.commit()
    let fault = fixture.write(0x1000).fault
    #expect(fault?.termination == end)
    #expect(fault?.isRecorded == record)
    #expect(fixture.smmu.events.count == (record ? 1 : 0))
    #expect(fixture.smmu.counters.smmuFaults == 1)
  }

  @Test func configurationErrorsAreRecordedWhateverTheFlagsSay() {
    var fixture = SMMUFixture()
    fixture.cd.r = false
    fixture.cd.v = false
    fixture.commit()
    #expect(fixture.write(0x1000).fault?.isRecorded == true)
  }

  @Test func stalledTransactionWaitsForResume() {
    var fixture = SMMUFixture()
    fixture.cd.s = true
    fixture.cd.r = false
    fixture.commit()
    let fault = fixture.write(0x1040).fault
    #expect(fault?.termination == .stalled)
    #expect(fault?.record.stall == true && fixture.smmu.events.count == 1, "R is ignored")
    let second = fixture.write(0x2040).fault
    #expect(second?.record.stag == 1)

    fixture.map(0x1000, 0x5000)
    try? fixture.smmu.execute(.resume(streamID: 9, stag: 0, response: .retry))
    #expect(fixture.smmu.stalls.waiting.count == 2, "another stream's RESUME does nothing")
    try? fixture.smmu.execute(.resume(streamID: 8, stag: 0, response: .retry))
    guard case .retried(let result) = fixture.smmu.stalls.resolved[0] else {
      Issue.record("not retried")
      return
    }
    #expect(result.address == 0x5040)
    try? fixture.smmu.execute(.resume(streamID: 8, stag: 1, response: .terminate))
    #expect(fixture.smmu.stalls.resolved[1] == .readZeroWriteIgnored)
    _ = fixture.write(0x3000)
    try? fixture.smmu.execute(.stallTerminate(streamID: 8))
    #expect(fixture.smmu.stalls.waiting.isEmpty)
    #expect(fixture.smmu.stalls.resolved[0] == .aborted)
  }

  @Test func hardwareSetsTheAccessFlag() {
    var fixture = SMMUFixture()
    fixture.cd.ha = true
    fixture.commit()
    fixture.map(0x1000, 0x5000, attributes: 0xB44)
    let result = fixture.read(0x1000)
    #expect(result.address == 0x5000 && result.work.descriptorUpdates == 1)
    let raw: UInt64 = fixture.smmu.memory.load(at: fixture.descriptorPlace(0x1000, level: 3))
    #expect(raw == 0x5F47)
    #expect(fixture.read(0x1000).work.descriptorUpdates == 0)
  }

  /// DBM with AP[2] set is writable-clean: a read leaves it, the first write clears AP[2], also
  /// when the TLB already holds the page from the read.
  @Test(arguments: [SMMUCaches.Kinds.none, .all])
  func hardwareMarksACleanPageDirty(caches: SMMUCaches.Kinds) {
    var fixture = SMMUFixture(caches: caches)
    fixture.cd.ha = true
    fixture.cd.hd = true
    fixture.commit()
    fixture.map(0x1000, 0x5000, attributes: 0xFC4 | 1 << 51)
    let place = fixture.descriptorPlace(0x1000, level: 3)
    let read = fixture.read(0x1000)
    #expect(read.work.descriptorUpdates == 0 && read.translation?.writable == true)
    #expect(fixture.smmu.memory.load(UInt64.self, at: place) & 0x80 == 0x80)
    #expect(fixture.write(0x1000).work.descriptorUpdates == 1)
    #expect(fixture.smmu.memory.load(UInt64.self, at: place) & 0x80 == 0)
    #expect(fixture.write(0x1000).work.descriptorUpdates == 0)
  }

  @Test func withoutHDACleanPageIsReadOnly() {
    var fixture = SMMUFixture()
    fixture.cd.ha = true
    fixture.commit()
    fixture.map(0x1000, 0x5000, attributes: 0xFC4 | 1 << 51)
    #expect(fixture.write(0x1000).eventName == "F_PERMISSION")
  }

  @Test(arguments: [SMMUCaches.Kinds.none, .all])
  func stage2HasItsOwnUpdates(caches: SMMUCaches.Kinds) {
    let shape = SMMUFixture.Shape(granule: .kib4, inputBits: 40, startLevel: 1)
    var fixture = SMMUFixture(stage1: nil, stage2: shape, caches: caches)
    fixture.ste.s2HA = true
    fixture.ste.s2HD = true
    fixture.commit()
    fixture.mapStage2(0x1000, 0x5000, attributes: 0x37C | 1 << 51)
    #expect(fixture.read(0x1000).work.descriptorUpdates == 1)
    #expect(fixture.write(0x1000).work.descriptorUpdates == 1)
    #expect(fixture.write(0x1000).work.descriptorUpdates == 0)
  }

  /// Updating a stage 1 descriptor is a write to the page that stage 2 puts it in.
  @Test func descriptorUpdateNeedsStage2WritePermission() {
    let shape = SMMUFixture.Shape(granule: .kib4, inputBits: 40, startLevel: 1)
    var fixture = SMMUFixture(
      stage1: .init(granule: .kib4, inputBits: 39, startLevel: 1), stage2: shape)
    fixture.cd.ha = true
    fixture.commit()
    fixture.map(0x1000, 0x3000_0000, attributes: 0xB44)
    fixture.mapStage2(0x3000_0000, 0x9_0000_0000)
    let place = fixture.descriptorPlace(0x1000, level: 3)
    fixture.mapStage2(
      place & ~0xFFF, (place & ~0xFFF) + SMMUFixture.hostOffset, attributes: 0x77C)
    let record = fixture.read(0x1000).fault?.record
    #expect(record?.number == .permission && record?.faultClass == .descriptor)
    #expect(record?.descriptorRead == false && record?.read == true)
    #expect(record?.address == place)
  }

  @Test func eventQueueOverflowsIntoACount() {
    var fixture = SMMUFixture()
    fixture.smmu.eventCapacity = 3
    for _ in 0..<5 { _ = fixture.read(0x1000) }
    #expect(fixture.smmu.events.count == 3 && fixture.smmu.eventsLost == 2)
    #expect(fixture.smmu.faults[.translation] == 5)
  }
}
