package import History
internal import Statistics

/// Two arms side by side: every figure of every cell, the exact part first, and what matters most on top.
package struct Comparison: Codable, Sendable {
  package var version = 1
  package var policy: Policy
  /// Launches of both arms took turns, so that effects rest on differences of pairs. Absent
  /// where they were measured apart.
  package var isPaired: Bool?
  package var facts: FactComparison
  package var figures: [Figure] = []
  package var curves: [Curve] = []
  package var warnings: [String] = []

  package struct Figure: Codable, Sendable {
    package var cell: CellKey
    package var name: String
    package var unit: String
    package var lowerIsBetter: Bool
    package var baseline: Arm
    package var candidate: Arm
    /// Absent if a figure is 0 or negative, so that no ratio exists. `change` above 0 is worse, also where
    /// more is better.
    package var effect: Effect?
  }

  package struct Arm: Codable, Sendable {
    package var launches: Int
    /// Median over launches.
    package var value: Double
    /// Standard deviations between launches and within one, as shares of the value; absent where the
    /// launches are too few or hold one sample each.
    package var between: Double?
    package var within: Double?
  }

  /// A latency distribution of both arms, whole; never an average of percentiles.
  package struct Curve: Codable, Sendable {
    package var cell: CellKey
    package var name: String
    package var unit: String
    package var points: [Point]

    package struct Point: Codable, Sendable {
      package var percent: Double
      package var baseline: UInt64
      package var candidate: UInt64
    }
  }

  static let curvePercents: [Double] = [
    0, 1, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 98, 99, 99.5, 99.9, 99.95, 99.99, 100,
  ]

  /// - Parameters:
  ///   - baseline: the launches of this arm, of any number of traces.
  ///   - candidate: those of the other.
  ///   - isPaired: of each trace the launches of one place in both arms were measured one after the other,
  ///     in an order that was drawn by lot.
  package init(
    baseline: [RunRecord], candidate: [RunRecord], policy: Policy, isPaired: Bool = false
  ) throws {
    self.policy = policy
    self.isPaired = isPaired ? true : nil
    let first = try Self.byTrace(baseline)
    let second = try Self.byTrace(candidate)
    facts = FactComparison(
      baseline: first.map(\.merged), candidate: second.map(\.merged), policy: policy)
    warnings = Array(Set((first + second).flatMap(\.merged.warnings))).sorted()
    var evidence: [Evidence] = []
    var judged: [Int] = []
    for theirs in first {
      guard let mine = second.first(where: { $0.hash == theirs.hash }),
        theirs.merged.host.differences(from: mine.merged.host).isEmpty
      else { continue }
      for cell in theirs.merged.cells {
        guard let other = mine.merged.cells.first(where: { $0.isSame(as: cell) }) else { continue }
        let key = CellKey(theirs.merged.trace.name, cell)
        for figure in Self.figures(cell, other) + Self.figures(cell, theirs, mine) {
          if let seen = figure.evidence(isPaired: isPaired) {
            judged.append(figures.count)
            evidence.append(seen)
          }
          figures.append(figure.figure(key))
        }
        curves += Self.curves(key, cell, other)
      }
    }
    let effects = TimeJudge(policy).effects(evidence, level: policy.falseAlarm)
    for (place, effect) in zip(judged, effects) { figures[place].effect = effect }
    figures.sort { Self.importance($0) < Self.importance($1) }
  }

  /// Regressions first, then what is not sure, improvements, and the rest; the larger effect first.
  private static func importance(_ figure: Figure) -> (Int, Double, String) {
    let verdict = figure.effect?.verdict ?? .unjudged
    let rank = Verdict.allCases.firstIndex(of: verdict) ?? Verdict.allCases.count
    return (rank, -abs(figure.effect?.change ?? 0), "\(figure.cell) \(figure.name)")
  }

  private struct TraceLaunches {
    var hash: String
    var launches: [RunRecord]
    var merged: RunRecord
  }

  private static func byTrace(_ records: [RunRecord]) throws -> [TraceLaunches] {
    try Dictionary(grouping: records, by: \.trace.contentHash).sorted { $0.key < $1.key }
      .map { hash, launches in
        TraceLaunches(hash: hash, launches: launches, merged: try RunRecord.merged(launches))
      }
  }

  private struct Raw {
    var name: String
    var unit: String
    var lowerIsBetter: Bool
    var baseline: [[Double]]
    var candidate: [[Double]]

    func best(_ launches: [[Double]]) -> [Double] {
      launches.compactMap { LaunchFigures.best($0, lowerIsBetter: lowerIsBetter) }
    }

    /// Nil if there is no ratio, or a launch of a pair gave no figure.
    func evidence(isPaired: Bool) -> Evidence? {
      guard
        let a = LaunchFigures.logarithms(best(baseline), lowerIsBetter: lowerIsBetter),
        let b = LaunchFigures.logarithms(best(candidate), lowerIsBetter: lowerIsBetter)
      else { return nil }
      guard isPaired else { return .unpaired(baseline: a, candidate: b) }
      guard a.count == b.count else { return nil }
      return .paired(zip(a, b).map { LaunchFigures.difference(baseline: [$0], candidate: [$1]) })
    }

    func figure(_ key: CellKey) -> Figure {
      Figure(
        cell: key, name: name, unit: unit, lowerIsBetter: lowerIsBetter, baseline: arm(baseline),
        candidate: arm(candidate))
    }

    private func arm(_ launches: [[Double]]) -> Arm {
      let value = median(best(launches))
      var arm = Arm(launches: launches.count, value: value)
      if let components = VarianceComponents(launches), value > 0 {
        arm.between = components.between.squareRoot() / value
        arm.within = components.within.squareRoot() / value
      }
      return arm
    }
  }

  private static func figures(_ a: RunRecord.Cell, _ b: RunRecord.Cell) -> [Raw] {
    a.metrics.compactMap { metric in
      guard Headline.isJudged(metric.name, in: a.experiment), !metric.samples.isEmpty,
        let other = b.metric(metric.name), !other.samples.isEmpty
      else { return nil }
      return Raw(
        name: metric.name, unit: metric.unit, lowerIsBetter: metric.lowerIsBetter,
        baseline: metric.samplesByLaunch, candidate: other.samplesByLaunch)
    }
  }

  /// Percentiles of each launch by itself; records that hold several launches have one histogram.
  private static func figures(
    _ cell: RunRecord.Cell, _ a: TraceLaunches, _ b: TraceLaunches
  ) -> [Raw] {
    func percentiles(_ arm: TraceLaunches, _ name: String, _ percent: Double) -> [[Double]] {
      arm.launches.compactMap { record in
        record.cells.first { $0.isSame(as: cell) }?.distribution(name)
          .flatMap { $0.total > 0 ? [Double($0.percentile(percent))] : nil }
      }
    }
    return cell.distributions.filter { Headline.isJudged(distribution: $0.name) }.flatMap { shape in
      Headline.percentiles.compactMap { percent in
        let (first, second) = (
          percentiles(a, shape.name, percent), percentiles(b, shape.name, percent)
        )
        guard !first.isEmpty, !second.isEmpty else { return nil }
        let rank = percent == percent.rounded() ? "\(Int(percent))" : "\(percent)"
        return Raw(
          name: "\(shape.name) p\(rank)", unit: shape.unit, lowerIsBetter: true, baseline: first,
          candidate: second)
      }
    }
  }

  private static func curves(
    _ key: CellKey, _ a: RunRecord.Cell, _ b: RunRecord.Cell
  ) -> [Curve] {
    a.distributions.compactMap { shape in
      guard let other = b.distribution(shape.name) else { return nil }
      return Curve(
        cell: key, name: shape.name, unit: shape.unit,
        points: curvePercents.map {
          .init(percent: $0, baseline: shape.percentile($0), candidate: other.percentile($0))
        })
    }
  }
}
