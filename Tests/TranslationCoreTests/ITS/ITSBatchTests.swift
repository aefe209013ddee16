import EventModel
import ReferenceModel
import TestSupport
import Testing

@testable import TranslationCore

/// A batch gives what its MSIs give one by one, whatever its size and whatever is asked for ahead.
@Suite struct ITSBatchTests {
  private static func random(_ source: inout ITSEventSource) -> ITSRequest {
    let device = UInt32.random(in: 0..<64, using: &source.random)
    return ITSRequest(
      deviceID: device == 0 ? 16 : device == 1 ? .max : device % 6,
      eventID: device == 2
        ? .max : UInt32.random(in: 0..<(device == 3 ? 40 : 6), using: &source.random))
  }

  @Test(arguments: 1...8 as ClosedRange<UInt64>, [false, true])
  func batchesGiveTheSameAsOneByOne(seed: UInt64, isFar: Bool) {
    var source = ITSEventSource(seed: seed, .v4)
    var single = ITSCore(geometry: ITSPair.geometry)
    var batched = ITSCore(geometry: ITSPair.geometry, hasHugePages: isFar)
    var classes: Set<OutcomeClass> = []
    var doorbells = 0
    for _ in 0..<600 {
      for _ in 0..<8 {
        let packet = source.command()
        single.execute(packet.dw0, packet.dw1, packet.dw2, packet.dw3)
        batched.execute(packet.dw0, packet.dw1, packet.dw2, packet.dw3)
      }
      let choice = UInt64.random(in: 0..<1 << 32, using: &source.random)
      change(&single, choice)
      change(&batched, choice)
      let count = Int.random(in: 0..<150, using: &source.random)
      let requests = (0..<count).map { _ in Self.random(&source) }
      let expected = requests.map { single.translate(deviceID: $0.deviceID, eventID: $0.eventID) }
      let found = translate(&batched, requests, isFar: isFar)
      #expect(found == expected)
      classes.formUnion(expected.map(\.outcome))
      doorbells += expected.count { $0.flags & Outcome.doorbellRaised != 0 }
      for outcome in expected where outcome.intid % 3 != choice % 3 {
        single.pending.acknowledge(outcome.intid, outcome.target)
        batched.pending.acknowledge(outcome.intid, outcome.target)
      }
    }
    var (work, other) = (WorkCounters(), WorkCounters())
    single.addCounters(to: &work)
    batched.addCounters(to: &other)
    #expect(work == other)
    for isVPE in [false, true] {
      #expect(
        single.pending.exportBits(ofVPEs: isVPE) == batched.pending.exportBits(ofVPEs: isVPE))
    }
    #expect(classes.count == 12)
    #expect(doorbells > 0)
  }

  /// Residency, LPI configuration, switches of the ITS and of a redistributor.
  private func change(_ core: inout ITSCore, _ choice: UInt64) {
    let vPE = UInt16(choice >> 8 & 3)
    core.setResident(vPE, choice & 1 == 0, wantsDoorbell: choice & 2 == 0)
    core.isEnabled = choice >> 2 & 15 != 0
    core.setLPIs(enabled: choice >> 6 & 3 != 0, pe: UInt16(choice >> 16 & 1))
    let intid = 8192 + UInt32(choice >> 20 & 0x7F)
    let target: InterruptTarget = choice & 4 == 0 ? .pe(0) : .vpe(0)
    core.pending.store(configuration: choice & 8 == 0 ? 0xA0 : 0xA1, intid, target)
    core.pending.refresh(intid, target)
  }

  private func translate(
    _ core: inout ITSCore, _ requests: [ITSRequest], isFar: Bool
  ) -> [Outcome] {
    // Safety: `translateBatch` writes `count` outcomes.
    unsafe [Outcome](unsafeUninitializedCapacity: requests.count) { outcomes, count in
      count = requests.count
      guard count > 0 else { return }
      unsafe requests.withUnsafeBufferPointer {
        unsafe core.translateBatch(
          $0.baseAddress!, count: $0.count, into: outcomes.baseAddress!, isFar: isFar)
      }
    }
  }

  /// What the two bytes of an interrupt differ by is the class of the next one to arrive.
  @Test func theStatesOfAnInterruptNameItsNextClass() {
    #expect(OutcomeClass.delivered.rawValue == PendingTable.knownEnabled)
    #expect(
      OutcomeClass.coalesced.rawValue == PendingTable.knownEnabled | PendingTable.phase)
    let outcome = Outcome(
      intid: 0x1234_5678, target: .vpe(0x1ABC), outcome: .masked, flags: 0x5A)
    #expect(Outcome(interrupt: 0x5A04_9ABC_1234_5678) == outcome)
    #expect(unsafe unsafeBitCast(outcome, to: SIMD2<UInt64>.self) == [0, 0x5A04_9ABC_1234_5678])
  }

  /// A vPE whose pending table is small stays on the short way until an entry names an interrupt that
  /// it has no bit for, and such an entry is lost whether it came before or after.
  @Test func aGateClosesWhenAnEntryNamesAnInterruptBeyondThePendingTable() {
    var core = ITSCore(geometry: ITSPair.geometry)
    core.mapDevice(1, log2Events: 3, isValid: true)
    core.mapVirtualEvent(1, 0, vpe: 2, intid: 8192, doorbell: 1023)
    core.mapVPE(2, log2INTIDs: 14, isValid: true)
    var open = [core.isOpen(vPE: 2)]
    core.mapVirtualEvent(1, 1, vpe: 2, intid: 16383, doorbell: 1023)
    open.append(core.isOpen(vPE: 2))
    core.mapVPE(2, log2INTIDs: 13, isValid: true)
    open.append(core.isOpen(vPE: 2))
    let lost = core.translate(deviceID: 1, eventID: 0).outcome
    core.mapVPE(2, log2INTIDs: 14, isValid: true)
    open.append(core.isOpen(vPE: 2))
    core.setResident(2, false, wantsDoorbell: true)
    open.append(core.isOpen(vPE: 2))
    core.setResident(2, false, wantsDoorbell: false)
    open.append(core.isOpen(vPE: 2))
    core.mapVPE(2, log2INTIDs: 24, isValid: false)
    open.append(core.isOpen(vPE: 2))
    #expect(open == [true, true, false, true, false, true, false])
    #expect(lost == .intidOutOfRange)
  }
}

extension ITSCore {
  func isOpen(vPE: UInt16) -> Bool {
    // Safety: a gate for each vPEID.
    unsafe path.gates[ITSPlace.vPE(vPE)].states != 0
  }
}
