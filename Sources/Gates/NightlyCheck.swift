package import History
internal import Statistics

/// What a history says of its newest runs: facts against the run before, then where each figure changed
/// its level, and whether that happened lately.
///
/// A step that is older than `recent` runs is the level that the project lives with: it alarms no more. A
/// lone last point that is far off is *watched*, not alarmed, because one bad night looks like that; two or
/// more of them are a step as soon as chance is ruled out, within one budget of false alarms over all series.
package struct NightlyCheck: Codable, Sendable {
  package struct Options: Codable, Hashable, Sendable {
    /// Steps within so many of the newest runs count as new.
    package var recent = 7
    /// Fewer runs of a series are not judged.
    package var minimumRuns = 8
    /// Only so many of the newest runs are looked at.
    package var window = 120
    package var seed: UInt64 = 1
    package init() {}
  }

  package struct Step: Codable, Hashable, Sendable {
    /// Of the first run on the new level.
    package var run: Int64
    package var started: String
    package var commit: String?
    package var p: Double
    /// Medians of the stretches on either side.
    package var before: Double
    package var after: Double
    /// Share by which it became worse; below 0 it became better.
    package var change: Double
    /// Within the newest runs.
    package var isRecent: Bool
  }

  package struct Finding: Codable, Sendable {
    package var cell: CellKey
    package var host: String
    package var name: String
    package var unit: String
    package var runs: Int
    /// Median since the last step.
    package var level: Double
    package var verdict: Verdict
    /// The last point alone is far off, for the worse.
    package var isWatched = false
    package var newest: Double
    package var steps: [Step] = []
    /// Share by which it is worse now than before the first of the recent steps; absent without one.
    package var recentChange: Double?
    /// The smallest step of the newest runs that would be found in four of five histories like this one; absent
    /// if none could be, whatever its size: too few runs for so many series.
    package var detectable: Double?
  }

  package var version = 1
  package var policy: Policy
  package var options: Options
  package var facts: FactComparison
  /// What matters most on top.
  package var findings: [Finding]

  /// - Parameters:
  ///   - series: by figure; figures that `compare` does not judge are left out.
  ///   - newest: the newest run of each trace and host with the cells that it shares with the run before.
  ///   - previous: that run before.
  ///   - obstacles: why newest runs have no run before that they may be held against.
  ///   - known: answers of searches that were made before.
  package init(
    series: [FigureSeries], newest: [RunRecord], previous: [RunRecord],
    obstacles: [String] = [], policy: Policy, options: Options = Options(),
    known: StepAnswers = StepAnswers()
  ) {
    self.policy = policy
    self.options = options
    facts = FactComparison(baseline: previous, candidate: newest, policy: policy)
    facts.obstacles += obstacles
    let significance = Self.significance(of: series, policy)
    findings = series.filter(Self.isJudged)
      .map { Self.finding($0, significance, policy, options, known) }
      .sorted { ($0.rank, $1.newestChange, $0.name) < ($1.rank, $0.newestChange, $1.name) }
  }

  /// What one series may use of the budget of false alarms.
  static func significance(of series: [FigureSeries], _ policy: Policy) -> Double {
    policy.falseAlarm / Double(max(1, series.count(where: isJudged)))
  }

  package var conclusion: Conclusion {
    if !facts.obstacles.isEmpty || findings.isEmpty { return .couldNotMeasure }
    if facts.isRegression || findings.contains(where: { $0.verdict == .regressed }) {
      return .regression
    }
    if findings.contains(where: { $0.verdict == .inconclusive })
      || findings.allSatisfy({ $0.verdict == .unjudged })
    {
      return .inconclusive
    }
    return .pass
  }

  /// `null` is what the harness costs: no design got worse by it.
  static func isJudged(_ series: FigureSeries) -> Bool {
    series.design != "null" && Headline.isJudged(series.name, in: series.experiment)
      && !series.name.hasPrefix("stage-")
  }

  /// The runs that a verdict rests on.
  static func window(of series: FigureSeries, _ options: Options) -> [FigureSeries.Point] {
    series.points.suffix(options.window).filter { $0.value.isFinite }
  }

  static func finding(
    _ series: FigureSeries, _ significance: Double, _ policy: Policy, _ options: Options,
    _ known: StepAnswers
  ) -> Finding {
    let points = window(of: series, options)
    let values = points.map(\.value)
    var finding = Finding(
      cell: CellKey(
        trace: series.trace, architecture: series.architecture, design: series.design,
        experiment: series.experiment, mode: series.mode, variant: series.variant),
      host: series.host, name: series.name, unit: series.unit, runs: series.points.count,
      level: median(values), verdict: .unjudged, newest: values.last ?? .nan)
    guard
      let search = StepSearch(
        values, significance: significance, seed: options.seed, minimumRuns: options.minimumRuns)
    else { return finding }
    let found = known.steps(of: search)
    let borders = [0] + found.map(\.index) + [values.count]
    func worsening(from a: Double, to b: Double) -> Double {
      series.lowerIsBetter ? b / a - 1 : a / b - 1
    }
    finding.steps = found.enumerated().map { place, step in
      let before = median(Array(values[borders[place]..<borders[place + 1]]))
      let after = median(Array(values[borders[place + 1]..<borders[place + 2]]))
      let point = points[step.index]
      return Step(
        run: point.run, started: point.started, commit: point.commit, p: step.p, before: before,
        after: after, change: worsening(from: before, to: after),
        isRecent: values.count - step.index <= options.recent)
    }
    let stretch = Array(values[borders[borders.count - 2]...])
    finding.level = median(stretch)

    // All recent steps together: a small one behind a large one hides nothing, nor do two small ones.
    if let first = finding.steps.first(where: \.isRecent) {
      let change = worsening(from: first.before, to: finding.level)
      finding.recentChange = change
      if abs(change) >= policy.threshold {
        finding.verdict = change > 0 ? .regressed : .improved
        return finding
      }
    }
    // The newest point against those before it on the same level.
    let rest = Array(stretch.dropLast())
    let scatter = 1.4826 * median(rest.map { abs($0 - median(rest)) })
    if rest.count >= 5 {
      let off = worsening(from: median(rest), to: finding.newest)
      finding.isWatched =
        off >= policy.threshold && abs(finding.newest - median(rest)) > 3 * scatter
    }
    let newest = min(options.recent, max(1, stretch.count / 2))
    let (newer, older) = (Double(newest), Double(stretch.count - newest))
    // The clearest step of all is one of as many arrangements as there are ways to choose its runs, at either
    // end: no p is smaller.
    let arrangements = (0..<newest).reduce(1.0) {
      $0 * (Double(stretch.count - $1) / Double($1 + 1))
    }
    guard older >= 1, 2 / arrangements <= significance,
      1 / Double(search.permutations + 1) <= significance
    else {
      finding.verdict = .inconclusive
      return finding
    }
    let sigma =
      1.4826 * median(stretch.map { abs($0 - finding.level) }) / finding.level
    let detectable =
      (Normal.quantile(1 - significance / 2) + Normal.quantile(0.8)) * sigma
      * (1 / newer + 1 / older).squareRoot()
    finding.detectable = detectable
    finding.verdict = detectable <= policy.threshold ? .pass : .inconclusive
    return finding
  }
}

extension NightlyCheck.Finding {
  fileprivate var newestChange: Double { recentChange ?? 0 }

  fileprivate var rank: Int {
    switch verdict {
    case .regressed: 0
    case _ where isWatched: 1
    case .improved: 2
    case .inconclusive: 3
    case .pass: 4
    case .unjudged: 5
    }
  }
}
