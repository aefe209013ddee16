// Statistics: how large an effect is, how sure that is, and what chance alone would give.
//
// The unit of all of it is the launch, never the iteration: passes within one process share its memory
// layout and its minute on the host, so a hundred of them are not a hundred observations.
//
//   let effect = PairedEffect(differences)      // Hodges–Lehmann estimate
//   effect.interval(confidence: 0.95)           // nil if there are too few pairs for any
//   effect.p(.greater)                          // exact signed-rank permutation test
//
// Everything is a pure function of its arguments; what needs chance (resampling) takes a seed, and the
// same seed gives the same answer everywhere. No clock, no files, no Foundation. Each procedure is
// checked against SciPy: Tests/StatisticsTests/Golden.
//
// It takes no decision: what an effect means for a change is the matter of `Gates`.
// Invariants: an interval that the samples cannot give is nil, never a guess. Threads: values and pure functions; any
// thread.

internal import Measurement

/// Which deviation from "no effect" a test looks for.
package enum Alternative: String, CaseIterable, Sendable {
  case twoSided = "two-sided"
  /// The second sample (or the difference) is larger.
  case greater
  /// It is smaller.
  case less
}

/// A closed interval on the scale of the data.
package struct Interval: Hashable, Sendable {
  package var lower: Double
  package var upper: Double
  package init(lower: Double, upper: Double) {
    self.lower = lower
    self.upper = upper
  }
  package var halfWidth: Double { (upper - lower) / 2 }
  package func contains(_ value: Double) -> Bool { lower <= value && value <= upper }
}

/// The median; NaN without values.
package func median(_ values: [Double]) -> Double { Summary(values).median }

/// Ranks from 1, the mean rank for equal values, each doubled so that it is a whole number.
func doubledRanks(_ values: [Double]) -> [Int] {
  let order = values.indices.sorted { values[$0] < values[$1] }
  var ranks = [Int](repeating: 0, count: values.count)
  var first = 0
  while first < order.count {
    var last = first
    while last + 1 < order.count, values[order[last + 1]] == values[order[first]] { last += 1 }
    for place in first...last { ranks[order[place]] = first + last + 2 }
    first = last + 1
  }
  return ranks
}

/// Sizes of the groups of equal values, those of one included.
func tieSizes(_ values: [Double]) -> [Int] {
  var sizes: [Int] = []
  var last = Double.nan
  for value in values.sorted() {
    if value == last { sizes[sizes.count - 1] += 1 } else { sizes.append(1) }
    last = value
  }
  return sizes
}
