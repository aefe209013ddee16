import History
import Plots
import Statistics

/// A distribution by percentile: the curve, and what its percentiles may be.
struct Quantiles {
  private let distribution: RunRecord.Distribution
  /// How many observations are in this bucket and in those before it.
  private let cumulative: [UInt64]

  init(_ distribution: RunRecord.Distribution) {
    self.distribution = distribution
    var sum: UInt64 = 0
    cumulative = distribution.counts.map {
      sum += $0.count
      return sum
    }
  }

  var count: UInt64 { cumulative.last ?? 0 }

  /// So many nines tell the largest observation from the rest.
  var nines: Double { Scale.nines(100 - 100 / Double(max(count, 10))) }

  /// Steps: each value from the share that lies below it to the share that does not exceed it.
  var curve: [Point] {
    guard count > 0 else { return [] }
    var before: UInt64 = 0
    return zip(distribution.counts, cumulative).flatMap { bucket, sum in
      let y = Double(bucket.value)
      let points = [
        Point(Double(before) / Double(count) * 100, y), Point(Double(sum) / Double(count) * 100, y),
      ]
      before = sum
      return points
    }
  }

  /// The observation of this rank, from 1.
  func value(rank: Int) -> UInt64 {
    var (low, high) = (0, cumulative.count - 1)
    while low < high {
      let middle = (low + high) / 2
      if cumulative[middle] >= UInt64(max(1, rank)) { high = middle } else { low = middle + 1 }
    }
    return distribution.counts.isEmpty ? 0 : distribution.counts[low].value
  }

  /// Percentiles at which a band is drawn: evenly by nines.
  private static func grid(_ nines: Double) -> [Double] {
    (1...60).map { 100 - 100 * Exponential.power(10, -nines * Double($0) / 60) }
  }

  /// Where each percentile lies with this confidence, for all that have both ends; nil if too few.
  func band(confidence: Double) -> (upper: [Point], lower: [Point])? {
    var upper: [Point] = []
    var lower: [Point] = []
    for percent in Self.grid(nines) where percent < 100 {
      let ranks = RankInterval(count: Int(count), percent: percent, confidence: confidence)
      guard let first = ranks.lower, let last = ranks.upper else { continue }
      lower.append(Point(percent, Double(value(rank: first))))
      upper.append(Point(percent, Double(value(rank: last))))
    }
    return upper.count > 1 ? (upper, lower) : nil
  }

  /// The least and the greatest that each percentile is in any of `launches`; nil for one launch.
  static func band(
    of launches: [RunRecord.Distribution]
  ) -> (upper: [Point], lower: [Point])? {
    let filled = launches.filter { !$0.counts.isEmpty }
    guard filled.count > 1, let nines = filled.map({ Quantiles($0).nines }).min() else {
      return nil
    }
    var upper: [Point] = []
    var lower: [Point] = []
    for percent in grid(nines) {
      let values = filled.map { Double($0.percentile(percent)) }
      lower.append(Point(percent, values.min() ?? 0))
      upper.append(Point(percent, values.max() ?? 0))
    }
    return (upper, lower)
  }
}
