import EventModel
import Measurement
import PipelineRaces
import Replay
import Testing

/// The threads of a paced run. Nothing here depends on how long anything takes.
@Suite(.serialized) struct PacedExperimentTests {
  private static func options(
    _ interrupts: UInt64, hops: Int = 1, capacity: Int = 16_384
  ) -> PacedExperiment.Options {
    var options = PacedExperiment.Options()
    options.loop.arrivals = .fixed(perSecond: 20_000)
    options.loop.nanoseconds = interrupts * 50_000
    options.loop.warmUpNanoseconds = 50_000
    options.loop.drainNanoseconds = 20_000_000_000
    options.ringCapacity = capacity
    options.eventfdHops = hops
    return options
  }

  /// Through the ring, one eventfd, and two; also where a ring holds a single interrupt.
  @Test(arguments: [
    (false, 1, 16_384), (false, 1, 1), (true, 1, 16_384), (true, 1, 1), (true, 2, 2),
  ])
  func everyInterruptEndsOnce(eventfd: Bool, hops: Int, capacity: Int) throws {
    var backend = ToyBackend(eventfd: eventfd)
    let events = toyTrace(rounds: 8)
    let result = try PacedExperiment(events, Self.options(400, hops: hops, capacity: capacity))
      .run(through: &backend)
    #expect(result.account.offered == 400 && result.account.isConserved && result.unended == 0)
    #expect(result.account.lost == 0 && result.account.taken > 0)
    #expect(backend.counters.interruptsOffered == 400)
    #expect(result.lag.count == 399)
    #expect(result.response.count <= result.account.taken && result.response.count > 0)
    #expect(result.stageSet == (eventfd ? [.waits, .eventfd] : .waits))
    for (_, stages) in result.atPercentile {
      #expect(stages.total == DeliveryStages.all.reduce(0) { $0 + stages[keyPath: $1.path] })
      #expect((stages.wakeUp > 0) == eventfd && stages.smmu == 0)
    }
  }

  /// The design sees the events of the trace in their order, whatever the threads do: an interrupt never
  /// passes the DMA that it announces.
  @Test(arguments: [false, true]) func theOrderIsThatOfTheTrace(eventfd: Bool) throws {
    let events = toyTrace(rounds: 5, acknowledged: false)
    var backend = ToyBackend(eventfd: eventfd, keepsLog: true)
    let result = try PacedExperiment(events, Self.options(60)).run(through: &backend)
    #expect(result.account.offered == 60)
    let seen = backend.log.filter { $0 != .acknowledge && $0 != .msi }
    var expected: [EventKind] = []
    while expected.count < seen.count {
      expected += events.map(\.kind).filter { $0 != .msi }
    }
    #expect(seen == Array(expected.prefix(seen.count)))
    // Each interrupt follows the DMA before it (with an eventfd it may be injected later still).
    guard !eventfd else { return }
    let order = backend.log.filter { $0 == .dma || $0 == .msi }
    for index in order.indices where order[index] == .msi {
      #expect(order[max(0, index - 3)..<index].allSatisfy { $0 == .dma })
    }
  }

  /// A busy host may send all interrupts of a run before the guest has taken what they met: then none is
  /// taken, and the run is made again. A vector that stays silent is silent in every run.
  @Test func interruptFoundPendingIsCountedAndDoesNotSilenceTheVector() throws {
    for eventfd in [false, true] {
      let events = toyTrace(rounds: 4, devices: 1)
      var taken: UInt64 = 0
      for _ in 0..<100 where taken == 0 {
        var backend = ToyBackend(eventfd: eventfd)
        _ = backend.translate(try #require(events.first { $0.kind == .msi }))
        let result = try PacedExperiment(events, Self.options(50)).run(through: &backend)
        #expect(result.account.coalesced >= 1 && result.account.isConserved)
        taken = result.account.taken
      }
      #expect(taken >= 1)
    }
  }

  @Test func lostAndMaskedInterruptsAreCountedAndNotRecorded() throws {
    var events = toyTrace(rounds: 2)
    events.append(.msi(time: 99, streamID: 1, deviceID: 1, address: 0, data: 0xDEAD))
    events.insert(TraceEvent(time: 0, kind: .lpiConfiguration, word3: 8193 << 32), at: 0)
    for eventfd in [false, true] {
      var backend = ToyBackend(eventfd: eventfd)
      let result = try PacedExperiment(events, Self.options(30)).run(through: &backend)
      #expect(result.account.lost == 10 && result.account.masked == 10)
      #expect(result.account.taken + result.account.coalesced == 10 && result.account.isConserved)
    }
  }

  @Test func allocationsWhileMeasuringAreAReasonNotToBelieveARun() throws {
    var backend = ToyBackend()
    var result = try PacedExperiment(toyTrace(rounds: 4), Self.options(20)).run(through: &backend)
    result.allocations = 0
    #expect(result.allocationReason == nil)
    result.allocations = nil
    #expect(result.allocationReason == nil)
    result.allocations = 3
    #expect(result.allocationReason?.hasPrefix("3 allocations between the first") == true)
  }

  @Test func traceWithoutInterruptsSaysSo() {
    var backend = ToyBackend()
    #expect {
      _ = try PacedExperiment(toyTrace(rounds: 2).filter { $0.kind != .msi }, Self.options(5))
        .run(through: &backend)
    } throws: { "\($0)".contains("no interrupt that is delivered") }
  }

  @Test(arguments: PacingWait.allCases) func everyWaitKeepsTheSchedule(wait: PacingWait) throws {
    var options = Self.options(40)
    options.loop.wait = wait
    options.loop.arrivals = .fixed(perSecond: 2_000)
    options.loop.nanoseconds = 20_000_000
    var backend = ToyBackend()
    let result = try PacedExperiment(toyTrace(rounds: 4), options).run(through: &backend)
    #expect(result.account.offered == 40 && result.account.isConserved)
    // The schedule is kept to the nearest tick, and a duration is rounded down to a whole nanosecond.
    let tick = UInt64(1e9 / CycleClock.shared.ticksPerSecond) + 1
    #expect((19_500_000 - tick...19_500_000).contains(result.nanoseconds))
  }
}
