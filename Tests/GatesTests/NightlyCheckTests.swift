import EventModel
import Gates
import History
import Testing

@Suite struct NightlyCheckTests {
  private static func series(
    _ values: [Double], lowerIsBetter: Bool = true, name: String = "delivery-ns-per-event"
  ) -> FigureSeries {
    FigureSeries(
      trace: "nvme", traceHash: "hash", host: "host", architecture: "arm-gicv4", design: "direct",
      experiment: "core", mode: "modelled", name: name, unit: "ns", lowerIsBetter: lowerIsBetter,
      points: values.enumerated().map {
        .init(run: Int64($0), started: "night \($0)", commit: "c\($0)", value: $1)
      })
  }

  /// Nights at these levels (count, level), scattered by 0.5 %.
  private static func nights(_ levels: (Int, Double)..., seed: UInt64 = 3) -> [Double] {
    var random = SplitMix64(seed: seed)
    return levels.flatMap { count, level in
      (0..<count).map { _ in
        level
          * (1 + 0.005
            * (0..<12).reduce(-6) { sum, _ in
              sum + Double.random(in: 0..<1, using: &random)
            })
      }
    }
  }

  private static func check(
    _ series: FigureSeries..., options: NightlyCheck.Options = .init()
  ) -> NightlyCheck {
    NightlyCheck(series: series, newest: [], previous: [], policy: Policy(), options: options)
  }

  @Test func aStepOfFiveNightsAgoIsARegressionWithItsCommit() throws {
    let check = Self.check(Self.series(Self.nights((30, 6), (5, 6.3))))
    let finding = try #require(check.findings.first)
    #expect(finding.verdict == .regressed && check.conclusion == .regression)
    let step = try #require(finding.steps.last)
    #expect(step.run == 30 && step.commit == "c30" && step.p <= 0.01)
    #expect(abs(step.change - 0.05) < 0.01 && abs(finding.level - 6.3) < 0.05)
  }

  @Test func whatIsBetterDependsOnTheFigure() {
    let down = Self.series(Self.nights((30, 6.3), (5, 6)))
    #expect(Self.check(down).findings[0].verdict == .improved)
    #expect(Self.check(down).conclusion == .pass)
    let rate = Self.series(Self.nights((30, 6.3), (5, 6)), lowerIsBetter: false)
    #expect(Self.check(rate).findings[0].verdict == .regressed)
  }

  @Test func aStepOfLongAgoAlarmsNoMoreAndCutsTheWindow() {
    let check = Self.check(Self.series(Self.nights((30, 6), (20, 6.6))))
    #expect(check.findings[0].steps.map(\.run) == [30])
    #expect(check.findings[0].verdict == .pass && check.conclusion == .pass)
    #expect(abs(check.findings[0].level - 6.6) < 0.05)
  }

  @Test func aLoneLastPointIsWatchedAndNoAlarm() {
    let check = Self.check(Self.series(Self.nights((30, 6)) + [7.5]))
    #expect(check.findings[0].isWatched && check.findings[0].steps.isEmpty)
    #expect(check.conclusion == .pass)
    // For the better is no reason to watch.
    #expect(!Self.check(Self.series(Self.nights((30, 6)) + [5])).findings[0].isWatched)
  }

  @Test func aHostThatScattersIsInconclusive() {
    var options = NightlyCheck.Options()
    options.seed = 2
    let values = Self.nights((30, 6)).enumerated().map { $1 * ($0 % 2 == 0 ? 1 : 1.08) }
    let check = Self.check(Self.series(values), options: options)
    #expect(check.findings[0].verdict == .inconclusive && check.conclusion == .inconclusive)
    #expect((check.findings[0].detectable ?? 0) > 0.02)
  }

