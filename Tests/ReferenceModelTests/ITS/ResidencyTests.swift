import EventModel
import ReferenceModel
import Testing

@Suite struct ResidencyTests {
  private let offset = Redistributor.Register.vpendbaser

  private func entry(_ vPEID: UInt16, _ its: ITS) -> ITS.VPETableEntry {
    its.vPEs.first { $0.vPEID == vPEID }!.entry
  }

  @Test func gicv40KnowsAVPEByItsPendingTable() {
    var its = virtualITS()
    #expect(!its.isResident(0, entry(0, its)))
    its.load(vpt: vpt0, pe: 0)
    #expect(its.isResident(0, entry(0, its)) && !its.isResident(1, entry(1, its)))
    its.load(vpt: vpt1, pe: 0)
    #expect(its.isResident(0, entry(0, its)), "a resident vPE cannot be replaced by a write")
    _ = its.unload(pe: 0)
    its.load(vpt: vpt1, pe: 0)
    #expect(!its.isResident(1, entry(1, its)), "vPE 1 is mapped to PE 1: it is not there")
    its.execute(.vmovp(.init(vPEID: 1, rdBase: 0)))
    #expect(its.isResident(1, entry(1, its)))
  }

  @Test func gicv41KnowsAVPEByItsID() {
    var its = virtualITS(version: .v41)
    its.load(vPEID: 1, pe: 1)
    #expect(its.isResident(1, entry(1, its)) && !its.isResident(0, entry(0, its)))
  }

