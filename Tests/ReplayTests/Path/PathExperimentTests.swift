import EventModel
import Measurement
import PipelineRaces
import Replay
import Testing

/// Serialised: each run has threads of its own that want the CPUs.
@Suite(.serialized) struct PathExperimentTests {
  private static func options(_ interrupts: Int, warmUp: Int = 3, hops: Int = 1)
    -> PathExperiment.Options
  {
    var options = PathExperiment.Options()
    options.interrupts = interrupts
    options.warmUpInterrupts = warmUp
    options.eventfdHops = hops
    return options
  }

  /// Through the ring, one eventfd, and two.
  @Test(arguments: [(false, 1), (true, 1), (true, 2)])
  func everyInterruptIsTakenOnce(eventfd: Bool, hops: Int) throws {
    var backend = ToyBackend(eventfd: eventfd)
    let path = PathExperiment(toyTrace(rounds: 8), Self.options(40, hops: hops))
    let result = try path.run(through: &backend)
    #expect(result.total.count == 40 && result.roundTrip.count == 40)
    #expect(result.account.offered == 43 && result.account.taken == 43)
    #expect(result.account.isConserved && backend.counters.interruptsOffered == 43)
    // Two threads and one for each eventfd; each that has no CPU of its own says so.
    let cpus = ThreadPlacement.allowedCPUs.count
    let threads = 2 + (eventfd ? hops : 0)
    #expect(result.placement.count == (cpus == 1 ? threads : max(0, threads - cpus)))
    #expect(result.stageSet == (eventfd ? .eventfd : []))
    #expect(result.atPercentile.map(\.percent) == [50, 99, 99.9])
    for (_, stages) in result.atPercentile {
      #expect(stages.total == DeliveryStages.all.reduce(0) { $0 + stages[keyPath: $1.path] })
      #expect((stages.wakeUp > 0) == eventfd && stages.decodeWait == 0 && stages.ringWait == 0)
      #expect(stages.total <= result.total.maximum && stages.total >= result.total.minimum)
    }
    #expect(result.atPercentile[2].stages.total == result.total.maximum)
  }

  @Test func lostInterruptsAreCountedAndNotMeasured() throws {
    var events = toyTrace(rounds: 2)
    events.append(.msi(time: 99, streamID: 1, deviceID: 1, address: 0, data: 0xDEAD))
    for eventfd in [false, true] {
      var backend = ToyBackend(eventfd: eventfd)
      let result = try PathExperiment(events, Self.options(10, warmUp: 0)).run(through: &backend)
      #expect(result.total.count == 10 && result.account.taken == 10 && result.lost == 4)
      #expect(result.account.isConserved)
    }
  }

  /// The first interrupt of vector 8192 is pending from before; it must not silence the vector.
  @Test func interruptFoundPendingIsClearedAndTheNextOneIsTaken() throws {
    let events = toyTrace(rounds: 4, devices: 1)
    for eventfd in [false, true] {
      var backend = ToyBackend(eventfd: eventfd)
      _ = backend.translate(try #require(events.first { $0.kind == .msi }))
      let result = try PathExperiment(events, Self.options(6, warmUp: 0)).run(through: &backend)
      #expect(result.coalesced == 1 && result.account.taken == 6 && result.account.isConserved)
    }
  }

  @Test func maskedInterruptsAreNeitherTakenNorLost() throws {
    var events = toyTrace(rounds: 4)
    events.insert(TraceEvent(time: 0, kind: .lpiConfiguration, word3: 8193 << 32), at: 0)
    var backend = ToyBackend()
    let result = try PathExperiment(events, Self.options(4, warmUp: 0)).run(through: &backend)
    #expect(result.account.masked == 3 && result.account.taken == 4 && result.lost == 0)
    #expect(result.account.isConserved)
  }

  @Test func answerThatIsNoEndOfAnInterruptBreaksTheAccount() throws {
    var backend = ToyBackend(flaw: .unconserved, at: 8)
    let events = toyTrace(rounds: 4)
    let result = try PathExperiment(events, Self.options(100, warmUp: 0)).run(through: &backend)
    #expect(result.account.taken == 2 && !result.account.isConserved)
  }

  @Test(arguments: [false, true])
  func traceWithoutInterruptsEndsWithAnErrorThatSaysSo(eventfd: Bool) {
    let lost = TraceEvent.msi(time: 0, streamID: 1, deviceID: 1, address: 0, data: 0xDEAD)
    for events in [[], [lost], toyTrace(rounds: 2).filter { $0.kind != .msi }] {
      var backend = ToyBackend(eventfd: eventfd)
      let path = PathExperiment(events, Self.options(5))
      #expect {
        _ = try path.run(through: &backend)
      } throws: { "\($0)".contains("no interrupt that is delivered") }
    }
  }

  @Test func limitEndsTheRunWithWhatWasMeasured() throws {
    var options = Self.options(1_000_000, warmUp: 0)
    options.limitNanoseconds = 20_000_000
    var backend = ToyBackend()
    let result = try PathExperiment(toyTrace(rounds: 4), options).run(through: &backend)
    #expect(result.total.count > 0 && result.total.count < 1_000_000)
    #expect(result.account.isConserved)
  }

  /// On a host that wakes nobody for milliseconds; it used to end as if the trace held no interrupt.
  @Test func warmingUpLeavesTimeToMeasure() throws {
    var options = Self.options(1_000_000, warmUp: 1_000_000_000)
    options.limitNanoseconds = 20_000_000
    var backend = ToyBackend()
    let result = try PathExperiment(toyTrace(rounds: 4), options).run(through: &backend)
    #expect(result.total.count > 0 && result.account.isConserved)
  }
}