  /// Steps within the newest runs count together.
  @Test func aSmallStepHidesNoLargeOneNorDoTwoSmallOnes() {
    var options = NightlyCheck.Options()
    options.recent = 18
    let cases: [(levels: [(Int, Double)], verdict: Verdict)] = [
      ([(30, 6.0), (8, 6.6), (8, 6.4)], .regressed),
      ([(30, 6.0), (8, 6.6), (8, 6.67)], .regressed),
      ([(30, 6.0), (8, 6.09), (8, 6.18)], .regressed),
      ([(30, 6.0), (8, 6.6), (10, 6.0)], .pass),
      ([(30, 6.0), (8, 6.6), (8, 5.8)], .improved),
    ]
    for (levels, verdict) in cases {
      var values: [Double] = []
      for (count, level) in levels {
        for index in 0..<count {
          let offset = Double((index * 7) % 5 - 2)
          values.append(level * (1 + 0.0005 * offset))
        }
      }
      let finding = Self.check(Self.series(values), options: options).findings[0]
      #expect(finding.verdict == verdict, "\(levels): \(finding.steps.map(\.run))")
    }
  }

  /// Of 14 runs no step of four can be told from chance at 1 % ÷ 20: that is no pass.
  @Test func whereNoStepCouldBeFoundIsNoPass() {
    let series = (0..<20).map { index in
      let quiet = (0..<14).map { 6 + 0.001 * Double($0 % 3) }
      return Self.series(index == 0 ? quiet.prefix(10) + [9, 9, 9, 9] : quiet)
    }
    let check = NightlyCheck(series: series, newest: [], previous: [], policy: Policy())
    #expect(check.conclusion == .inconclusive)
    #expect(check.findings.allSatisfy { $0.verdict == .inconclusive && $0.detectable == nil })
    // Of a single series eight runs say nothing at 1 %, either, and twelve do.
    let eight = Self.check(Self.series(Self.nights((8, 6))))
    #expect(eight.findings[0].verdict == .inconclusive && eight.findings[0].detectable == nil)
    #expect(Self.check(Self.series(Self.nights((12, 6)))).findings[0].detectable != nil)
  }

  @Test func fewRunsAreUnjudgedAndNoneCannotBeMeasured() {
    let few = Self.check(Self.series(Self.nights((7, 6))))
    #expect(few.findings[0].verdict == .unjudged && few.conclusion == .inconclusive)
    #expect(Self.check().conclusion == .couldNotMeasure)
    #expect(Self.check(Self.series([1, 2], name: "stage-p99-its")).findings.isEmpty)
    var harness = Self.series(Self.nights((30, 6), (5, 6.3)))
    harness.design = "null"
    #expect(Self.check(harness).findings.isEmpty)
  }

  @Test func oneBudgetOfFalseAlarmsCoversAllSeries() {
    var alarms = 0
    for seed in 0..<20 {
      let series = (0..<10).map {
        Self.series(Self.nights((16, 6), seed: UInt64(100 * seed + $0)))
      }
      let check = NightlyCheck(series: series, newest: [], previous: [], policy: Policy())
      alarms += check.findings.contains { !$0.steps.isEmpty } ? 1 : 0
    }
    #expect(alarms <= 2, "\(alarms)")
  }

  @Test func aCounterThatRoseSinceTheRunBeforeIsARegression() throws {
    func record(_ reads: UInt64) -> RunRecord {
      var cell = RunRecord.Cell(
        design: "direct", setUp: "owned", delivery: "vlpi", experiment: "core")
      cell.deliveryCounters = ["itt-reads": reads]
      return RunRecord(
        tool: .init(name: "doorbell", version: "0"), command: [], started: "",
        trace: .init(
          name: "nvme", contentHash: "hash", events: 1, eventsByKind: [:], lostEvents: 0),
        host: HostFingerprint(facts: [:]), cells: [cell])
    }
    let series = [Self.series(Self.nights((12, 6)))]
    func conclusion(_ before: UInt64, _ after: UInt64) -> Conclusion {
      NightlyCheck(
        series: series, newest: [record(after)], previous: [record(before)], policy: Policy()
      ).conclusion
    }
    #expect(conclusion(5, 6) == .regression && conclusion(5, 5) == .pass)
    #expect(conclusion(6, 5) == .pass)
  }
}
