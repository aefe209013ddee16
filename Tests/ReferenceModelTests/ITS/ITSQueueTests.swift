import EventModel
import ReferenceModel
import Testing

@Suite struct ITSQueueTests {
  private let queue: UInt64 = 0x7000_0000
  private let slotCount: UInt64 = 128

  /// One page of queue, and nothing in it.
  private func queuedITS(_ policy: ITS.Policy = .specification) -> ITS {
    var its = mappedITS(policy: policy)
    its.write(register: ITS.Register.ctlr, value: 0)
    its.write(register: ITS.Register.cbaser, value: queue | 1 << 63)
    its.write(register: ITS.Register.ctlr, value: 1)
    return its
  }

  private func store(_ packet: ITSCommandPacket, slot: UInt64, in its: inout ITS) {
    for (index, word) in packet.words.enumerated() {
      its.memory.store(word, at: queue + slot * 32 + UInt64(index) * 8)
    }
  }

  /// One slot always stays free.
  private func post(
    _ command: ITSCommand, to its: inout ITS, fits: Bool = true,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let posted = its.post(command)
    #expect(posted == fits, sourceLocation: sourceLocation)
  }

  @Test func writingCwriterExecutesWhatIsNew() {
    var its = queuedITS()
    let commands: [ITSCommand] = [
      .mapti(device, EventID(0), pINTID: INTID(8192), icid: 0), .sync(rdBase: 1),
      .mapti(device, EventID(1), pINTID: INTID(8193), icid: 0),
    ]
    for (slot, command) in commands.enumerated() {
      store(command.packet, slot: UInt64(slot), in: &its)
    }
    its.write(register: ITS.Register.cwriter, value: 2 * 32)
    #expect(its.mappings.count == 1, "the third command is beyond CWRITER")
    #expect(its.read(register: ITS.Register.creadr) == 2 * 32)
    its.write(register: ITS.Register.cwriter, value: 3 * 32)
    #expect(its.mappings.count == 2)
    #expect(its.registers.queueIsEmpty && its.read(register: ITS.Register.creadr) == 3 * 32)
  }

  @Test func theQueueWrapsAtItsEndFromEverySlot() {
    for start in 0..<slotCount {
      var its = queuedITS()
      for _ in 0..<start { post(.sync(rdBase: 0), to: &its) }
      let before = its.counters.itsCommands
      post(.mapti(device, EventID(0), pINTID: INTID(8192), icid: 0), to: &its)
      post(.mapti(device, EventID(1), pINTID: INTID(8193), icid: 0), to: &its)
      #expect(its.mappings.count == 2)
      #expect(its.counters.itsCommands == before + 2)
      #expect(its.registers.readOffset == (start + 2) % slotCount * 32)
    }
  }

  @Test func aDisabledITSLeavesTheQueueAndTakesItUpWhenEnabled() {
    var its = queuedITS()
    its.write(register: ITS.Register.ctlr, value: 0)
    for index in 0..<(slotCount - 1) {
      #expect(!its.registers.queueIsFull)
      post(.sync(rdBase: index & 1), to: &its)
    }
    #expect(its.registers.queueIsFull)
    post(.sync(rdBase: 0), to: &its, fits: false)
    let before = its.counters.itsCommands
    its.write(register: ITS.Register.ctlr, value: 1)
    #expect(its.registers.queueIsEmpty && its.counters.itsCommands == before + slotCount - 1)
  }

  @Test func anInvalidQueueIsNotRead() {
    var its = mappedITS()
    its.write(register: ITS.Register.ctlr, value: 0)
    its.write(register: ITS.Register.cbaser, value: queue)
    its.write(register: ITS.Register.ctlr, value: 1)
    let before = its.counters.itsCommands
    its.write(register: ITS.Register.cwriter, value: 64)
    #expect(its.counters.itsCommands == before && its.read(register: ITS.Register.creadr) == 0)
  }

  @Test func aCwriterBeyondTheQueueIsIgnored() {
    var its = queuedITS()
    its.write(register: ITS.Register.cwriter, value: 0x1000)
    #expect(its.read(register: ITS.Register.cwriter) == 0)
  }