  /// PendingLast after leaving: an enabled interrupt is pending.
  @Test(arguments: [ITS.Version.v4, .v41])
  func pendingLastTellsWhetherSomethingEnabledIsPending(_ version: ITS.Version) {
    for (byte, pending, expected) in [
      (UInt8(0xA3), false, false), (0xA3, true, true), (0xA2, true, false),
    ] {
      var its = virtualITS(version: version)
      its.mapVirtual(0, to: 9000)
      if version == .v41 { its.load(vPEID: 0, pe: 0) } else { its.load(vpt: vpt0, pe: 0) }
      its.storeConfiguration(.vpe(0), INTID(9000), byte)
      if pending { its.raise(0) }
      let left = its.unload(pe: 0, doorbell: version == .v41)
      #expect(left.pendingLast == expected && !left.isValid)
      if version == .v4 { #expect(left.value & VirtualPendingBase.bit62 == 0, "IDAI = 0") }
    }
  }

  /// The machine's whole table: state, write → state, Dirty.
  @Test func dirtyIsSeenForAsManyReadsAsThePolicySays() {
    var policy = ITS.Policy.specification.forRecordings()
    policy.dirtyReads = 2
    var its = virtualITS(policy: policy)
    its.load(vpt: vpt0, pe: 0)
    // Parsing: a write is UNPREDICTABLE, and ignored.
    its.writeRedistributor(0, offset: offset, value: 0)
    #expect(its.redistributors[0].vpendbaser.isValid)
    #expect(its.readRedistributor(0, offset: offset) & VirtualPendingBase.dirty != 0)
    #expect(its.readRedistributor(0, offset: offset) & VirtualPendingBase.dirty != 0)
    #expect(its.readRedistributor(0, offset: offset) & VirtualPendingBase.dirty == 0)
    // Resident → leaving, Dirty again.
    let left = its.unload(pe: 0)
    #expect(left.value & VirtualPendingBase.dirty != 0 && !left.isValid)
    #expect(its.readRedistributor(0, offset: offset) & VirtualPendingBase.dirty != 0)
    #expect(its.readRedistributor(0, offset: offset) & VirtualPendingBase.dirty == 0)
    its.load(vpt: vpt0, pe: 0)
    #expect(its.redistributors[0].vpendbaser.isValid)
  }

  @Test func writesWithoutValidOnlyStoreTheFields() {
    var its = virtualITS()
    its.writeRedistributor(0, offset: offset, value: vpt0 | VirtualPendingBase.pendingLastBit)
    #expect(its.readRedistributor(0, offset: offset) == vpt0 | VirtualPendingBase.pendingLastBit)
    #expect(its.pendingBits.isEmpty && its.counters.doorbellsRaised == 0)
  }

  @Test func theRegistersAreThereFromGICv4On() {
    var its = mappedITS(version: .v3)
    its.load(vpt: vpt0, pe: 0)
    #expect(its.readRedistributor(0, offset: offset) == 0)
  }

  /// GICR_VPENDBASER and GICR_VPROPBASER as a KVM host writes them (a recorded sequence).
  @Test func aRecordedScheduleAndDeschedule() {
    var its = virtualITS()
    its.execute(.vmovp(.init(vPEID: 0, rdBase: 1)))
    its.mapVirtual(0, to: 8192, doorbell: INTID(8192))
    its.writeRedistributor(1, offset: 0x2_0070, value: 0x4A2D_058F)
    its.writeRedistributor(1, offset: 0x2_0078, value: 0xE000_0000_4A2E_0780)
    #expect(its.raise(0).flags == 0)
    its.acknowledge(target: .vpe(0), intid: INTID(8192))
    its.writeRedistributor(1, offset: 0x2_0078, value: 0x6000_0000_4A2E_0780)
    #expect(!VirtualPendingBase(its.readRedistributor(1, offset: 0x2_0078)).pendingLast)
    #expect(its.raise(0).flags == Outcome.doorbellRaised)
  }

  @Test func vcpuEventsMakeResidentAndNot() {
    for version in [ITS.Version.v4, .v41] {
      var its = virtualITS(version: version)
      its.mapVirtual(0, to: 9000, doorbell: version == .v4 ? INTID(8300) : .spurious)
      func vcpu(_ kind: EventKind) -> TraceEvent {
        TraceEvent(time: 0, kind: kind, target: .vpe(0))
      }
      its.apply(vcpu(.vcpuLoad))
      #expect(its.isResident(0, entry(0, its)))
      #expect(its.raise(0).flags == 0)
      its.acknowledge(target: .vpe(0), intid: INTID(9000))
      its.apply(vcpu(.vcpuBlock))
      #expect(!its.isResident(0, entry(0, its)))
      #expect(its.raise(0).flags == Outcome.doorbellRaised)
      its.apply(vcpu(.vcpuLoad))
      its.acknowledge(target: .vpe(0), intid: INTID(9000))
      its.acknowledge(target: .pe(0), intid: INTID(8300))
      its.apply(vcpu(.vcpuPut))
      #expect(!its.isResident(0, entry(0, its)))
      #expect(its.raise(0).flags == (version == .v4 ? Outcome.doorbellRaised : 0))
    }
  }

  @Test func anEventThatRepeatsARegisterWriteChangesNothing() {
    var its = virtualITS()
    its.mapVirtual(0, to: 9000)
    its.load(vpt: vpt0, pe: 0)
    let resident = its.redistributors[0].vpendbaser
    its.apply(TraceEvent(time: 0, kind: .vcpuLoad, word0: vpt0, target: .vpe(0)))
    #expect(its.redistributors[0].vpendbaser == resident)
    its.raise(0)
    let left = its.unload(pe: 0)
    #expect(left.pendingLast)
    its.apply(TraceEvent(time: 1, kind: .vcpuPut, word0: vpt0, target: .vpe(0)))
    #expect(its.redistributors[0].vpendbaser == left)
  }

  @Test func aLoadWithoutAPutReplacesTheVPE() {
    var its = virtualITS()
    its.execute(.vmovp(.init(vPEID: 1, rdBase: 0)))
    its.apply(TraceEvent(time: 0, kind: .vcpuLoad, word0: vpt0, target: .pe(0)))
    its.apply(TraceEvent(time: 1, kind: .vcpuLoad, word0: vpt1, target: .pe(0)))
    #expect(its.isResident(1, entry(1, its)) && !its.isResident(0, entry(0, its)))
  }

  @Test func unmappedVPEsAreNotTaken() {
    var its = virtualITS()
    its.mapVirtual(0, to: 9000)
    its.raise(0)
    #expect(its.highestPriorityPending(.vpe(0)) == nil, "away: its configuration is not known")
    its.load(vpt: vpt0, pe: 0)
    #expect(its.highestPriorityPending(.vpe(0)) == INTID(9000))
    #expect(its.highestPriorityPending(.vpe(7)) == nil)
    #expect(its.acknowledge(target: .vpe(7), intid: INTID(9000)) == false)
    its.execute(.vmapp(.init(vPEID: 0, rdBase: 0, valid: false, vptSize: 0, vptAddress: 0)))
    #expect(its.vPEs.map(\.vPEID) == [1])
    #expect(its.raise(0).outcome == .unmappedVPE)
  }
}
