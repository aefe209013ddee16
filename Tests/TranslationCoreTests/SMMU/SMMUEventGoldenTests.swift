import EventModel
import ReferenceModel
import Testing
import TranslationCore

/// Every event that the core raises, provoked, with the doublewords that IHI 0070, §7.3 draws for it.
/// F_CFG_CONFLICT and E_PAGE_REQUEST are not among them: no cache conflicts, and PRI is not modelled.
@Suite struct SMMUEventGoldenTests {
  private static let stream: UInt64 = 5 << 32
  private static let rnw: UInt64 = 1 << 35
  private static let stage2: UInt64 = 1 << 39

  /// Provokes an event; the record has to be in the answer and, unless told otherwise, in the queue.
  private func expect(
    _ words: [UInt64], _ first: Int?, _ second: Int?, isRecorded: Bool = true,
    options: (inout SMMUOptions) -> Void = { _ in },
    sourceLocation: SourceLocation = #_sourceLocation,
    _ provoke: (inout RawMachine) -> SMMUAnswer
  ) {
    var machine = RawMachine(
      first.map(RawMachine.Stage.of), second.map(RawMachine.Stage.of), options)
    let answer = provoke(&machine)
    let given = [
      answer.event.dword0, answer.event.dword1, answer.event.dword2, answer.event.dword3,
    ]
    #expect(given == words, "\(given.map(hex))", sourceLocation: sourceLocation)
    #expect(UInt64(answer.translation.fault) == words[0] & 0xFF, sourceLocation: sourceLocation)
    #expect(answer.isRecorded == isRecorded, sourceLocation: sourceLocation)
    let queued = machine.core.takeEvent()
    #expect(queued == (isRecorded ? answer.event : nil), sourceLocation: sourceLocation)
    #expect(machine.core.takeEvent() == nil, sourceLocation: sourceLocation)
    // The reference reads the record, and writes the same.
    #expect(SMMUEventRecord(words)?.dwords == words, sourceLocation: sourceLocation)
  }

  @Test func transactionsThatAreForbidden() {
    expect([Self.stream | 0x01, 0, 0x12345, 0], 3, nil) {
      $0.access(write: true, kind: .unsupported)
    }
    expect([Self.stream | 0x05, Self.rnw, 0x12345, 0], 3, nil) { $0.access(kind: .atsRequest) }
    expect([Self.stream | 0x07, Self.rnw, 0x12345, 0], 3, nil) { $0.access(kind: .atsTranslated) }
  }

  @Test func streamTables() {
    expect([0x100 << 32 | 0x02, 0, 0, 0], 3, nil) {
      $0.core.translate(SMMURequest(streamID: 0x100, address: 0, write: false))
    }
    expect([0x100 << 32 | 0x02, 0, 0, 0], 3, nil, isRecorded: false) {
      $0.registers.recordsInvalidStreamIDs = false
      $0.core.program($0.registers)
      return $0.core.translate(SMMURequest(streamID: 0x100, address: 0, write: false))
    }
    expect([Self.stream | 0x03, 0, 0, 0x1000_0140], 3, nil) {
      $0.registers.streamTableBase = 0x1000_0000
      $0.core.program($0.registers)
      return $0.access()
    }
    expect([Self.stream | 0x04, 0, 0, 0], 3, nil) {
      $0.ste.v = false
      $0.commit()
      return $0.access()
    }
  }

  @Test func substreamsAndContexts() {
    expect([Self.stream | 0x06, 0, 0, 0], 3, nil) {
      $0.ste.s1CDMax = 1
      $0.commit()
      return $0.access()
    }
    // C_BAD_SUBSTREAMID has no SSV.
    expect([Self.stream | 9 << 12 | 0x08, 0, 0, 0], 3, nil) { $0.access(substreamID: 9) }
    expect([Self.stream | 1 << 12 | 0x08, 0, 0, 0], 3, nil) {
      // A level 1 descriptor that is not valid.
      $0.ste.s1CDMax = 11
      $0.ste.s1Fmt = 2
      $0.ste.s1ContextPtr = $0.take(64)
      $0.commit()
      return $0.access(substreamID: 1)
    }
    expect([Self.stream | 0x09, 0, 0, 0x1000_0000], 3, nil) {
      $0.ste.s1ContextPtr = 0x1000_0000
      $0.commit()
      return $0.access()
    }
    expect([Self.stream | 1 << 11 | 1 << 12 | 0x0A, 0, 0, 0], 3, nil) {
      $0.ste.s1CDMax = 1
      $0.commit()
      return $0.access(substreamID: 1)
    }
  }

