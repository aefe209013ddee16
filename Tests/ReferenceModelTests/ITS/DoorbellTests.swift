import EventModel
import ReferenceModel
import Testing

/// IHI 0069, §5.4: an interrupt of a vPE that is away may ring a doorbell.
@Suite struct DoorbellTests {
  private let bell = INTID(8200)

  /// GICv4.0: rings iff the bit rises, the vPE is away, and the mapping names a doorbell.
  @Test(arguments: [false, true], [false, true])
  func individualDoorbells(_ resident: Bool, _ wanted: Bool) {
    for pending in [false, true] {
      var its = virtualITS()
      its.mapVirtual(0, to: 9000, doorbell: wanted ? bell : .spurious)
      if pending {
        its.raise(0)
        its.acknowledge(target: .pe(0), intid: bell)
      }
      if resident { its.load(vpt: vpt0, pe: 0) }
      let outcome = its.raise(0)
      let rings = !pending && !resident && wanted
      #expect(outcome.flags == (rings ? Outcome.doorbellRaised : 0))
      #expect(its.isPending(.pe(0), bell.rawValue) == rings)
      #expect(outcome.outcome == (pending ? .coalesced : .delivered))
      #expect(outcome.target == .vpe(0) && outcome.intid == 9000)
      #expect(its.isPending(.vpe(0), 9000))
    }
  }

  @Test func qemuRingsForEveryEvent() {
    var its = virtualITS(policy: .qemu.forRecordings())
    its.mapVirtual(0, to: 9000, doorbell: bell)
    #expect(its.raise(0).flags == Outcome.doorbellRaised)
    #expect(its.raise(0).flags == Outcome.doorbellRaised)
    #expect(its.counters.doorbellsRaised == 2)
  }

  @Test func aDoorbellRingsOnTheRedistributorOfTheVPE() {
    var its = virtualITS()
    its.mapVirtual(0, to: 9000, vPE: 1, doorbell: bell)
    its.raise(0)
    #expect(its.isPending(.pe(1), bell.rawValue))
    its.acknowledge(target: .pe(1), intid: bell)
    its.acknowledge(target: .vpe(1), intid: INTID(9000))
    its.execute(.vmovp(.init(vPEID: 1, rdBase: 0)))
    its.raise(0)
    #expect(its.isPending(.pe(0), bell.rawValue))
  }

  @Test func aDoorbellWithLPIsDisabledIsLostButTheInterruptIsNot() {
    var its = virtualITS()
    its.mapVirtual(0, to: 9000, doorbell: bell)
    its.writeRedistributor(0, offset: Redistributor.Register.ctlr, value: 0)
    let outcome = its.raise(0)
    #expect(outcome.outcome == .delivered && outcome.flags == 0)
    #expect(its.isPending(.vpe(0), 9000) && its.counters.doorbellsRaised == 0)
  }

