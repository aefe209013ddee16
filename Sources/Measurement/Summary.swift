/// Robust figures over repetitions. Nothing here is a percentile of a latency.
package struct Summary: Hashable, Sendable {
  package var samples: [Double]

  package init(_ samples: [Double]) { self.samples = samples }

  package var minimum: Double { samples.min() ?? .nan }
  package var maximum: Double { samples.max() ?? .nan }
  package var median: Double { Self.median(samples) }
  /// Median absolute deviation from the median, unscaled.
  package var medianAbsoluteDeviation: Double {
    let middle = median
    return Self.median(samples.map { abs($0 - middle) })
  }

  private static func median(_ values: [Double]) -> Double {
    guard !values.isEmpty else { return .nan }
    let sorted = values.sorted()
    let half = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2
  }
}
