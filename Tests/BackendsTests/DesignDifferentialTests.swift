import EventModel
import Replay
import Testing

@testable import Backends
@testable import TranslationCore

/// Random guests through every design, against the reference model.
@Suite struct DesignDifferentialTests {
  @Test(arguments: DesignRun.designs, 1...4)
  func aGuestMeetsNoDifference(design: Design, seed: UInt64) {
    let guest = RandomGuest(seed: seed, steps: 700)
    let run = DesignRun.through(design, guest.script)
    #expect(run.check.firstDifference == nil, "\(design), seed \(seed)")
    #expect(run.check.differences == 0)
    #expect(run.check.ledger.isConserved)
  }

  /// The guests must meet what they are there for.
  @Test func theGuestsMeetEveryKindOfOutcome() {
    var outcomes: Set<OutcomeClass> = []
    for seed in 1...4 as ClosedRange<UInt64> {
      let run = DesignRun.through(.eventfd, RandomGuest(seed: seed, steps: 700).script)
      outcomes.formUnion(run.outcomes.map(\.outcome))
    }
    #expect(
      outcomes.isSuperset(of: [
        .delivered, .coalesced, .unmappedDevice, .eventIDOutOfRange, .unmappedEvent,
        .unmappedCollection, .notADoorbell, .noRoute,
      ]))
  }
}
