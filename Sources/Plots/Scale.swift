internal import RealModule

/// How values lie along an axis.
package enum Scale: Hashable, Sendable {
  case linear(ClosedRange<Double>)
  /// Equal factors are equal lengths. Both ends are above 0.
  case logarithmic(ClosedRange<Double>)
  /// Per cent from 0 towards 100: every further nine takes the same length, as HdrHistogram's plots do.
  /// 100 itself is infinitely far: it stands at the end, after `most` nines.
  case nines(most: Double)

  /// Where `value` lies, from 0 at the start to 1 at the end; what is outside stands at the nearer end.
  package func position(_ value: Double) -> Double {
    let share: Double
    switch self {
    case .linear(let range):
      share = (value - range.lowerBound) / (range.upperBound - range.lowerBound)
    case .logarithmic(let range):
      guard value > 0 else { return 0 }
      share =
        Double.log(value / range.lowerBound) / Double.log(range.upperBound / range.lowerBound)
    case .nines(let most):
      share = Self.nines(value) / most
    }
    guard share.isFinite else { return share > 0 ? 1 : 0 }
    return min(1, max(0, share))
  }

  /// The values at the start and at the end.
  var ends: [Double] {
    switch self {
    case .linear(let range), .logarithmic(let range): [range.lowerBound, range.upperBound]
    case .nines(let most): [0, 100 - 100 * Double.exp10(-most)]
    }
  }

  /// 0 for 0 %, 1 for 90 %, 2 for 99 %; infinite for 100 %.
  package static func nines(_ percent: Double) -> Double {
    percent >= 100 ? .infinity : max(0, -Double.log10(1 - percent / 100))
  }

  /// The whole decades around all positive `values`; 1…10 if there is none.
  package static func decades(_ values: some Sequence<Double>) -> Scale {
    let positive = values.filter { $0 > 0 && $0.isFinite }
    guard let least = positive.min(), let most = positive.max() else {
      return .logarithmic(1...10)
    }
    // A hair of tolerance: log10 of 1000 is not 3 on every host.
    let from = (Double.log10(least) + 1e-9).floored
    let to = -(-Double.log10(most) + 1e-9).floored
    return .logarithmic(Double.exp10(from)...Double.exp10(max(to, from + 1)))
  }

  /// Round ends around all `values`: 0 need not be among them.
  package static func around(_ values: some Sequence<Double>) -> Scale {
    let finite = values.filter(\.isFinite)
    guard let least = finite.min(), let most = finite.max() else { return .linear(0...1) }
    // Of one level a twentieth on either side, so that it does not lie on the axis.
    let pad = most > least ? 0 : max(abs(most) / 20, 1e-9)
    let step = Ticks.step(over: most - least + 2 * pad, atMost: 5)
    let from = ((least - pad) / step + 1e-9).floored * step
    let to = -(-(most + pad) / step + 1e-9).floored * step
    return .linear(from...max(to, from + step))
  }

  /// Round ends around all `values` and 0.
  package static func fromZero(_ values: some Sequence<Double>) -> Scale {
    let finite = values.filter(\.isFinite)
    let (least, most) = (min(0, finite.min() ?? 0), max(0, finite.max() ?? 0))
    guard most > least else { return .linear(0...1) }
    let step = Ticks.step(over: most - least, atMost: 5)
    return .linear((least / step + 1e-9).floored * step ... -(-most / step + 1e-9).floored * step)
  }
}

extension Double {
  /// The largest whole number that is not above it.
  var floored: Double {
    let truncated = Double(Int64(self))
    return truncated > self ? truncated - 1 : truncated
  }

  static func exp10(_ exponent: Double) -> Double { .pow(10, exponent) }
}
