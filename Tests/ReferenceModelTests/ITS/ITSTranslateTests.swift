import EventModel
import ReferenceModel
import Testing

@Suite struct ITSTranslateTests {
  @Test func anMSIBecomesPendingAtTheCollectionsTarget() {
    var its = mappedITS()
    its.mapPhysical(2, to: 8200)
    let outcome = its.raise(2)
    #expect(
      outcome
        == Outcome(address: 0x0809_0040, intid: 8200, target: .pe(1), outcome: .delivered))
    #expect(its.pendingBits == [.init(target: .pe(1), intid: INTID(8200))])
    #expect(its.lastReads.map(\.table) == [.device, .itt, .collection])
    #expect(its.counters.deviceTableReads == 1 && its.counters.ittReads == 1)
    #expect(its.counters.collectionTableReads == 1 && its.counters.vPETableReads == 0)
  }

  @Test func lastReadsNameTheEntriesInMemory() {
    var its = mappedITS()
    its.mapPhysical(2, to: 8200)
    its.raise(2)
    let itt = its.lastReads[1]
    #expect(itt.address == 0x4000_0000 + 2 * 12)
    #expect(its.memory.load(UInt64.self, at: itt.address) == itt.value)
    #expect(its.lastReads[0].address == its.registers.deviceTable.address + 8 * 8)
    #expect(its.lastReads[2].address == its.registers.collectionTable.address)
  }

  /// Byte INTID / 8, bit INTID % 8, from GICR_PENDBASER.
  @Test(arguments: [8192, 8193, 8199, 8200, 12345, 65535] as [UInt32])
  func pendingBitsStandWhereTheArchitecturePutsThem(_ intid: UInt32) {
    var its = mappedITS()
    its.mapPhysical(0, to: intid)
    its.raise(0)
    let table = its.redistributors[1].pendingTable
    #expect(its.memory.loadByte(table + UInt64(intid / 8)) == 1 << UInt8(intid % 8))
    #expect(its.memory.populated(table..<(table + 8192)).count == 1)
    #expect(its.pendingBits == [.init(target: .pe(1), intid: INTID(intid))])
  }

  @Test func aSecondMSIBeforeTheAcknowledgeIsCoalesced() {
    var its = mappedITS()
    its.mapPhysical(0, to: 8192)
    #expect(its.raise(0).outcome == .delivered)
    #expect(its.raise(0).outcome == .coalesced)
    #expect(its.counters.pendingBitsSet == 1)
    let was = its.acknowledge(target: .pe(1), intid: INTID(8192))
    #expect(was && its.pendingBits.isEmpty)
    let again = its.acknowledge(target: .pe(1), intid: INTID(8192))
    #expect(!again)
    #expect(its.raise(0).outcome == .delivered)
    #expect(its.outcomes == [.delivered: 2, .coalesced: 1])
  }

  @Test func theIntCommandTakesTheSameWayButIsNoMSI() {
    var its = mappedITS()
    its.mapPhysical(0, to: 8192)
    its.execute(.int(device, EventID(0)))
    #expect(its.isPending(.pe(1), 8192))
    #expect(its.counters.interruptsOffered == 0 && its.outcomes.isEmpty)
  }

  @Test func mapiUsesTheEventIDAsINTID() {
    var its = mappedITS()
    its.execute(.mapd(device, size: 13, ittAddress: 0x4000_0000, valid: true))
    its.execute(.mapi(device, EventID(9000), icid: 1))
    #expect(its.raise(9000).intid == 9000)
    #expect(its.isPending(.pe(0), 9000))
  }

  @Test func clearAndDiscardTakeThePendingBitAway() {
    for command in [ITSCommand.clear(device, EventID(0)), .discard(device, EventID(0))] {
      for virtual in [false, true] {
        var its = virtualITS()
        if virtual { its.mapVirtual(0, to: 8192) } else { its.mapPhysical(0, to: 8192) }
        its.raise(0)
        #expect(its.pendingBits.count == 1)
        #expect(its.execute(command) == nil && its.pendingBits.isEmpty)
        #expect(its.mappings.isEmpty == (command.opcode == .discard))
      }
    }
  }

  @Test func moviTakesThePendingBitAlong() {
    var its = mappedITS()
    its.mapPhysical(0, to: 8192)
    its.raise(0)
    its.execute(.movi(device, EventID(0), icid: 1))
    #expect(its.pendingBits == [.init(target: .pe(0), intid: INTID(8192))])
    #expect(
      its.raise(0)
        == Outcome(
          address: 0x0809_0040, intid: 8192, target: .pe(0), outcome: .coalesced))
  }

  @Test func mapcMovesNoPendingBitAndMovallDoes() {
    var its = mappedITS()
    its.mapPhysical(0, to: 8192)
    its.mapPhysical(1, to: 8193)
    its.raise(0)
    its.raise(1)
    its.execute(.mapc(icid: 0, rdBase: 0, valid: true))
    #expect(its.isPending(.pe(1), 8192) && its.isPending(.pe(1), 8193))
    its.execute(.movall(from: 1, to: 0))
    #expect(its.pendingBits.map(\.target) == [.pe(0), .pe(0)])
    #expect(its.raise(1).target == .pe(0))
  }

  @Test func anUnmappedCollectionLosesMSIsUntilItIsMappedAgain() {
    var its = mappedITS()
    its.mapPhysical(0, to: 8192)
    its.execute(.mapc(icid: 0, rdBase: 0, valid: false))
    #expect(its.raise(0).outcome == .unmappedCollection)
    its.execute(.mapc(icid: 0, rdBase: 0, valid: true))
    #expect(its.raise(0).target == .pe(0))
  }

  @Test func mapdAnewForgetsTheDevicesEvents() {
    var its = mappedITS()
    its.mapPhysical(0, to: 8192)
    its.execute(.mapd(device, size: 1, ittAddress: 0x4000_0000, valid: true))
    #expect(its.raise(0).outcome == .unmappedEvent)
    its.execute(.mapd(device, size: 0, ittAddress: 0, valid: false))
    #expect(its.raise(0).outcome == .unmappedDevice)
  }

  @Test func aLiveMappingIsOverwrittenOrKept() {
    for policy in [ITS.Policy.specification, .qemu, .kvm] {
      var its = mappedITS(policy: policy)
      its.mapPhysical(0, to: 8192)
      #expect(its.execute(.mapti(device, EventID(0), pINTID: INTID(8193), icid: 1)) == nil)
      let expected: UInt32 = policy.liveMapping == .overwrite ? 8193 : 8192
      #expect(its.mappings.map(\.intid.rawValue) == [expected])
    }
  }

  // Configuration.

  @Test func aConfigurationByteIsReadAgainOnlyAfterAnInvalidation() {
    for invalidation in [
      ITSCommand.inv(device, EventID(0)), .invall(icid: 0),
    ] {
      var its = mappedITS(policy: .specification)
      its.mapPhysical(0, to: 8192)
      #expect(its.raise(0).outcome == .masked, "a byte of 0 is disabled")
      #expect(its.highestPriorityPending(.pe(1)) == nil)
      its.storeConfiguration(.pe(1), INTID(8192), 0xA3)
      #expect(its.highestPriorityPending(.pe(1)) == nil, "stale, as it may be in hardware")
      its.execute(invalidation)
      #expect(its.highestPriorityPending(.pe(1)) == INTID(8192), "it stayed pending")
      its.storeConfiguration(.pe(1), INTID(8192), 0xA2)
      #expect(its.acknowledge(target: .pe(1)) == INTID(8192), "and stale the other way")
      #expect(its.raise(0).outcome == .delivered)
      its.acknowledge(target: .pe(1), intid: INTID(8192))
      its.execute(invalidation)
      #expect(its.raise(0).outcome == .masked)
    }
  }

  @Test func invallReachesOneRedistributorAndInQemuAll() {
    for policy in [ITS.Policy.specification, .qemu] {
      var its = mappedITS(policy: policy)
      its.mapPhysical(0, to: 8192, icid: 0)
      its.mapPhysical(1, to: 8193, icid: 1)
      for event in [UInt32(0), 1] { #expect(its.raise(event).outcome == .masked) }
      its.storeConfiguration(.pe(0), INTID(8192), 0xA3)
      its.storeConfiguration(.pe(0), INTID(8193), 0xA3)
      its.execute(.invall(icid: 0))
      #expect(its.highestPriorityPending(.pe(1)) == INTID(8192))
      let other = its.highestPriorityPending(.pe(0))
      #expect(other == (policy.invallScope == .everyRedistributor ? INTID(8193) : nil))
    }
  }

  @Test func theLowestPriorityValueIsTakenFirstThenTheLowestINTID() {
    var its = mappedITS(policy: .specification)
    for (event, intid, byte) in [
      (UInt32(0), UInt32(8195), UInt8(0xA3)), (1, 8194, 0x83), (2, 8193, 0x83), (3, 8192, 0x02),
    ] {
      its.storeConfiguration(.pe(1), INTID(intid), byte)
      its.mapPhysical(event, to: intid)
      its.raise(event)
    }
    #expect(its.acknowledge(target: .pe(1)) == INTID(8193))
    #expect(its.acknowledge(target: .pe(1)) == INTID(8194))
    #expect(its.acknowledge(target: .pe(1)) == INTID(8195))
    #expect(its.acknowledge(target: .pe(1)) == .spurious, "8192 is disabled")
    #expect(its.isPending(.pe(1), 8192))
  }

  @Test func priorityHasSixBits() {
    #expect(LPIConfiguration(byte: 0xFF).priority == 0xFC)
    #expect(LPIConfiguration(priority: 0xA3, enabled: true).byte == 0xA3)
    #expect(LPIConfiguration(priority: 0xA0, enabled: false).byte == 0xA2)
    #expect(LPIConfiguration.linuxDefault.byte == 0xA3)
  }

  @Test func enabledByDefaultCountsOnlyBytesThatNobodyStored() {
    var its = mappedITS()
    its.mapPhysical(0, to: 8192)
    its.storeConfiguration(.pe(1), INTID(8192), 0xA2)
    #expect(its.raise(0).outcome == .masked)
    its.mapPhysical(1, to: 8193)
    #expect(its.raise(1).outcome == .delivered)
  }

  @Test func registersOfDirectLPIsReachTheSamePendingTable() {
    var its = mappedITS()
    its.writeRedistributor(0, offset: Redistributor.Register.setlpir, value: 8192)
    #expect(its.isPending(.pe(0), 8192))
    its.writeRedistributor(0, offset: Redistributor.Register.clrlpir, value: 8192)
    #expect(its.pendingBits.isEmpty)
    its.storeConfiguration(.pe(0), INTID(8192), 0xA2)
    its.writeRedistributor(0, offset: Redistributor.Register.setlpir, value: 8192)
    #expect(its.highestPriorityPending(.pe(0)) == INTID(8192), "the old byte is cached")
    its.writeRedistributor(0, offset: Redistributor.Register.invlpir, value: 8192)
    #expect(its.highestPriorityPending(.pe(0)) == nil)
    its.storeConfiguration(.pe(0), INTID(8192), 0xA3)
    its.writeRedistributor(0, offset: Redistributor.Register.invallr, value: 0)
    #expect(its.highestPriorityPending(.pe(0)) == INTID(8192))
  }

  // The trace's side.

  @Test func eventsOfATraceDoWhatTheCallsDo() {
    var byCall = mappedITS()
    byCall.mapPhysical(0, to: 8192)
    byCall.raise(0)
    byCall.acknowledge(target: .pe(1), intid: INTID(8192))

    var byEvent = ITS.provisioned(
      .init(peCount: 2), policy: .specification.forRecordings())
    for command in [
      ITSCommand.mapc(icid: 0, rdBase: 1, valid: true), .mapc(icid: 1, rdBase: 0, valid: true),
      .mapd(device, size: 1, ittAddress: 0x4000_0000, valid: true),
      .mapti(device, EventID(0), pINTID: INTID(8192), icid: 0),
    ] {
      let p = command.packet
      byEvent.apply(.itsCommand(time: 0, p.dw0, p.dw1, p.dw2, p.dw3))
    }
    #expect(byEvent.mappings == byCall.mappings)
    #expect(byEvent.collections.map(\.processor) == [1, 0])
    byEvent.raise(0)
    #expect(byEvent.isPending(.pe(1), 8192))
    byEvent.apply(.acknowledge(time: 1, target: .pe(1), intid: 8192))
    #expect(byEvent.pendingBits.isEmpty)
    byEvent.apply(.endOfInterrupt(time: 2, target: .pe(1), intid: 8192))
    #expect(byEvent.pendingBits.isEmpty)
  }

  @Test func registerAndConfigurationEventsReachTheRegisters() {
    var its = mappedITS(policy: .specification)
    its.mapPhysical(0, to: 8192)
    its.apply(
      TraceEvent(
        time: 0, kind: .lpiConfiguration, word1: 0xA3, word3: 8192 << 32, target: .pe(1)))
    #expect(its.raise(0).outcome == .delivered)
    its.apply(
      TraceEvent(time: 1, kind: .redistributorWrite, word0: 0, word1: 0, word3: 4, target: .pe(1)))
    #expect(its.raise(0).outcome == .lpisDisabled)
    its.apply(TraceEvent(time: 2, kind: .itsRegisterWrite, word0: 0, word1: 0, word3: 4))
    #expect(its.raise(0).outcome == .itsDisabled)
  }

  /// A reset and a driver's set-up as a recording holds them: the tables stay the model's own.
  @Test func aProvisionedITSKeepsItsTablesThroughARecordedSetUp() {
    var its = mappedITS()
    its.mapPhysical(0, to: 8192)
    func register(_ offset: UInt64, _ value: UInt64, _ kind: EventKind = .itsRegisterWrite)
      -> TraceEvent
    {
      TraceEvent(time: 0, kind: kind, word0: offset, word1: value, word3: 8, target: .pe(1))
    }
    for event in [
      register(0, 0), register(0x100, 0xF907_0000_4259_0600), register(0x80, 0xB800_0000_4258_040F),
      register(0, 1), register(0x88, 0x40), register(0, 0, .redistributorWrite),
      register(0x70, 0x425C_078F, .redistributorWrite),
      register(0x78, 0x425D_0780, .redistributorWrite), register(0, 1, .redistributorWrite),
    ] {
      its.apply(event)
    }
    #expect(its.errors.isEmpty, "no command was read from a queue that nobody filled")
    #expect(its.raise(0).outcome == .delivered && its.mappings.count == 1)
  }

  @Test func aCopyIsASnapshot() {
    var its = mappedITS()
    its.mapPhysical(0, to: 8192)
    let before = its
    its.raise(0)
    its.execute(.discard(device, EventID(0)))
    #expect(before.mappings.count == 1 && before.pendingBits.isEmpty && its.mappings.isEmpty)
  }
}
