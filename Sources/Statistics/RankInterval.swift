/// Between which of `count` sorted observations a quantile lies, whatever the distribution: exact, from
/// the binomial distribution of how many observations fall below it. It takes observations as independent
/// of each other; interrupts that follow each other closely are not quite, so it is a little too narrow for
/// them.
package struct RankInterval: Hashable, Sendable {
  /// Rank from 1 of the lower end; nil if there are too few observations for any.
  package var lower: Int?
  package var upper: Int?

  /// - Parameters:
  ///   - percent: which quantile, above 0 and below 100.
  ///   - confidence: the least that the interval holds; half of what is missing on either side.
  ///
  /// O(√count), at most a second: from 10⁹ observations on by the normal distribution, which is then exact
  /// to a rank in a million.
  package init(count: Int, percent: Double, confidence: Double) {
    precondition(percent > 0 && percent < 100 && confidence > 0 && confidence < 1)
    guard count > 0 else { return }
    let p = percent / 100
    guard count <= 1_000_000_000 else {
      let middle = Double(count) * p
      let half = -Normal.quantile((1 - confidence) / 2) * (middle * (1 - p)).squareRoot()
      lower = max(1, Int(middle - half))
      upper = min(count, Int(middle + half) + 1)
      return
    }
    let mode = min(count, Int(Double(count + 1) * p))
    // Weights relative to that of the mode, outwards until they no longer count.
    var above: [Double] = []
    var weight = 1.0
    var k = mode
    while k < count, weight > 1e-18 {
      weight *= Double(count - k) / Double(k + 1) * (p / (1 - p))
      above.append(weight)
      k += 1
    }
    var below: [Double] = []
    weight = 1
    k = mode
    while k > 0, weight > 1e-18 {
      weight *= Double(k) / Double(count - k + 1) * ((1 - p) / p)
      below.append(weight)
      k -= 1
    }
    let total = 1 + above.reduce(0, +) + below.reduce(0, +)
    let allowed = (1 - confidence) / 2 * total
    let weights = below.reversed() + [1] + above
    let first = mode - below.count
    // The largest l with P(B < l) ≤ allowed, and the least u with P(B ≥ u) ≤ allowed.
    var sum = 0.0
    var l = first
    for value in weights {
      sum += value
      guard sum <= allowed else { break }
      l += 1
    }
    sum = 0
    var u = first + weights.count
    for value in weights.reversed() {
      sum += value
      guard sum <= allowed else { break }
      u -= 1
    }
    lower = l >= 1 ? l : nil
    upper = u <= count ? u : nil
  }
}

extension RankInterval {
  /// The interval of the median of `values`; nil if there are too few.
  package static func ofMedian(_ values: [Double], confidence: Double) -> Interval? {
    let ranks = RankInterval(count: values.count, percent: 50, confidence: confidence)
    guard let lower = ranks.lower, let upper = ranks.upper else { return nil }
    let rising = values.sorted()
    return Interval(lower: rising[lower - 1], upper: rising[upper - 1])
  }
}