  @Test func skipModePassesOverAWrongCommand() {
    var its = queuedITS()
    store(ITSCommandPacket(0x77), slot: 0, in: &its)
    store(
      ITSCommand.mapti(DeviceID(99), EventID(0), pINTID: INTID(8192), icid: 0).packet, slot: 1,
      in: &its)
    store(
      ITSCommand.mapti(device, EventID(0), pINTID: INTID(8192), icid: 0).packet, slot: 2, in: &its)
    its.write(register: ITS.Register.cwriter, value: 96)
    #expect(its.read(register: ITS.Register.creadr) == 96)
    #expect(its.mappings.count == 1)
    #expect(
      its.errors == [
        ITSError(.unknownCommand, 0x77): 1,
        ITSError(.unmappedDevice, ITSCommand.Opcode.mapti): 1,
      ])
  }

  @Test func stallModeStopsAtAWrongCommandUntilRetry() {
    var policy = ITS.Policy.specification
    policy.wrongCommand = .stall
    var its = queuedITS(policy)
    store(
      ITSCommand.mapti(DeviceID(99), EventID(0), pINTID: INTID(8192), icid: 0).packet, slot: 0,
      in: &its)
    store(
      ITSCommand.mapti(device, EventID(1), pINTID: INTID(8193), icid: 0).packet, slot: 1, in: &its)
    its.write(register: ITS.Register.cwriter, value: 64)
    #expect(its.read(register: ITS.Register.creadr) == 1, "offset 0, Stalled")
    its.write(register: ITS.Register.cwriter, value: 64)
    #expect(its.mappings.isEmpty, "without Retry nothing happens")
    its.write(register: ITS.Register.cwriter, value: 64 | 1)
    #expect(its.read(register: ITS.Register.creadr) == 1, "still wrong: stalled again")
    store(
      ITSCommand.mapti(device, EventID(0), pINTID: INTID(8192), icid: 0).packet, slot: 0, in: &its)
    its.write(register: ITS.Register.cwriter, value: 64 | 1)
    #expect(its.read(register: ITS.Register.creadr) == 64)
    #expect(its.read(register: ITS.Register.cwriter) == 64, "Retry reads as 0")
    #expect(its.mappings.count == 2)
    #expect(its.errors[ITSError(.unmappedDevice, ITSCommand.Opcode.mapti)] == 2)
  }

  @Test func aFetchThatFailsStallsOrSkips() {
    for policy in [ITS.Policy.specification, .qemu, .kvm] {
      var its = queuedITS(policy)
      store(
        ITSCommand.mapti(device, EventID(1), pINTID: INTID(8193), icid: 0).packet, slot: 1,
        in: &its)
      its.memory.inaccessible = [queue..<(queue + 32)]
      its.write(register: ITS.Register.cwriter, value: 64)
      #expect(its.errors[ITSError(.memoryAborted, 0)] == 1)
      #expect(its.registers.stalled == (policy.fetchFailure == .stall))
      #expect(its.mappings.count == (policy.fetchFailure == .stall ? 0 : 1))
      its.memory.inaccessible = []
      store(ITSCommand.sync(rdBase: 0).packet, slot: 0, in: &its)
      its.write(register: ITS.Register.cwriter, value: 64 | 1)
      #expect(!its.registers.stalled && its.mappings.count == 1)
    }
  }

  @Test func reservedBitsInTheQueueAreCountedOnly() {
    var its = queuedITS()
    var packet = ITSCommand.mapti(device, EventID(0), pINTID: INTID(8192), icid: 0).packet
    packet.dw3 = 1
    store(packet, slot: 0, in: &its)
    its.write(register: ITS.Register.cwriter, value: 32)
    #expect(its.mappings.count == 1 && its.commandsWithReservedBits == 1 && its.errors.isEmpty)
  }

  @Test func writingCbaserRewindsTheQueue() {
    var its = queuedITS()
    post(.sync(rdBase: 0), to: &its)
    its.write(register: ITS.Register.cbaser, value: 0)
    #expect(its.read(register: ITS.Register.creadr) == 32, "ignored while enabled")
    its.write(register: ITS.Register.ctlr, value: 0)
    its.write(register: ITS.Register.cbaser, value: queue | 1 << 63)
    #expect(its.read(register: ITS.Register.creadr) == 0)
    #expect(its.read(register: ITS.Register.cwriter) == 0)
  }
}
