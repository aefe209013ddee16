import EventModel
import Measurement
import PipelineRaces
import Testing

@testable import Replay

@Suite struct CoreExperimentTests {
  private static var quick: CoreExperiment.Options {
    var options = CoreExperiment.Options()
    options.warmSamples = 2
    options.warmNanoseconds = 0
    options.trafficPasses = 2
    options.thrashPasses = 2
    options.thrash.blockEvents = 5
    options.thrash.blocks = 3
    options.thrash.displacedBytes = 4_096
    return options
  }

  @Test func everyEventIsCountedInItsClass() {
    let events = toyTrace(rounds: 8)
    let result = CoreExperiment(events).run(Self.quick) { ToyBackend() }
    #expect(result.setUpEvents == 2 + 2 && result.trafficEvents == 8 * 5)
    #expect(result.deliveryEvents == UInt64(events.count) - 4)
    #expect(result.cold.count == 3 && result.warm.count == 2)
    #expect(result.traffic.count == 2 && result.thrash.count == 2)
    #expect(result.isRepeatable)
    #expect(result.cold.allSatisfy { $0.tally.accesses == 32 && $0.tally.interrupts == 8 })
  }

  /// A trace of a few events gives a few thousand samples in a second, not millions.
  @Test func shortPassesAreOneSampleTogether() {
    var options = Self.quick
    options.sampleNanoseconds = 2_000_000
    let joined = CoreExperiment(toyTrace(rounds: 8)).run(options) { ToyBackend() }
    #expect(joined.isRepeatable && joined.warm.count == 2)
    for sample in joined.warm {
      #expect(sample.passes > 1 && sample.borders == sample.passes * joined.cold[0].borders)
      #expect(sample.meanDelivery == Double(sample.deliveryNanoseconds) / Double(sample.passes))
      #expect(sample.tally.accesses == 32, "the account of one pass")
    }
    options.sampleNanoseconds = 0
    let single = CoreExperiment(toyTrace(rounds: 8)).run(options) { ToyBackend() }
    #expect(single.warm.map(\.passes) == [1, 1] && single.cold.map(\.passes) == [1, 1, 1])
  }

  @Test func aPassThatDiffersWithinASampleIsFound() {
    var options = Self.quick
    options.warmSamples = 1
    options.sampleNanoseconds = 2_000_000
    (options.trafficPasses, options.thrashPasses, options.counterPasses) = (0, 0, 0)
    func run(flawAt access: UInt64) -> CoreExperiment.Result {
      CoreExperiment(toyTrace(rounds: 8)).run(options) { ToyBackend(flaw: .wrongINTID, at: access) }
    }
    // Two passes warm up, the third begins the sample; the flaw is in the fifth.
    #expect(!run(flawAt: 4 * 32).isRepeatable)
    #expect(run(flawAt: .max).isRepeatable)
  }

  @Test func theProcessorsCountersAreAskedAndCostNoRepeatability() {
    let result = CoreExperiment(toyTrace(rounds: 8)).run(Self.quick) { ToyBackend() }
    #expect(result.processorCounters.count == 4 && result.counterPasses > 0)
    #expect(result.isRepeatable)
    var options = Self.quick
    options.counterPasses = 0
    let without = CoreExperiment(toyTrace(rounds: 8)).run(options) { ToyBackend() }
    #expect(without.processorCounters.isEmpty)
  }

  @Test func digestAndWorkAreThoseOfTheEqualityCheck() {
    let events = toyTrace(rounds: 8)
    let result = CoreExperiment(events).run(Self.quick) { ToyBackend() }
    var oracle = ToyOracle()
    var backend = ToyBackend()
    let check = EqualityCheck(events, oracle: &oracle, backend: &backend)
    #expect(result.cold[0].tally.digest == check.tally.digest)
    #expect(result.coldCounters == check.setUpCounters + check.deliveryCounters)
  }

  @Test func backendThatAnswersOtherwiseEachTimeIsNotRepeatable() {
    var salt: UInt64 = 0
    let result = CoreExperiment(toyTrace(rounds: 2)).run(Self.quick) {
      salt += 1
      return ToyBackend(flaw: .unrepeatable, salt: salt)
    }
    #expect(!result.isRepeatable)
  }

  @Test func backendThatBreaksTheAccountIsNotRepeatable() {
    let result = CoreExperiment(toyTrace(rounds: 2)).run(Self.quick) {
      ToyBackend(flaw: .unconserved)
    }
    #expect(!result.isRepeatable)
  }

  @Test func thrashReplaysAllEventsAndTimesOnlyWholeBlocksOfDelivery() {
    let events = toyTrace(rounds: 8)
    let result = CoreExperiment(events).run(Self.quick) { ToyBackend() }
    for pass in result.thrash {
      #expect(pass.blocks >= 1 && pass.blocks <= 4)
      #expect(pass.events <= 5 * pass.blocks)
    }
    #expect(result.isRepeatable)
  }

  @Test func aDelayProlongsItsStageByItsShareAndNothingElse() {
    let clock = CycleClock.shared
    let begin = clock.now()
    let end = begin + 1_000
    for share in [0, 0.03, 2] {
      let delay = InjectedDelay(stage: .delivery, share: share)
      #expect(delay.prolong(from: begin, to: end, clock) >= end + UInt64(1_000 * share))
      #expect(delay.covers(.traffic) && delay.covers(.maintenance) && !delay.covers(.setUp))
    }
    #expect(InjectedDelay(stage: .setUp, share: 1).covers(.setUp))
    #expect(!InjectedDelay(stage: .setUp, share: 1).covers(.traffic))
    let events = toyTrace(rounds: 8)
    let plain = CoreExperiment(events).run(Self.quick) { ToyBackend() }
    var options = Self.quick
    options.delay = InjectedDelay(stage: .delivery, share: 5)
    let slowed = CoreExperiment(events).run(options) { ToyBackend() }
    #expect(slowed.isRepeatable && slowed.coldCounters == plain.coldCounters)
    #expect(slowed.cold[0].tally.digest == plain.cold[0].tally.digest)
  }

  @Test func noEventsGiveNoFigures() {
    let result = CoreExperiment([]).run(Self.quick) { ToyBackend() }
    #expect(result.deliveryEvents == 0 && result.setUpEvents == 0 && result.isRepeatable)
  }

  /// Every sequence of up to five events of the four classes: the stretches are in order, without
  /// gaps, of one class each, and no two neighbours could be one.
  @Test func stretchesOfEverySmallTraceCoverItWithoutMixing() {
    let kinds: [EventKind] = [.dma, .map, .itsCommand, .mark]
    for length in 0...5 {
      for code in 0..<Int(pow4(length)) {
        let events = (0..<length).map { place in
          TraceEvent(time: 0, kind: kinds[code >> (2 * place) & 3])
        }
        let fine = Stretch.cut(events)
        let coarse = Stretch.joinedByDelivery(fine)
        for stretches in [fine, coarse] {
          #expect(stretches.flatMap { Array($0.range) } == Array(events.indices))
          for (a, b) in zip(stretches, stretches.dropFirst()) { #expect(a.work != b.work) }
        }
        for stretch in fine {
          for event in events[stretch.range] {
            let work = Stretch.Work(event.kind)
            #expect(work == nil || work == stretch.work)
          }
        }
        #expect(!coarse.contains { $0.work == .maintenance })
      }
    }
  }

  private func pow4(_ exponent: Int) -> Int { 1 << (2 * exponent) }
}
