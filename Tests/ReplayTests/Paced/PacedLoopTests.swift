import EventModel
import Measurement
import Replay
import Testing

/// The open loop under a simulated clock: every figure is known beforehand.
@Suite struct PacedLoopTests {
  private static func options(
    milliseconds: UInt64 = 1_000, rate: UInt64, warmUp: UInt64 = 0
  ) -> PacedLoop.Options {
    var options = PacedLoop.Options()
    options.arrivals = .fixed(perSecond: rate)
    options.nanoseconds = milliseconds * 1_000_000
    options.warmUpNanoseconds = warmUp
    return options
  }

  private static func run(
    _ options: PacedLoop.Options, _ clock: SimulatedClock, _ server: inout SimulatedServer
  ) -> PacedResult {
    PacedLoop.run(
      ArrivalSchedule(options.arrivals, recorded: [0]), options, clock: clock, port: &server)
  }

  /// The loop that must not be trusted: the next interrupt waits for the one before.
  private static func closedLoop(
    _ count: Int, _ clock: SimulatedClock, _ server: inout SimulatedServer
  ) -> LatencyHistogram {
    var times = LatencyHistogram()
    for _ in 0..<count {
      let start = clock.now()
      _ = server.send(intended: start, sent: start)
      while true {
        if let end = server.receive() {
          times.record(end.stamps.acknowledged - start)
          break
        }
        clock.pause(.spin)
      }
    }
    return times
  }

  /// A design that takes 1 µs, and 2 ms for every 1,000th interrupt; interrupts every 10 µs.
  ///
  /// While it stalls, one interrupt in 10 µs arrives, and each that follows the stalled one has waited 9 µs
  /// less (it came 10 µs later and is served 1 µs later). So of 1,000 interrupts the k-th slowest has a
  /// response of 2 ms − k × 9 µs: 1.91 ms at p99, 1.1 ms at p90, and 221 of them are above 10 µs. A closed
  /// loop sends nothing while the design stalls: one time in 1,000 is long, and p99 is 1 µs.
  @Test func aStallIsSeenByEveryInterruptThatItDelaysAndNotByANaiveLoop() throws {
    let stall: UInt64 = 2_000_000
    func service(_ ordinal: UInt64) -> UInt64 { ordinal % 1_000 == 500 ? stall : 1_000 }

    let clock = SimulatedClock()
    var server = SimulatedServer(clock, service: service)
    let open = Self.run(Self.options(milliseconds: 100, rate: 100_000), clock, &server)
    #expect(open.response.count == 10_000 && open.account.taken == 10_000)
    #expect(open.voidReason == nil)
    func expect(_ percent: Double, _ nanoseconds: Double) {
      let found = Double(open.response.percentile(percent))
      // 0.1 % of the histogram, and what the loop adds to a send: a step of waiting.
      #expect(abs(found - nanoseconds) < nanoseconds * 0.002 + 200, "p\(percent): \(found)")
    }
    expect(99.9, 2_000_000 - 1 * 9_000)
    expect(99, 2_000_000 - 10 * 9_000)
    expect(90, 2_000_000 - 100 * 9_000)
    expect(80, 2_000_000 - 200 * 9_000)
    expect(50, 1_000)
    let long = open.response.buckets.filter { $0.value > 10_000 }.reduce(0) { $0 + $1.count }
    #expect(long == 222 * 10)

    let other = SimulatedClock()
    var again = SimulatedServer(other, service: service)
    let naive = Self.closedLoop(10_000, other, &again)
    #expect(naive.percentile(50) == 1_000 && naive.percentile(99) == 1_000)
    #expect(naive.buckets.filter { $0.value > 10_000 }.reduce(0) { $0 + $1.count } == 10)
    #expect(naive.maximum == stall)
  }

