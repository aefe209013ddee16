import EventModel
import PipelineRaces
import Replay
import Testing

@Suite struct EqualityCheckTests {
  private func check(
    _ events: [TraceEvent], flaw: ToyBackend.Flaw = .none, at: UInt64 = 0, eventfd: Bool = false,
    delivery: EqualityCheck.Delivery = .whole, silentOracle: Bool = false
  ) -> EqualityCheck {
    var oracle = ToyOracle()
    oracle.isSilent = silentOracle
    var backend = ToyBackend(flaw: flaw, at: at, eventfd: eventfd)
    return EqualityCheck(events, oracle: &oracle, backend: &backend, delivery: delivery)
  }

  @Test func rightBackendConformsAndEveryAccessIsCompared() {
    let events = toyTrace(rounds: 12)
    let result = check(events)
    #expect(result.conforms && result.firstDifference == nil)
    #expect(result.accessesCompared == 12 * 4 && result.interruptsCompared == 12)
    #expect(result.events == UInt64(events.count) && result.setUpEvents == 2 + 3)
    #expect(result.setUpCounters.itsCommands == 5 && result.setUpCounters.accesses == 0)
    #expect(result.deliveryCounters.accesses == 48 && result.deliveryCounters.smmuCommands == 24)
    #expect(result.deliveryCounters.itsCommands == 0)
    #expect(result.tally.isConserved && result.tally.interrupts == 12)
  }

  /// Each flaw, at each access of a short trace: found exactly where it first shows.
  @Test(
    arguments: [
      .wrongAddress, .wrongINTID, .wrongTarget, .losesInterrupts, .inventsFault, .unconserved,
    ] as [ToyBackend.Flaw])
  func firstDifferenceIsTheFirstAccessThatTheFlawTouches(flaw: ToyBackend.Flaw) throws {
    let events = toyTrace(rounds: 3)
    let accesses = events.indices.filter { events[$0].kind.isAccess }
    let concernsDMA = flaw == .wrongAddress || flaw == .inventsFault
    for start in accesses.indices {
      let expected = accesses[start...].first { (events[$0].kind == .dma) == concernsDMA }
      let result = check(events, flaw: flaw, at: UInt64(start))
      guard let expected else {
        #expect(result.conforms)
        continue
      }
      let difference = try #require(result.firstDifference)
      #expect(difference.ordinal == UInt64(expected) && difference.event == events[expected])
      #expect(difference.expected != difference.found && !result.conforms)
      #expect(difference.description.contains("toy table of device"))
      #expect(difference.description.contains("reference model"))
    }
  }

  @Test func lossOnBothSidesAgreesWhateverItsClass() {
    let lost = TraceEvent.msi(time: 0, streamID: 1, deviceID: 1, address: 0, data: 0xDEAD)
    let result = check([lost], flaw: .losesInterrupts)
    #expect(result.conforms && result.ledger.total.lostTotal == 1)
  }

  @Test func interruptInHalvesMustBeTheSameInterrupt() {
    let events = toyTrace(rounds: 4)
    for eventfd in [false, true] {
      #expect(check(events, eventfd: eventfd, delivery: .inHalves).conforms)
      #expect(check(events, flaw: .wrongInjection, eventfd: eventfd).conforms)
      let halves = check(events, flaw: .wrongInjection, eventfd: eventfd, delivery: .inHalves)
      #expect(halves.differences == 4)
    }
  }

  @Test func oracleWithoutAnAnswerIsADifference() {
    #expect(check(toyTrace(rounds: 1), silentOracle: true).differences == 4)
  }

  @Test func recordingThatSaysOtherwiseIsReportedApartFromTheReference() throws {
    var events = toyTrace(rounds: 2)
    let dma = try #require(events.firstIndex { $0.kind == .dma })
    events[dma].flags.insert(.addressRecorded)
    events[dma].word1 = events[dma].iova + ToyMachine.inputBase
    events[dma].outcome = .translated
    #expect(check(events).conforms && check(events).recordedCompared == 1)
    events[dma].word1 ^= 1
    let result = check(events)
    #expect(!result.conforms && result.differences == 0 && result.recordingDifferences == 1)
    let difference = try #require(result.firstRecordingDifference)
    #expect(difference.ordinal == UInt64(dma) && difference.against == "recording")
  }

  @Test func recordingDoesNotTellDeliveredFromCoalescedButTellsTheInterrupt() {
    var event = TraceEvent.msi(
      time: 0, streamID: 1, deviceID: 1, address: 0, data: 8200, expectedINTID: 8200,
      expectedTarget: .vpe(1), outcome: .delivered)
    event.flags.insert(.interruptRecorded)
    let taken = Outcome(intid: 8200, target: .vpe(1), outcome: .delivered)
    var merged = taken
    merged.outcome = .coalesced
    var other = taken
    other.intid = 8201
    #expect(EqualityCheck.agrees(event, taken) == true)
    #expect(EqualityCheck.agrees(event, merged) == true)
    #expect(EqualityCheck.agrees(event, other) == false)
    #expect(EqualityCheck.agrees(event, Outcome(outcome: .unmappedEvent)) == false)
    #expect(EqualityCheck.agrees(toyTrace(rounds: 1)[3], taken) == nil)
  }

  @Test func sourceReadInPiecesGivesTheSameProof() throws {
    let events = toyTrace(rounds: 1_500)
    let whole = check(events)
    var source = ArraySource(events)
    var oracle = ToyOracle()
    var backend = ToyBackend()
    let pieces = try EqualityCheck(reading: &source, oracle: &oracle, backend: &backend)
    #expect(events.count > 2 * 4_096 && pieces.events == whole.events)
    #expect(pieces.tally.digest == whole.tally.digest && pieces.conforms)
    #expect(pieces.deliveryCounters == whole.deliveryCounters)
  }
}
