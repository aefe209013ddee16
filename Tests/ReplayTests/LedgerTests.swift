import EventModel
import Replay
import TestSupport
import Testing

@Suite struct LedgerTests {
  static func msi(_ device: UInt32, vector: UInt16, data: UInt32 = 0) -> TraceEvent {
    .msi(time: 0, streamID: 0, deviceID: device, address: 0, data: data, vector: vector)
  }

  static let ends: [OutcomeClass] = [
    .delivered, .coalesced, .masked, .unmappedDevice, .eventIDOutOfRange, .noRoute,
    .smmuFault(0x10),
  ]

  static func entries(_ count: Int, seed: UInt64) -> [(TraceEvent, OutcomeClass)] {
    var random = SeededGenerator(seed: seed)
    return (0..<count).map { _ in
      (
        msi(UInt32.random(in: 0..<5, using: &random), vector: .random(in: 0..<8, using: &random)),
        ends.randomElement(using: &random)!
      )
    }
  }

  static func ledger(_ entries: [(TraceEvent, OutcomeClass)], limit: Int = 65_536) -> Ledger {
    var ledger = Ledger(vectorLimit: limit)
    for (event, outcome) in entries { ledger.enter(event, outcome) }
    return ledger
  }

  @Test func everyEndOfAnInterruptIsCountedOnceInTotalAndForItsVector() {
    var ledger = Ledger()
    for (index, end) in Self.ends.enumerated() {
      ledger.enter(Self.msi(3, vector: UInt16(index % 2)), end)
    }
    #expect(ledger.isConserved && ledger.total.offered == 7)
    #expect(ledger.total.delivered == 1 && ledger.total.coalesced == 1 && ledger.total.masked == 1)
    #expect(ledger.total.lostTotal == 4)
    #expect(
      ledger.total.lost.map(\.outcome) == [
        .unmappedDevice, .eventIDOutOfRange, .noRoute, .smmuFault(0x10),
      ])
    #expect(ledger.vectors.values.map(\.offered).sorted() == [3, 4])
  }

  @Test(arguments: [OutcomeClass.translated, .notRecorded])
  func answerThatIsNoEndOfAnInterruptBreaksTheAccount(outcome: OutcomeClass) {
    var ledger = Ledger()
    ledger.enter(Self.msi(1, vector: 1), .delivered)
    #expect(ledger.isConserved)
    ledger.enter(Self.msi(1, vector: 1), outcome)
    #expect(!ledger.isConserved)
    var tally = PassTally()
    tally.addInterrupt(Outcome(outcome: .delivered))
    #expect(tally.isConserved)
    tally.addInterrupt(Outcome(outcome: outcome))
    #expect(!tally.isConserved)
  }

  @Test func unknownVectorIsKeptByItsEventIDApartFromVectorsOfThatNumber() {
    var ledger = Ledger()
    ledger.enter(Self.msi(1, vector: 7), .delivered)
    ledger.enter(Self.msi(1, vector: TraceEvent.unknownVector, data: 7), .delivered)
    ledger.enter(Self.msi(1, vector: TraceEvent.unknownVector, data: 0x8000_0007), .delivered)
    #expect(ledger.vectors.count == 3)
  }

  /// Every limit from 1 to more than there are vectors, every split of the entries in three.
  @Test(arguments: 1...45)
  func mergeIsExactAndInAnyOrderTheSame(limit: Int) {
    let entries = Self.entries(600, seed: UInt64(limit))
    let whole = Self.ledger(entries, limit: limit)
    let parts = (0..<3).map { part in
      Self.ledger(
        entries.enumerated().filter { $0.offset % 3 == part }.map(\.element), limit: limit)
    }
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
      var merged = Ledger(vectorLimit: limit)
      for part in order { merged.merge(parts[part]) }
      #expect(merged.isConserved && merged.total == whole.total)
      #expect(merged.vectors == whole.vectors && merged.others == whole.others)
    }
    #expect(whole.vectors.count == min(limit, 40))
    #expect(Self.ledger(entries.reversed(), limit: limit).vectors == whole.vectors)
  }
}
