internal import EventModel

/// Intervals for any statistic by resampling, bias-corrected and accelerated (BCa; Efron, Journal of the
/// American Statistical Association 82, 1987). For percentiles and ratios that have no exact interval.
package struct Bootstrap: Sendable {
  package var resamples = 9_999
  package var seed: UInt64

  package init(seed: UInt64) { self.seed = seed }

  /// Nil with fewer than two values, or if the statistic does not vary at all.
  package func interval(
    _ values: [Double], confidence: Double, _ statistic: ([Double]) -> Double
  ) -> Interval? {
    guard values.count > 1 else { return nil }
    var random = SplitMix64(seed: seed)
    var resample = values
    let replicates = (0..<resamples).map { _ in
      for place in resample.indices {
        resample[place] = values[Int.random(in: values.indices, using: &random)]
      }
      return statistic(resample)
    }.sorted()
    return interval(values, replicates: replicates, confidence: confidence, statistic)
  }

  /// - Parameter replicates: the statistic of each resample, rising.
  func interval(
    _ values: [Double], replicates: [Double], confidence: Double,
    _ statistic: ([Double]) -> Double
  ) -> Interval? {
    let observed = statistic(values)
    let below = replicates.reduce(0.0) {
      $0 + ($1 < observed ? 1 : $1 == observed ? 0.5 : 0)
    }
    let share = below / Double(replicates.count)
    guard share > 0, share < 1 else { return nil }
    let bias = Normal.quantile(share)
    let acceleration = acceleration(values, statistic)
    func end(_ tail: Double) -> Double {
      let z = bias + Normal.quantile(tail)
      let level = Normal.cumulative(bias + z / (1 - acceleration * z))
      return quantile(level, replicates)
    }
    let tail = (1 - confidence) / 2
    return Interval(lower: end(tail), upper: end(1 - tail))
  }

  /// From the jackknife: a sixth of the skewness of what leaving one value out does.
  private func acceleration(_ values: [Double], _ statistic: ([Double]) -> Double) -> Double {
    let left = values.indices.map { place in
      var rest = values
      rest.remove(at: place)
      return statistic(rest)
    }
    let mean = left.reduce(0, +) / Double(left.count)
    var (squares, cubes) = (0.0, 0.0)
    for value in left {
      let deviation = mean - value
      squares += deviation * deviation
      cubes += deviation * deviation * deviation
    }
    return squares > 0 ? cubes / (6 * squares * squares.squareRoot()) : 0
  }

  /// On the straight line between neighbouring ranks.
  private func quantile(_ level: Double, _ rising: [Double]) -> Double {
    let position = level * Double(rising.count - 1)
    let below = min(max(0, Int(position)), rising.count - 1)
    let above = min(below + 1, rising.count - 1)
    return rising[below] + (position - Double(below)) * (rising[above] - rising[below])
  }
}
