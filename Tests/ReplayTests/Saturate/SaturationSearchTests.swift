import EventModel
import Measurement
import Replay
import Testing

/// The search against queues whose knee is known, under a simulated clock.
@Suite struct SaturationSearchTests {
  /// Exponential service times, drawn by ordinal.
  private static func exponential(_ mean: Double, _ ordinal: UInt64) -> UInt64 {
    var draw = SplitMix64(seed: ordinal &* 0x1234_5677 &+ 99)
    var sum = 0.0
    // Von Neumann's comparisons, as in `ArrivalSchedule`.
    while true {
      let first = draw.next()
      var last = first
      var length = 1
      while case let drawn = draw.next(), drawn < last {
        last = drawn
        length += 1
      }
      if length % 2 == 1 { return UInt64((sum + Double(first) / 0x1p64) * mean) }
      sum += 1
    }
  }

  private static func search(
    _ options: SaturationSearch.Options, poisson: Bool, reading: UInt64 = 1,
    service: @escaping (UInt64) -> UInt64
  ) -> SaturationSearch.Result {
    let clock = SimulatedClock(reading: reading)
    return SaturationSearch(options).run(clock: clock) { rate, seed, nanoseconds in
      var loop = PacedLoop.Options()
      loop.arrivals =
        poisson ? .poisson(perSecond: rate, seed: seed) : .fixed(perSecond: rate)
      loop.nanoseconds = nanoseconds
      loop.warmUpNanoseconds = nanoseconds / 10
      var server = SimulatedServer(clock, service: service)
      return PacedLoop.run(
        ArrivalSchedule(loop.arrivals, recorded: [0]), loop, clock: clock, port: &server)
    }
  }

  private static var options: SaturationSearch.Options {
    var options = SaturationSearch.Options()
    options.runNanoseconds = 4_000_000
    options.firstRate = 100_000
    options.lowestRate = 1_000
    return options
  }

