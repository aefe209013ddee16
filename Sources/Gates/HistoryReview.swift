package import History
internal import Statistics

/// Every judged series of a history with its whole past: what a page draws.
///
/// The newest window is searched and judged as `NightlyCheck` does. Older runs are searched in windows of the
/// same length that begin at every half window, counted from the first run: such a window never changes again,
/// so its answer is the same in every later night. Of each the middle half counts, where a step has runs
/// enough on both sides.
package struct HistoryReview: Sendable {
  /// Runs on one level, by their place in the series.
  package struct Stretch: Hashable, Sendable {
    package var runs: Range<Int>
    /// Median.
    package var level: Double
  }

  /// Between two stretches.
  package struct Step: Hashable, Sendable {
    /// Place of the first run on the new level.
    package var place: Int
    package var p: Double
    /// Share by which the level became worse; below 0 it became better.
    package var change: Double
    /// Within the newest runs: not yet the level that the project lives with.
    package var isRecent: Bool
  }

  package struct Entry: Sendable {
    package var series: FigureSeries
    package var finding: NightlyCheck.Finding
    /// At least one; they cover all runs.
    package var stretches: [Stretch]
    /// One fewer.
    package var steps: [Step]
  }

  package let check: NightlyCheck
  /// By trace, host, experiment, architecture, design, mode and figure, as the history gives them.
  package let entries: [Entry]

  /// - Parameters: as of `NightlyCheck`.
  package init(
    series: [FigureSeries], newest: [RunRecord], previous: [RunRecord],
    obstacles: [String] = [], policy: Policy, options: NightlyCheck.Options = .init(),
    known: StepAnswers = StepAnswers()
  ) {
    check = NightlyCheck(
      series: series, newest: newest, previous: previous, obstacles: obstacles, policy: policy,
      options: options, known: known)
    let significance = NightlyCheck.significance(of: series, policy)
    entries = series.filter { NightlyCheck.isJudged($0) && !$0.points.isEmpty }.map { series in
      let finding = NightlyCheck.finding(series, significance, policy, options, known)
      return Entry(series, finding, significance, options, known)
    }
  }

  /// All that has to be searched for a review, each once: for those who do it side by side beforehand.
  package static func searches(
    series: [FigureSeries], policy: Policy, options: NightlyCheck.Options = .init()
  ) -> [StepSearch] {
    let significance = NightlyCheck.significance(of: series, policy)
    var seen: Set<StepSearch> = []
    return series.filter(NightlyCheck.isJudged).flatMap { series in
      let newest = StepSearch(
        NightlyCheck.window(of: series, options).map(\.value), significance: significance,
        seed: options.seed, minimumRuns: options.minimumRuns)
      return [newest].compactMap { $0 }
        + Entry.pastWindows(of: series.points.count, options).compactMap {
          StepSearch(
            series.points[$0].map(\.value), significance: significance, seed: options.seed,
            minimumRuns: options.minimumRuns)
        }
    }.filter { seen.insert($0).inserted }
  }
}

extension HistoryReview.Entry {
  fileprivate init(
    _ series: FigureSeries, _ finding: NightlyCheck.Finding, _ significance: Double,
    _ options: NightlyCheck.Options, _ known: StepAnswers
  ) {
    self.series = series
    self.finding = finding
    let values = series.points.map(\.value)
    // Where the newest window takes over.
    let border = Self.border(values.count, options)
    var found: [(place: Int, p: Double)] = []
    for window in Self.pastWindows(of: values.count, options) {
      let from = window.lowerBound + window.count / 4
      let middle = (window.lowerBound == 0 ? 0 : from)..<from + window.count / 2
      guard
        let search = StepSearch(
          Array(values[window]), significance: significance, seed: options.seed,
          minimumRuns: options.minimumRuns)
      else { continue }
      found += known.steps(of: search).map { (window.lowerBound + $0.index, $0.p) }
        .filter { middle.contains($0.0) && $0.0 < border }
    }
    let places = Dictionary(
      series.points.enumerated().map { ($1.run, $0) }, uniquingKeysWith: { first, _ in first })
    found += finding.steps.compactMap { step in places[step.run].map { ($0, step.p) } }
      .filter { $0.0 >= border }

    let borders = [0] + found.map(\.place) + [values.count]
    let stretches = zip(borders, borders.dropFirst()).map { from, to in
      HistoryReview.Stretch(runs: from..<to, level: median(Array(values[from..<to])))
    }
    self.stretches = stretches
    steps = found.enumerated().map { index, step in
      let (before, after) = (stretches[index].level, stretches[index + 1].level)
      return HistoryReview.Step(
        place: step.place, p: step.p,
        change: series.lowerIsBetter ? after / before - 1 : before / after - 1,
        isRecent: values.count - step.place <= options.recent)
    }
  }

  /// Windows that lie wholly in front of some later night's newest window.
  fileprivate static func pastWindows(
    of count: Int, _ options: NightlyCheck.Options
  ) -> [Range<Int>] {
    guard count > options.window else { return [] }
    return stride(from: 0, through: count - options.window, by: options.window / 2)
      .map { $0..<$0 + options.window }.filter { $0.lowerBound < border(count, options) }
  }

  private static func border(_ count: Int, _ options: NightlyCheck.Options) -> Int {
    count > options.window ? count - options.window + options.window / 8 : 0
  }
}