  @Test func vmoviTakesPendingBitAndDoorbellToTheNewVPE() {
    var its = virtualITS()
    its.mapVirtual(0, to: 9000)
    its.raise(0)
    its.execute(
      .vmovi(device, EventID(0), vPEID: 1, doorbellValid: true, doorbell: bell))
    #expect(
      its.pendingBits == [
        .init(target: .pe(1), intid: bell), .init(target: .vpe(1), intid: INTID(9000)),
      ])
    #expect(its.mappings.map(\.destination) == [.vPE(1, doorbell: bell)])
    its.execute(
      .vmovi(device, EventID(0), vPEID: 0, doorbellValid: false, doorbell: .spurious))
    #expect(its.mappings.map(\.destination) == [.vPE(0, doorbell: bell)], "D = 0 keeps it")
  }

  @Test func clearingADoorbellTakesItsPendingBitAway() {
    var its = virtualITS()
    its.mapPhysical(3, to: bell.rawValue, icid: 1)
    its.mapVirtual(0, to: 9000, doorbell: bell)
    its.raise(0)
    #expect(its.isPending(.pe(0), bell.rawValue))
    its.execute(.clear(device, EventID(3)))
    #expect(!its.isPending(.pe(0), bell.rawValue) && its.isPending(.vpe(0), 9000))
  }

  // GICv4.1: default doorbells 8300 and 8301.

  /// Rings iff the vPE left with DB = 1 and PendingLast = 0, nothing was pending then, and the
  /// interrupt is enabled.
  @Test(arguments: [false, true], [false, true])
  func defaultDoorbells(_ requested: Bool, _ pendingLast: Bool) {
    for pending in [false, true] {
      for enabled in [false, true] {
        var its = virtualITS(version: .v41)
        its.mapVirtual(0, to: 9000)
        its.mapVirtual(1, to: 9001)
        its.storeConfiguration(.vpe(0), INTID(9000), enabled ? 0xA3 : 0xA2)
        its.load(vPEID: 0, pe: 0)
        if pending { its.raise(1) }
        let left = its.unload(pe: 0, doorbell: requested, pendingLast: pendingLast)
        #expect(left.pendingLast == (pending || pendingLast))
        #expect(!left.isValid)
        let outcome = its.raise(0)
        let rings = requested && !pendingLast && !pending && enabled
        #expect(outcome.flags == (rings ? Outcome.doorbellRaised : 0))
        #expect(its.isPending(.pe(0), 8300) == rings)
        #expect(outcome.outcome == (enabled ? .delivered : .masked))
      }
    }
  }

  @Test func aDefaultDoorbellRingsOncePerDeparture() {
    var its = virtualITS(version: .v41)
    its.mapVirtual(0, to: 9000)
    its.mapVirtual(1, to: 9001)
    its.load(vPEID: 0, pe: 0)
    #expect(its.raise(0).flags == 0, "resident")
    its.acknowledge(target: .vpe(0), intid: INTID(9000))
    #expect(!its.unload(pe: 0, doorbell: true).pendingLast)
    #expect(its.raise(0).flags == 1)
    #expect(its.raise(1).flags == 0)
    its.load(vPEID: 0, pe: 0)
    its.acknowledge(target: .vpe(0), intid: INTID(9000))
    its.acknowledge(target: .vpe(0), intid: INTID(9001))
    #expect(!its.unload(pe: 0, doorbell: true).pendingLast)
    #expect(its.raise(1).flags == 1)
    #expect(its.counters.doorbellsRaised == 2)
  }

  @Test func aVPEThatWasNeverResidentHasNoDoorbell() {
    var its = virtualITS(version: .v41)
    its.mapVirtual(0, to: 9000, doorbell: bell)
    #expect(its.raise(0).flags == 0, "individual doorbells are gone in GICv4.1")
  }

  @Test func vmovpReplacesTheDefaultDoorbell() {
    var its = virtualITS(version: .v41)
    its.mapVirtual(0, to: 9000)
    its.load(vPEID: 0, pe: 0)
    _ = its.unload(pe: 0, doorbell: true)
    its.execute(
      .vmovp(.init(vPEID: 0, rdBase: 1, doorbellValid: true, defaultDoorbell: INTID(8400))))
    its.raise(0)
    #expect(its.isPending(.pe(1), 8400))
  }

  @Test func invdbReadsTheDoorbellsConfigurationAgain() {
    var its = virtualITS(version: .v41)
    its.mapVirtual(0, to: 9000)
    its.load(vPEID: 0, pe: 0)
    _ = its.unload(pe: 0, doorbell: true)
    its.raise(0)
    #expect(its.highestPriorityPending(.pe(0)) == INTID(8300))
    its.storeConfiguration(.pe(0), INTID(8300), 0xA2)
    #expect(its.highestPriorityPending(.pe(0)) == INTID(8300))
    its.execute(.invdb(vPEID: 0))
    #expect(its.highestPriorityPending(.pe(0)) == nil)
  }

  @Test func vinvallReadsTheVPEsConfigurationAgain() {
    for version in [ITS.Version.v4, .v41] {
      for command in [ITSCommand.vinvall(vPEID: 0), .inv(device, EventID(0))] {
        var its = virtualITS(version: version)
        its.mapVirtual(0, to: 9000)
        if version == .v41 { its.load(vPEID: 0, pe: 0) } else { its.load(vpt: vpt0, pe: 0) }
        its.raise(0)
        #expect(its.highestPriorityPending(.vpe(0)) == INTID(9000))
        its.storeConfiguration(.vpe(0), INTID(9000), 0xA2)
        #expect(its.highestPriorityPending(.vpe(0)) == INTID(9000), "stale")
        its.execute(command)
        #expect(its.highestPriorityPending(.vpe(0)) == nil)
      }
    }
  }

  @Test func eachInvalidationReachesItsOwnInterruptsOnly() {
    var its = virtualITS()
    its.mapPhysical(1, to: 8192, icid: 1)
    its.mapVirtual(0, to: 9000)
    its.load(vpt: vpt0, pe: 0)
    its.raise(0)
    its.raise(1)
    its.storeConfiguration(.vpe(0), INTID(9000), 0xA2)
    its.storeConfiguration(.pe(0), INTID(8192), 0xA2)
    its.execute(.invall(icid: 1))
    #expect(its.highestPriorityPending(.pe(0)) == nil)
    #expect(its.highestPriorityPending(.vpe(0)) == INTID(9000), "INVALL is for physical LPIs")
    its.storeConfiguration(.pe(0), INTID(8192), 0xA3)
    its.execute(.vinvall(vPEID: 0))
    #expect(its.highestPriorityPending(.vpe(0)) == nil)
    #expect(its.highestPriorityPending(.pe(0)) == nil, "VINVALL is for the vPE's")
  }

  @Test func theCPUsSideLeavesTheListOfReadsAlone() {
    var its = virtualITS()
    its.mapVirtual(0, to: 9000)
    its.load(vpt: vpt0, pe: 0)
    its.raise(0)
    let reads = its.lastReads
    #expect(reads.map(\.table) == [.device, .itt, .vPE] && its.counters.vPETableReads == 1)
    #expect(its.acknowledge(target: .vpe(0)) == INTID(9000))
    _ = its.unload(pe: 0)
    #expect(its.lastReads == reads && its.counters.vPETableReads == 1)
  }

  // Virtual SGIs.

  @Test func aVirtualSGIRingsTheDefaultDoorbellAndIsTaken() {
    var its = virtualITS(version: .v41)
    its.execute(.vsgi(.init(vPEID: 0, sgi: 5, enable: true, priority: 0x40)))
    its.load(vPEID: 0, pe: 0)
    #expect(!its.unload(pe: 0, doorbell: true).pendingLast)
    its.write(register: ITS.Register.sgir, value: 5)
    #expect(its.isPending(.pe(0), 8300))
    its.writeRedistributor(0, offset: Redistributor.Register.vsgir, value: 0)
    #expect(its.readRedistributor(0, offset: Redistributor.Register.vsgipendr) == 1 << 5)
    #expect(its.acknowledge(target: .vpe(0)) == INTID(5))
    its.writeRedistributor(0, offset: Redistributor.Register.vsgir, value: 0)
    #expect(its.readRedistributor(0, offset: Redistributor.Register.vsgipendr) == 0)
  }

  @Test func aDisabledVirtualSGIStaysPendingInSilence() {
    var its = virtualITS(version: .v41)
    its.load(vPEID: 0, pe: 0)
    _ = its.unload(pe: 0, doorbell: true)
    its.write(register: ITS.Register.sgir, value: 3)
    #expect(its.pendingBits.isEmpty && its.highestPriorityPending(.vpe(0)) == nil)
    its.execute(.vsgi(.init(vPEID: 0, sgi: 3, enable: true, priority: 0x40)))
    #expect(its.highestPriorityPending(.vpe(0)) == INTID(3))
    its.execute(.vsgi(.init(vPEID: 0, sgi: 3, enable: false, clear: true, priority: 0)))
    #expect(its.highestPriorityPending(.vpe(0)) == nil)
    its.write(register: ITS.Register.sgir, value: 5 << 32 | 3)
    #expect(its.errors[ITSError(.unmappedVPE, ITSCommand.Opcode.vsgi)] == 1)
  }
}
