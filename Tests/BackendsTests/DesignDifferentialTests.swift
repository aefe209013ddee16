import EventModel
import Replay
import Testing

@testable import Backends
@testable import TranslationCore

/// Random guests through every design, against the reference model.
@Suite struct DesignDifferentialTests {
  @Test(arguments: Architecture.allCases, 1...4)
  func aGuestMeetsNoDifference(architecture: Architecture, seed: UInt64) {
    let guest = RandomGuest(seed: seed, steps: 700)
    for design in DesignRun.designs
    where BackendCatalogue.absence(of: design, on: architecture) == nil {
      let run = DesignRun.through(design, on: architecture, guest.script)
      let difference = run.check.firstDifference.map { "\($0)" } ?? ""
      #expect(
        run.check.differences == 0, "\(design) on \(architecture), seed \(seed): \(difference)")
      #expect(run.check.ledger.isConserved)
    }
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
