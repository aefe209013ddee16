import EventModel
import Gates
import History
import Testing

@Suite struct HistoryReviewTests {
  /// Nights at these levels (count, level), scattered by 0.5 %.
  private static func series(_ levels: [(Int, Double)], name: String = "delivery-ns-per-event")
    -> FigureSeries
  {
    var random = SplitMix64(seed: 3)
    let values = levels.flatMap { count, level in
      (0..<count).map { _ in
        level
          * (1 + 0.005
            * (0..<12).reduce(-6) { sum, _ in sum + Double.random(in: 0..<1, using: &random) })
      }
    }
    return FigureSeries(
      trace: "nvme", traceHash: "hash", host: "host", architecture: "arm-gicv4", design: "direct",
      experiment: "core", mode: "modelled", name: name, unit: "ns", lowerIsBetter: true,
      points: values.enumerated().map {
        .init(run: Int64($0), started: "night \($0)", commit: "c\($0)", value: $1)
      })
  }

  private static var options: NightlyCheck.Options {
    var options = NightlyCheck.Options()
    options.window = 40
    return options
  }

  private static func review(_ series: FigureSeries, known: StepAnswers = .init()) -> HistoryReview
  {
    HistoryReview(
      series: [series], newest: [], previous: [], policy: Policy(), options: options, known: known)
  }

  /// A year whose older steps the newest window does not hold any more.
  private static let year = series([(50, 6), (45, 6.6), (40, 6), (32, 6.3)])

  @Test func stepsOfEveryAgeAreFoundWhereTheyAre() throws {
    let entry = try #require(Self.review(Self.year).entries.first)
    #expect(entry.steps.map(\.place) == [50, 95, 135])
    #expect(entry.steps.map(\.isRecent) == [false, false, false])
    #expect(entry.stretches.map(\.runs) == [0..<50, 50..<95, 95..<135, 135..<167])
    for (stretch, level) in zip(entry.stretches, [6, 6.6, 6, 6.3]) {
      #expect(abs(stretch.level - level) < 0.05)
    }
    #expect(entry.steps[0].change > 0.08 && entry.steps[1].change < -0.08)
  }

  /// An old window keeps its answer: one more night asks one new question.
  @Test func oneMoreNightIsOneMoreSearch() {
    let policy = Policy()
    var earlier = Self.year
    earlier.points.removeLast()
    let before = HistoryReview.searches(series: [earlier], policy: policy, options: Self.options)
    let after = HistoryReview.searches(series: [Self.year], policy: policy, options: Self.options)
    let new = Set(after).subtracting(before)
    #expect(after.count > 5)
    #expect(new.count == 1)
    #expect(new.first?.values == Self.year.points.suffix(40).map(\.value))
  }

  @Test func whatWasKnownGivesTheSameReview() throws {
    let searches = HistoryReview.searches(
      series: [Self.year], policy: Policy(), options: Self.options)
    let answers = StepAnswers.to(searches)
    #expect(Set(answers.byDigest.keys) == Set(searches.map(\.digest)))
    let (kept, fresh) = (Self.review(Self.year, known: answers), Self.review(Self.year))
    #expect(kept.entries[0].steps == fresh.entries[0].steps)
    // Known answers are taken: an empty one hides a step.
    let nothing = StepAnswers(answers.byDigest.mapValues { _ in [] })
    #expect(StepAnswers.to(searches, known: nothing).byDigest == nothing.byDigest)
    #expect(Self.review(Self.year, known: nothing).entries[0].steps.isEmpty)
  }

  /// The verdict of a page is that of the check, whatever stands in older windows.
  @Test func theNewestWindowIsJudgedAsTheCheckDoes() throws {
    let series = Self.series([(60, 6), (50, 6.3), (5, 6.6)])
    let review = Self.review(series)
    let check = NightlyCheck(
      series: [series], newest: [], previous: [], policy: Policy(), options: Self.options)
    #expect(review.check.findings[0].verdict == .regressed)
    #expect(review.entries[0].finding.steps == check.findings[0].steps)
    #expect(review.entries[0].steps.map(\.place) == [60, 110])
    #expect(review.entries[0].steps.last?.isRecent == true)
  }

  @Test func whatIsNotJudgedIsNotShown() {
    let series = Self.series([(20, 6)], name: "stage-its-p50")
    #expect(Self.review(series).entries.isEmpty)
    #expect(HistoryReview.searches(series: [series], policy: Policy()).isEmpty)
  }
}