  /// Equal gaps and equal service of 2 µs: everything up to 500,000 per second waits for nothing, and
  /// above it the queue grows without end.
  @Test func equalGapsAndServiceSaturateAtOneOverTheService() throws {
    let result = Self.search(Self.options, poisson: false) { _ in 2_000 }
    let knee = try #require(result.knee)
    #expect(result.isConfirmed && result.note == nil)
    // A run of 4 ms sees a queue grow beyond the bound from 1.3 % above on.
    #expect(knee >= 485_000 && knee <= 515_000, "\(knee)")
    #expect(result.curve.map(\.rate) == result.curve.map(\.rate).sorted())
    #expect(result.curve.contains { $0.rate == knee && $0.isSustained && $0.runs >= 4 })
    #expect(result.curve.contains { !$0.isSustained && $0.rate > knee })
    for point in result.curve { #expect(point.account.isConserved && point.runs > 0) }
    #expect(result.curve.contains { $0.rate * 10 > knee * 4 && $0.rate * 10 < knee * 6 })
  }

  /// Poisson arrivals, exponential service of mean 1 µs: the response is exponential with the mean
  /// 1 ÷ (1/µs − rate), so its 90th percentile is ln 10 of that; 10 µs are kept up to
  /// 1,000,000 − ln 10 ÷ 10 µs = 769,700 per second.
  @Test func anMM1QueueSaturatesWhereTheorySays() throws {
    var options = Self.options
    options.percent = 90
    options.boundNanoseconds = 10_000
    options.runNanoseconds = 15_000_000
    let result = Self.search(options, poisson: true) { Self.exponential(1_000, $0) }
    let knee = try #require(result.knee)
    #expect(knee > 692_000 && knee < 847_000, "\(knee)")
  }

  @Test func aSeedGivesOneSearch() {
    var options = Self.options
    options.runNanoseconds = 1_000_000
    func once(_ seed: UInt64) -> [[UInt64]] {
      options.seed = seed
      let result = Self.search(options, poisson: true) { ($0 &* 40_503) % 4_000 }
      return [[result.knee ?? 0]]
        + result.curve.map {
          [
            $0.rate, UInt64($0.runs), UInt64($0.sustained), $0.response.percentile(99),
            $0.response.count,
          ]
        }
    }
    let first = once(7)
    #expect(once(7) == first)
    #expect(once(8) != first)
  }

  /// Every fifth run meets a neighbour that holds the server for a while: it fails by itself, the search
  /// does not.
  @Test func oneBadRunDoesNotMoveTheKnee() throws {
    var runs = 0
    let clock = SimulatedClock()
    let result = SaturationSearch(Self.options).run(clock: clock) { rate, _, nanoseconds in
      runs += 1
      let isDisturbed = runs % 5 == 0
      var loop = PacedLoop.Options()
      loop.arrivals = .fixed(perSecond: rate)
      loop.nanoseconds = nanoseconds
      loop.warmUpNanoseconds = 0
      var server = SimulatedServer(clock) { isDisturbed && $0 == 20 ? 1_500_000 : 2_000 }
      return PacedLoop.run(
        ArrivalSchedule(loop.arrivals, recorded: [0]), loop, clock: clock, port: &server)
    }
    let knee = try #require(result.knee)
    #expect(knee >= 470_000 && knee <= 515_000, "\(knee)")
    #expect(result.curve.contains { $0.sustained < $0.runs && $0.isSustained })
  }

  @Test func aDesignThatKeepsNoBoundHasNoKnee() {
    var options = Self.options
    options.lowestRate = 25_000
    let result = Self.search(options, poisson: false) { _ in 60_000 }
    #expect(result.knee == nil && !result.isConfirmed)
    #expect(result.note?.contains("no rate from 25000/s on kept the bound") == true)
    #expect(result.curve.last?.rate == 100_000)
  }

  @Test func theSearchEndsAtItsLimit() {
    var options = Self.options
    options.limitNanoseconds = 20_000_000
    let result = Self.search(options, poisson: false) { _ in 2_000 }
    #expect(!result.isConfirmed && result.note?.contains("ran out") == true)
    #expect(!result.curve.isEmpty)
  }

  /// Where every run is disturbed and would be made again, the search is over a run after its limit.
  @Test func noRunIsBegunBehindTheLimit() {
    var options = Self.options
    options.limitNanoseconds = 50_000_000
    options.runNanoseconds = 8_000_000
    let clock = SimulatedClock()
    let begin = clock.time
    var longest: UInt64 = 0
    let result = SaturationSearch(options).run(clock: clock) { rate, _, nanoseconds in
      let start = clock.time
      clock.lateness = [200_000]
      var loop = PacedLoop.Options()
      loop.arrivals = .fixed(perSecond: rate)
      loop.nanoseconds = nanoseconds
      loop.warmUpNanoseconds = 0
      var server = SimulatedServer(clock) { _ in 2_000 }
      defer { longest = max(longest, clock.time - start) }
      return PacedLoop.run(
        ArrivalSchedule(loop.arrivals, recorded: [0]), loop, clock: clock, port: &server)
    }
    #expect(result.note?.contains("ran out") == true && !result.isConfirmed)
    #expect(clock.time - begin <= options.limitNanoseconds + longest + 1_000)
  }

  @Test func aRateThatCannotBeReachedIsSaidToBeTheHighestTried() throws {
    var options = Self.options
    options.highestRate = 200_000
    let result = Self.search(options, poisson: false) { _ in 100 }
    #expect(result.knee == 200_000 && !result.isConfirmed)
    #expect(result.note?.contains("200000/s, the highest rate tried") == true)
  }

  /// The sender oversleeps in every third run: such runs are made again, and none of them is in the curve.
  @Test func aRunThatTheHostDisturbedIsDiscarded() throws {
    var runs = 0
    let clock = SimulatedClock()
    var options = Self.options
    options.attempts = 2
    options.resolutionThousandths = 60
    let result = SaturationSearch(options).run(clock: clock) { rate, _, nanoseconds in
      runs += 1
      clock.lateness = runs % 3 == 0 ? [200_000] : [0]
      var loop = PacedLoop.Options()
      loop.arrivals = .fixed(perSecond: rate)
      loop.nanoseconds = nanoseconds
      loop.warmUpNanoseconds = 0
      var server = SimulatedServer(clock) { _ in 2_000 }
      return PacedLoop.run(
        ArrivalSchedule(loop.arrivals, recorded: [0]), loop, clock: clock, port: &server)
    }
    let knee = try #require(result.knee)
    #expect(knee >= 470_000 && knee <= 515_000, "\(knee)")
    #expect(result.curve.reduce(0) { $0 + $1.discarded } > 0)
    #expect(result.curve.allSatisfy { $0.lag.maximum < 200_000 })
  }
}
