import EventModel
package import Measurement

/// The experiment `saturate`: how much can a design take? The highest rate at which a stated percentile of
/// the response keeps a stated bound and nothing is lost, by bracketing and bisection; and latency against
/// rate for every rate that was tried on the way.
///
/// One run decides nothing: a neighbour's burst fails a good rate, and luck passes a bad one. A rate is
/// sustained if most of `repeats` runs were, each with arrivals of its own; and the knee must be confirmed by
/// `repeats` further runs, or a lower rate takes its place. Which arrivals a run gets follows from the seed,
/// the rate and the number of the run, so that with a simulated clock the search repeats to the last tick.
///
/// A run in which the sender itself was late, though there was room for what it sent, says nothing about the
/// design: it is discarded, counted as such, and made again, up to `attempts` times.
package struct SaturationSearch: Sendable {
  package struct Options: Sendable {
    package var percent = 99.0
    /// Of the response at `percent`.
    package var boundNanoseconds: UInt64 = 50_000
    /// Interrupts per second: where the search begins, and where it gives up.
    package var firstRate: UInt64 = 16_000
    package var lowestRate: UInt64 = 250
    package var highestRate: UInt64 = 64_000_000
    /// The search ends when the rates below and above the knee differ by so many thousandths.
    package var resolutionThousandths: UInt64 = 30
    package var repeats = 3
    /// Of one run, until the host lets the sender keep the schedule.
    package var attempts = 4
    /// Of one run, warm-up apart; longer where so many interrupts would not tell the percentile.
    package var runNanoseconds: UInt64 = 150_000_000
    /// The search ends with what it has when it has taken so long.
    package var limitNanoseconds: UInt64 = 50_000_000_000
    package var seed: UInt64 = 1
    package init() {}

    /// Long enough for ten interrupts beyond the percentile, two seconds at most.
    func length(at rate: UInt64) -> UInt64 {
      let needed = 10 / max(0.000_01, 1 - percent / 100)
      let nanoseconds = needed * 1e9 / Double(rate)
      return min(2_000_000_000, max(runNanoseconds, UInt64(nanoseconds)))
    }
  }

  /// All runs at one rate.
  package struct Point: Sendable {
    package var rate: UInt64
    package var response = LatencyHistogram()
    package var lag = LatencyHistogram()
    package var account = DeliveryAccount()
    package var runs = 0
    package var sustained = 0
    /// Runs that the host disturbed and that are in no other figure of this point.
    package var discarded = 0
    package var nanoseconds: UInt64 = 0
    package init(rate: UInt64) { self.rate = rate }

    package var isSustained: Bool { sustained * 2 > runs }
    /// Interrupts taken per second.
    package var takenPerSecond: Double {
      nanoseconds == 0 ? 0 : Double(account.taken) * 1e9 / Double(nanoseconds)
    }
  }

  package struct Result: Sendable {
    /// Interrupts per second; nil if not even the lowest rate was sustained.
    package var knee: UInt64?
    /// The knee was sustained again after the search, and the rate above it was not: false if time ran
    /// out, or no rate was high enough.
    package var isConfirmed = false
    /// In rising order of rates.
    package var curve: [Point] = []
    /// Why the search ended early; nil if it did not.
    package var note: String?
  }

  package let options: Options
  package init(_ options: Options) { self.options = options }

  /// - Parameter measure: one paced run at a rate, with arrivals drawn from a seed, for so many nanoseconds.
  package func run<Failure: Error>(
    clock: some PacingClock,
    measure: (_ rate: UInt64, _ seed: UInt64, _ nanoseconds: UInt64) throws(Failure) -> PacedResult
  ) throws(Failure) -> Result {
    var search = Search(
      options, deadline: clock.now() &+ clock.ticks(nanoseconds: options.limitNanoseconds))
    // Bracket: double while a rate is sustained, halve while it is not.
    var good: UInt64?
    var bad: UInt64?
    var rate = options.firstRate
    while good == nil || bad == nil, !search.isOver(clock) {
      if try search.isSustained(rate, clock, measure) {
        good = rate
        if bad != nil || rate >= options.highestRate { break }
        rate = min(options.highestRate, rate * 2)
      } else {
        bad = rate
        if good != nil || rate <= options.lowestRate { break }
        rate = max(options.lowestRate, rate / 2)
      }
    }
    // Bisect.
    while let low = good, let high = bad, !search.isOver(clock),
      (high - low) * 1_000 > low * options.resolutionThousandths
    {
      let middle = low + (high - low) / 2
      if try search.isSustained(middle, clock, measure) { good = middle } else { bad = middle }
    }
    return try search.result(&good, bad, clock, measure)
  }

  /// The points so far.
  private struct Search {
    let options: Options
    let deadline: UInt64
    private var points: [UInt64: Point] = [:]

    init(_ options: Options, deadline: UInt64) {
      self.options = options
      self.deadline = deadline
    }

    func isOver(_ clock: some PacingClock) -> Bool { clock.now() >= deadline }

    /// Runs until most of `repeats` agree, or time is over: then a search has a note instead of a confirmed
    /// knee.
    mutating func isSustained<Failure: Error>(
      _ rate: UInt64, _ clock: some PacingClock,
      _ measure: (UInt64, UInt64, UInt64) throws(Failure) -> PacedResult
    ) throws(Failure) -> Bool {
      var passed = 0
      var failed = 0
      while max(passed, failed) * 2 <= options.repeats, !isOver(clock) {
        if try add(rate, clock, measure) { passed += 1 } else { failed += 1 }
      }
      return passed > failed
    }

    mutating func add<Failure: Error>(
      _ rate: UInt64, _ clock: some PacingClock,
      _ measure: (UInt64, UInt64, UInt64) throws(Failure) -> PacedResult
    ) throws(Failure) -> Bool {
      var point = points[rate] ?? Point(rate: rate)
      var seeds = SplitMix64(
        seed: options.seed &+ rate &* 0x9E37_79B9 &+ UInt64(point.runs) &<< 40)
      var result = try measure(rate, seeds.next(), options.length(at: rate))
      for _ in 1..<max(1, options.attempts) where isDisturbed(result) && !isOver(clock) {
        point.discarded += 1
        result = try measure(rate, seeds.next(), options.length(at: rate))
      }
      point.response.merge(result.response)
      point.lag.merge(result.lag)
      point.account.merge(result.account)
      point.nanoseconds += result.nanoseconds
      point.runs += 1
      // What a trace's own faults lose is no matter of the rate; what never ended is.
      let isKept =
        result.response.count > 0 && result.unended == 0 && result.account.isConserved
        && result.response.percentile(options.percent) <= options.boundNanoseconds
      if isKept { point.sustained += 1 }
      points[rate] = point
      return isKept
    }

    /// Half of the bound was spent before the interrupt was sent, and not for want of room.
    private func isDisturbed(_ result: PacedResult) -> Bool {
      result.blocked == 0 && result.lag.percentile(options.percent) > options.boundNanoseconds / 2
    }

    /// Confirms the knee, or finds a lower one; fills the curve below it.
    mutating func result<Failure: Error>(
      _ good: inout UInt64?, _ bad: UInt64?, _ clock: some PacingClock,
      _ measure: (UInt64, UInt64, UInt64) throws(Failure) -> PacedResult
    ) throws(Failure) -> Result {
      var result = Result()
      while let rate = good, !isOver(clock) {
        if try isSustained(rate, clock, measure) {
          result.isConfirmed = bad != nil
          break
        }
        let lower = rate - max(1, rate * options.resolutionThousandths / 1_000)
        good = lower >= options.lowestRate ? lower : nil
      }
      result.knee = good
      for share in [50, 75, 90] as [UInt64] {
        guard let knee = good, !isOver(clock) else { break }
        let rate = knee * share / 100
        let isThere = points.keys.contains { $0 * 20 > rate * 19 && $0 * 20 < rate * 21 }
        if rate > 0, !isThere { _ = try add(rate, clock, measure) }
      }
      result.curve = points.values.sorted { $0.rate < $1.rate }
      if isOver(clock) {
        result.note = "the time for a search ran out; the knee is not confirmed"
      } else if good == nil {
        result.note = "no rate from \(options.lowestRate)/s on kept the bound"
      } else if bad == nil {
        result.note = "\(options.highestRate)/s, the highest rate tried, still kept the bound"
      }
      return result
    }
  }
}
