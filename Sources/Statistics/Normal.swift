internal import RealModule

/// The standard normal distribution.
package enum Normal {
  /// P(Z ≤ z).
  static func cumulative(_ z: Double) -> Double { .erfc(-z / 2.0.squareRoot()) / 2 }

  /// P(Z > z), exact in the far tail where `1 - cumulative` is 0.
  static func tail(_ z: Double) -> Double { .erfc(z / 2.0.squareRoot()) / 2 }

  /// The z with P(Z ≤ z) = p, for 0 < p < 1. A bisection: erfc is monotonic, and 200 halvings of ±40 end
  /// at neighbouring numbers. Called a few times for a whole comparison.
  package static func quantile(_ p: Double) -> Double {
    precondition(p > 0 && p < 1)
    // The lower tail keeps its digits where the upper one is close to 1.
    if p > 0.5 { return -quantile(1 - p) }
    var (low, high) = (-40.0, 0.0)
    for _ in 0..<200 {
      let middle = (low + high) / 2
      if cumulative(middle) < p { low = middle } else { high = middle }
    }
    return (low + high) / 2
  }
}
