/// How much of the scatter lies between launches and how much within one: the one-way random-effects
/// model by the method of moments (Searle, Casella and McCulloch, Variance Components, 1992, §3.6).
/// Launches may differ in length.
///
/// It tells where effort pays: if `between` dominates, more passes in a launch buy nothing.
package struct VarianceComponents: Hashable, Sendable {
  /// Variance of the launches' true means; 0 where the estimate is negative.
  package var between: Double
  /// Variance of a pass around its launch's mean.
  package var within: Double

  /// Nil unless there are two launches, and one of them with two passes.
  package init?(_ launches: [[Double]]) {
    let launches = launches.filter { !$0.isEmpty }
    let total = launches.reduce(0) { $0 + $1.count }
    guard launches.count > 1, total > launches.count else { return nil }
    let grand = launches.joined().reduce(0, +) / Double(total)
    var (betweenSquares, withinSquares, sizeSquares) = (0.0, 0.0, 0.0)
    for launch in launches {
      let size = Double(launch.count)
      let mean = launch.reduce(0, +) / size
      betweenSquares += size * (mean - grand) * (mean - grand)
      withinSquares += launch.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      sizeSquares += size * size
    }
    let groups = Double(launches.count)
    let perLaunch = (Double(total) - sizeSquares / Double(total)) / (groups - 1)
    within = withinSquares / (Double(total) - groups)
    between = max(0, (betweenSquares / (groups - 1) - within) / perLaunch)
  }

  /// Share of `between` in the variance of one pass: 0…1.
  package var intraclassCorrelation: Double {
    between + within > 0 ? between / (between + within) : 0
  }
}
