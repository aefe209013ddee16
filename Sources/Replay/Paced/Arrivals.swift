import EventModel

/// When interrupts are meant to start.
package enum Arrivals: Sendable, Hashable {
  /// As recorded, `thousandths` ÷ 1,000 times as fast.
  case recorded(thousandths: UInt64)
  /// As recorded, at the speed that makes the mean rate this one: the bursts keep their shape.
  case bursts(perSecond: UInt64)
  case fixed(perSecond: UInt64)
  /// Independent exponential gaps.
  case poisson(perSecond: UInt64, seed: UInt64)
}

/// The absolute schedule: how many nanoseconds after the start of the run each interrupt is meant to
/// start. It is worked out from the ordinal and from exact sums in integers, never from the time at which
/// the one before was sent, so neither lateness nor rounding adds up: fixed arrivals are right to a
/// nanosecond after 2⁶³ of them, recorded ones after years.
package struct ArrivalSchedule: Sendable {
  private enum Rule: Sendable { case recorded, fixed, poisson }

  private let rule: Rule
  /// The ordinal of the next interrupt.
  package private(set) var ordinal: UInt64 = 0

  // Recorded: times since the first interrupt, and the time from one pass over them to the next, all to
  // be multiplied by `numerator` and divided by `denominator`.
  private let times: [UInt64]
  private let passNanoseconds: UInt64
  private let numerator: UInt128
  private let denominator: UInt128
  private var index = 0
  private var passBegin: UInt128 = 0

  private let perSecond: UInt64

  // Poisson: in units of 2⁻³² ns.
  private var generator: SplitMix64
  private var sum: UInt128 = 0
  private let meanGap: UInt64

  /// - Parameter recorded: the times of the trace's interrupts in order, at least one.
  ///
  /// Traps on a rate or speed of 0.
  package init(_ arrivals: Arrivals, recorded: [UInt64]) {
    precondition(!recorded.isEmpty, "a schedule needs an interrupt")
    let first = recorded[0]
    let times = recorded.map { $0 > first ? $0 - first : 0 }
    let count = UInt64(times.count)
    // The pause between two passes is a mean gap; a trace without length is played at 1 µs per interrupt.
    let span = times.max() ?? 0
    let gap = span == 0 ? 1_000 : max(1, span / max(1, count - 1))
    passNanoseconds = span + gap
    var rule = Rule.recorded
    var rate: UInt64 = 1
    var seed: UInt64 = 0
    var numerator: UInt128 = 1
    var denominator: UInt128 = 1
    switch arrivals {
    case .recorded(let thousandths):
      precondition(thousandths > 0, "a speed is above 0")
      numerator = 1_000
      denominator = UInt128(thousandths)
    case .bursts(let perSecond):
      precondition(perSecond > 0, "a rate is above 0")
      numerator = UInt128(count) * 1_000_000_000
      denominator = UInt128(passNanoseconds) * UInt128(perSecond)
    case .fixed(let perSecond):
      precondition(perSecond > 0, "a rate is above 0")
      rule = .fixed
      rate = perSecond
    case .poisson(let perSecond, let given):
      precondition(perSecond > 0, "a rate is above 0")
      rule = .poisson
      rate = perSecond
      seed = given
    }
    self.rule = rule
    self.times = times
    self.numerator = numerator
    self.denominator = denominator
    perSecond = rate
    generator = SplitMix64(seed: seed)
    meanGap = (1_000_000_000 << 32) / rate
  }

  /// Nanoseconds from the start of the run to the next interrupt's; not before the one given last.
  package mutating func next() -> UInt64 {
    defer { ordinal &+= 1 }
    switch rule {
    case .fixed:
      return UInt64(clamping: UInt128(ordinal) * 1_000_000_000 / UInt128(perSecond))
    case .poisson:
      if ordinal > 0 {
        let step = generator.nextExponential()
        sum += UInt128(step.whole) * UInt128(meanGap)
        sum += UInt128(step.fraction.multipliedFullWidth(by: meanGap).high)
      }
      return UInt64(clamping: sum >> 32)
    case .recorded:
      let offset = passBegin + UInt128(times[index])
      index += 1
      if index == times.count {
        index = 0
        passBegin += UInt128(passNanoseconds)
      }
      return UInt64(clamping: offset * numerator / denominator)
    }
  }

  /// The next interrupt is the one with this ordinal. O(1) for fixed and recorded arrivals; Poisson
  /// arrivals cannot skip and trap.
  package mutating func skip(to ordinal: UInt64) {
    precondition(rule != .poisson, "random arrivals are drawn one by one")
    self.ordinal = ordinal
    index = Int(ordinal % UInt64(times.count))
    passBegin = UInt128(ordinal / UInt64(times.count)) * UInt128(passNanoseconds)
  }
}

extension SplitMix64 {
  /// An exponential variate of mean 1 as a whole number and 2⁻⁶⁴ths, by comparisons alone (von Neumann,
  /// "Various techniques used in connection with random digits", 1951): the same on every host.
  mutating func nextExponential() -> (whole: UInt64, fraction: UInt64) {
    var whole: UInt64 = 0
    while true {
      let first = next()
      var last = first
      var length = 1
      while true {
        let drawn = next()
        if drawn >= last { break }
        last = drawn
        length += 1
      }
      // A falling run of odd length is accepted, which happens with the probability e to the −first.
      if length % 2 == 1 { return (whole, first) }
      whole += 1
    }
  }
}