  @Test func walksOfStage1() {
    expect([Self.stream | 0x0B, 1 << 40 | Self.rnw, 0x12345, 0x1000_0000], 4, nil) {
      $0.cd.ttb0 = 0x1000_0000
      $0.store($0.cd.dwords, at: $0.ste.s1ContextPtr)
      return $0.access()
    }
    expect([Self.stream | 0x10, 2 << 40 | Self.rnw, 0x99_0008, 0], 4, nil) {
      $0.access(0x99_0008)
    }
    expect([Self.stream | 0x11, 2 << 40 | Self.rnw, 1 << 50, 0], nil, nil) { $0.access(1 << 50) }
    expect([Self.stream | 0x12, 2 << 40 | Self.rnw, 0x7_0004, 0], 2, nil) {
      $0.map(0x7_0000, 0x5000_0000, attributes: 0xB44)
      return $0.access(0x7_0004)
    }
    expect([Self.stream | 0x13, 2 << 40, 0x7_0004, 0], 2, nil) {
      $0.map(0x7_0000, 0x5000_0000, attributes: 0xFC4)
      return $0.access(0x7_0004, write: true)
    }
  }

  @Test func walksOfStage2() {
    expect(
      [Self.stream | 0x10, 2 << 40 | Self.stage2 | Self.rnw, 0x7_0004, 0x90_0000], 3, 3
    ) {
      $0.map(0x7_0000, 0x90_0000)
      return $0.access(0x7_0004)
    }
    // TTRnW: it was a read of a descriptor that stage 2 refused.
    expect(
      [Self.stream | 0x13, 1 << 44 | 1 << 40 | Self.stage2, 0x12345, 0x18_0000], 3, 3
    ) {
      #expect($0.cd.ttb0 == 0x18_0000)
      $0.mapStage2(0x18_0000, RawMachine.base + 0x18_0000, attributes: 0x7BC)
      return $0.access(write: true)
    }
    expect([Self.stream | 0x12, Self.stage2 | Self.rnw, 0x12345, 0x17_0000], 3, 3) {
      #expect($0.ste.s1ContextPtr == 0x17_0000)
      $0.mapStage2(0x17_0000, RawMachine.base + 0x17_0000, attributes: 0x3FC)
      return $0.access()
    }
    expect([Self.stream | 0x11, 2 << 40 | Self.stage2 | Self.rnw, 0x12345, 0x60_0000], 3, 3) {
      $0.ste.s2PS = 2
      $0.commit()
      $0.mapStage2(0x60_0000, 1 << 41)
      return $0.access()
    }
  }

  @Test func stallsAndSuppressedRecords() {
    expect([Self.stream | 0x10, 2 << 40 | Self.rnw | 1 << 31, 0, 0], 3, nil) {
      $0.cd.s = true
      $0.store($0.cd.dwords, at: $0.ste.s1ContextPtr)
      let answer = $0.access(0)
      #expect(answer.termination == .stalled && $0.core.stalled(0)?.address == 0)
      $0.core.command(0x0000_0005_0000_2044, 0)
      #expect($0.core.stallEnd(0) == .aborted && $0.core.stalledCount == 0)
      return answer
    }
    expect([Self.stream | 0x10, 2 << 40 | Self.rnw, 0, 0], 3, nil, isRecorded: false) {
      $0.cd.r = false
      $0.cd.a = false
      $0.store($0.cd.dwords, at: $0.ste.s1ContextPtr)
      let answer = $0.access(0)
      #expect(answer.termination == .readZeroWriteIgnored)
      return answer
    }
  }

  /// A block takes the place of a table, and software forgets to say so.
  @Test(arguments: [false, true])
  func twoEntriesForOneAddressConflict(_ isReported: Bool) {
    var machine = RawMachine(.of(2), nil) {
      $0.reportsConflicts = isReported
      $0.walkCacheEntries = 0
    }
    _ = machine.access()
    // Level 2 is the start: its first descriptor becomes a block at the same place.
    machine.store([0x8_0000_0F45], at: machine.cd.ttb0)
    #expect(machine.access(0x1000).translation.address == 0x8_0000_1000)
    let answer = machine.access()
    guard isReported else {
      #expect([0x8_0001_2345, 0x9_0000_0345].contains(answer.translation.address))
      return
    }
    #expect(answer.translation.fault == SMMUEvent.tlbConflict)
    #expect(answer.event.dword0 == Self.stream | 0x20)
    #expect(answer.event.dword1 == 2 << 40 | Self.rnw && answer.event.dword2 == 0x12345)
  }

  @Test func aFullQueueLosesWhatComes() {
    var machine = RawMachine(.of(3), nil) { $0.eventQueueLog2 = 1 }
    for _ in 0..<3 { _ = machine.access(0) }
    #expect(machine.core.eventsLost == 1)
    #expect(machine.core.takeEvent() != nil)
    _ = machine.access(0)
    #expect(machine.core.eventsLost == 1)
  }
}
