internal import Statistics

/// One figure per launch: what a launch says of a cell.
///
/// For a cost it is the best pass. Noise of a host only ever adds time, so the best of a dozen passes is
/// the least disturbed one; means and medians of passes wander half as much again (Benchmarks/Gates).
package enum LaunchFigures {
  package static func best(_ samples: [Double], lowerIsBetter: Bool) -> Double? {
    lowerIsBetter ? samples.min() : samples.max()
  }

  /// Logarithms on which more is worse; nil if a figure is not positive or there is none.
  package static func logarithms(_ figures: [Double], lowerIsBetter: Bool) -> [Double]? {
    guard !figures.isEmpty, figures.allSatisfy({ $0 > 0 && $0.isFinite }) else { return nil }
    return figures.map { Exponential.logarithm(lowerIsBetter ? $0 : 1 / $0) }
  }

  /// What one block says: the mean of the candidate's logarithms less that of the baseline's.
  package static func difference(baseline: [Double], candidate: [Double]) -> Double {
    candidate.reduce(0, +) / Double(candidate.count) - baseline.reduce(0, +)
      / Double(baseline.count)
  }
}

/// The figures that a comparison judges, of each experiment. What is the same time in other units is
/// left out: it would be judged twice.
package enum Headline {
  /// Metrics that stand for `core`.
  static let core = ["delivery-ns-per-event", "set-up-ns-per-event", "cold-delivery-ns-per-event"]
  static let percentiles = [50, 90, 99, 99.9]

  /// The metric of `core` that stands for one of its stages.
  package static func metric(ofStage stage: String) -> String { "\(stage)-ns-per-event" }

  package static func isJudged(_ metric: String, in experiment: String) -> Bool {
    experiment == "core" ? core.contains(metric) : !metric.hasPrefix("stage-p")
  }

  package static func isJudged(distribution: String) -> Bool { !distribution.hasPrefix("stage-") }
}
