import EventModel
import PipelineRaces
import Testing

@testable import Replay

@Suite struct SetUpExperimentTests {
  private static var quick: SetUpExperiment.Options {
    var options = SetUpExperiment.Options()
    options.passes = 2
    options.repeats = 3
    return options
  }

  @Test func onlySetUpIsCounted() {
    let events = toyTrace(rounds: 8)
    let result = SetUpExperiment(events).run(Self.quick) { ToyBackend() }
    var oracle = ToyOracle()
    var backend = ToyBackend()
    let check = EqualityCheck(events, oracle: &oracle, backend: &backend)
    #expect(result.counters == check.setUpCounters)
    #expect(result.setUpEvents == check.setUpEvents)
    #expect(result.setUpNanoseconds.count == 2 && result.isRepeatable)
  }

  @Test func eachDeliveredInterruptIsRaisedAgainUpToTheLimit() {
    let events = toyTrace(rounds: 8)
    let experiment = SetUpExperiment(events)
    var oracle = ToyOracle()
    var plain = ToyBackend()
    let delivered = EqualityCheck(events, oracle: &oracle, backend: &plain).tally.delivered
    #expect(delivered > 0)
    var backend = ToyBackend()
    let repeated = experiment.repeating(Self.quick, &backend)
    #expect(UInt64(repeated.count - events.count) == delivered * 3 * 2)
    var limited = Self.quick
    limited.extraLimit = 4
    var other = ToyBackend()
    #expect(experiment.repeating(limited, &other).count == events.count + 6)
  }

  @Test func aTraceWithoutInterruptsHasNoDeliveryFigure() {
    let events = toyTrace(rounds: 8).filter { $0.kind != .msi }
    let result = SetUpExperiment(events).run(Self.quick) { ToyBackend() }
    #expect(result.deliveryNanoseconds.isEmpty)
  }
}