  /// The sender oversleeps: that is lag and response, and none of the service.
  @Test func latenessOfTheSenderIsLagAndVoidsTheRunAboveItsBudget() {
    for (late, isVoid) in [(40_000, false), (60_000, true)] as [(UInt64, Bool)] {
      let clock = SimulatedClock()
      clock.lateness = [0, 0, 0, late]
      var server = SimulatedServer(clock) { _ in 1_000 }
      let result = Self.run(Self.options(milliseconds: 100, rate: 10_000), clock, &server)
      #expect(result.response.count == 1_000)
      #expect(result.lag.maximum >= late && result.lag.maximum < late + 10)
      #expect(result.service.maximum == 1_000)
      #expect(result.response.maximum >= late + 1_000 && result.response.percentile(50) < 1_110)
      #expect((result.voidReason != nil) == isVoid)
      if isVoid { #expect(result.voidReason!.contains("--lag-budget")) }
    }
  }

  /// A hundred late starts in a row do not move the ones behind them.
  @Test func errorsNeverAddUp() {
    let clock = SimulatedClock(reading: 7)
    clock.lateness = [900]
    var server = SimulatedServer(clock) { _ in 100 }
    let result = Self.run(Self.options(rate: 1_000), clock, &server)
    #expect(result.nanoseconds == 999_000_000)
    #expect(result.lag.maximum < 920 && result.lag.minimum >= 900)
    #expect(abs(result.sentPerSecond - 1_000) < 1e-6)
  }

  @Test func theWarmUpIsCountedAndNotRecorded() {
    let clock = SimulatedClock()
    var server = SimulatedServer(clock) { $0 < 100 ? 50_000 : 500 }
    server.outcome = { $0 % 10 == 3 ? .coalesced : $0 % 10 == 4 ? .unmappedEvent : .delivered }
    let result = Self.run(Self.options(rate: 1_000, warmUp: 100_000_000), clock, &server)
    #expect(result.account.offered == 1_000 && result.account.isConserved)
    #expect(result.account.taken == 800 && result.account.coalesced == 100)
    #expect(result.account.lost == 100)
    #expect(result.response.count == 720 && result.lag.count == 900)
    #expect(result.response.maximum < 610)
  }

  /// With room for four interrupts in flight and a design slower than the schedule, the sender has to
  /// wait: it says so as lag, and the response goes on growing.
  @Test func aFullRingMakesTheSenderLate() {
    let clock = SimulatedClock()
    var server = SimulatedServer(clock) { _ in 20_000 }
    server.room = 4
    let result = Self.run(Self.options(milliseconds: 20, rate: 100_000), clock, &server)
    #expect(result.response.count == 2_000)
    #expect(result.lag.maximum > 19_000_000 && result.voidReason != nil)
    #expect(result.service.maximum <= 5 * 20_000 + 100)
  }

  @Test func whatNeverEndsVoidsTheRun() {
    let clock = SimulatedClock()
    var server = SimulatedServer(clock) { $0 == 5 ? 1 << 50 : 10 }
    var options = Self.options(milliseconds: 100, rate: 1_000)
    options.drainNanoseconds = 20_000_000
    let result = Self.run(options, clock, &server)
    #expect(result.unended == 95)
    #expect(result.voidReason?.contains("95 interrupts were sent and never ended") == true)
  }

  @Test func theSameRunGivesTheSameTicks() {
    func once(seed: UInt64) -> PacedResult {
      let clock = SimulatedClock(reading: 3)
      var options = Self.options(rate: 1)
      options.arrivals = .poisson(perSecond: 200_000, seed: seed)
      options.nanoseconds = 10_000_000
      var server = SimulatedServer(clock) { ($0 &* 2_654_435_761) % 9_000 }
      return Self.run(options, clock, &server)
    }
    #expect(once(seed: 1).response == once(seed: 1).response)
    #expect(once(seed: 1).response != once(seed: 2).response)
  }

  @Test func theStagesAreThoseOfOneInterruptAndAddUp() {
    let clock = SimulatedClock()
    var server = SimulatedServer(clock) { $0 % 100 == 0 ? 70_000 : 1_000 }
    let result = Self.run(Self.options(milliseconds: 50, rate: 100_000), clock, &server)
    #expect(result.atPercentile.map(\.percent) == [50, 99, 99.9])
    for (percent, stages) in result.atPercentile {
      let total = result.response.percentile(percent)
      #expect(stages.total <= total && Double(stages.total) >= Double(total) * 0.998)
      #expect(stages.total == DeliveryStages.all.reduce(0) { $0 + stages[keyPath: $1.path] })
    }
  }
}
