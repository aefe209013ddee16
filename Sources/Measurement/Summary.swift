/// Robust figures over repetitions. Nothing here is a percentile of a latency. All are NaN without
/// samples.
package struct Summary: Hashable, Sendable {
  package var samples: [Double]

  package init(_ samples: [Double]) { self.samples = samples }

  package var minimum: Double { samples.min() ?? .nan }
  package var lowerQuartile: Double { Self.quantile(0.25, samples) }
  package var median: Double { Self.quantile(0.5, samples) }
  package var upperQuartile: Double { Self.quantile(0.75, samples) }
  package var maximum: Double { samples.max() ?? .nan }

  /// Median absolute deviation from the median, unscaled. Times 1.4826 it estimates the standard
  /// deviation of normal samples (Rousseeuw and Croux, JASA 88, 1993).
  package var medianAbsoluteDeviation: Double {
    let middle = median
    return Self.quantile(0.5, samples.map { abs($0 - middle) })
  }

  /// On the straight line between the two nearest ranks (Hyndman and Fan, The American Statistician
  /// 50, 1996, definition 7).
  private static func quantile(_ fraction: Double, _ samples: [Double]) -> Double {
    guard !samples.isEmpty else { return .nan }
    let sorted = samples.sorted()
    let position = fraction * Double(sorted.count - 1)
    let below = Int(position)
    let above = min(below + 1, sorted.count - 1)
    return sorted[below] + (position - Double(below)) * (sorted[above] - sorted[below])
  }
}
