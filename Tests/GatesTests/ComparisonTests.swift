import Foundation
import Gates
import History
import Testing

@Suite struct ComparisonTests {
  private func compare(
    _ a: [RunRecord], _ b: [RunRecord], _ policy: Policy = Policy()
  ) throws -> Comparison {
    try Comparison(baseline: a, candidate: b, policy: policy)
  }

  private func facts(_ a: RunRecord, _ b: RunRecord, _ policy: Policy = Policy()) -> FactComparison
  {
    FactComparison(baseline: [a], candidate: [b], policy: policy)
  }

  @Test func equalRecordsHaveNoFinding() {
    let facts = facts(Example.record(), Example.record())
    #expect(facts.obstacles.isEmpty && !facts.isRegression && !facts.isImprovement)
    #expect(facts.cells.count == 3 && facts.cells.allSatisfy { $0.work.isEmpty })
  }

  @Test func everyChangedCounterIsShownByName() throws {
    let before = ["tlb-misses": 10, "cd-reads": 4, "translation-cache-hits": 7] as [String: UInt64]
    let after =
      ["tlb-misses": 11, "cd-reads": 3, "translation-cache-hits": 2, "wake-ups": 1]
      as [String: UInt64]
    let found = facts(Example.record(work: before), Example.record(work: after))
    let cell = try #require(found.cells.first { !$0.work.isEmpty })
    #expect(
      cell.work.map(\.counter) == ["cd-reads", "tlb-misses", "translation-cache-hits", "wake-ups"])
    #expect(cell.work.map(\.isWorse) == [false, true, false, true])
    #expect(found.isRegression)
    var policy = Policy()
    policy.acceptsWork = true
    #expect(!facts(Example.record(work: before), Example.record(work: after), policy).isRegression)
  }

  @Test func lessWorkIsAnImprovementAndFewerHitsAreNeither() {
    let less = facts(Example.record(), Example.record(work: ["tlb-misses": 9]))
    #expect(!less.isRegression && less.isImprovement)
    let hits = facts(
      Example.record(work: ["translation-cache-hits": 9]),
      Example.record(work: ["translation-cache-hits": 8]))
    #expect(!hits.isRegression && !hits.isImprovement && hits.cells.contains { !$0.work.isEmpty })
  }

  @Test func outcomesAndLedgerComeBeforeWork() {
    let other = Example.record { $0.cells[0].digest = "abd" }
    #expect(facts(Example.record(), other).cells[0].equality[0].contains("abc against abd"))
    let lost = Example.record { $0.cells[0].ledger?.lost = ["lost: unmapped event": 2] }
    let found = facts(Example.record(), lost)
    #expect(found.cells[0].ledger.contains { $0.contains("does not hold: offered 10") })
    #expect(found.cells[0].ledger.contains("lost: unmapped event: 1 against 2"))
    #expect(found.isRegression)
    let broken = Example.record { $0.cells[0].conformance?.firstDifference = "event 3" }
    #expect(facts(Example.record(), broken).isRegression)
    #expect(facts(broken, Example.record()).obstacles[0].contains("the baseline does not conform"))
  }

  @Test func anotherHostIsRefusedByTheNamesOfItsFacts() throws {
    let other = HostFingerprint(facts: ["cpu-model": "y", "cpus": "2", "smt": "1"])
    let found = facts(Example.record(), Example.record(host: other))
    #expect(found.obstacles.count == 1 && found.cells.isEmpty)
    #expect(found.obstacles[0].contains("cpu-model: x against y; smt: unknown against 1"))
    #expect(try compare([Example.record()], [Example.record(host: other)]).figures.isEmpty)
    var newer = Example.host
    newer.schema = 2
    #expect(
      facts(Example.record(), Example.record(host: newer)).obstacles[0]
        .contains("fingerprint schema: 1 against 2"))
  }

  @Test func anotherTraceOrAMissingCellIsAnObstacle() {
    let other = Example.record { $0.trace.contentHash = "01" }
    #expect(facts(Example.record(), other).obstacles[0].contains("no run of this trace"))
    let fewer = Example.record { $0.cells.removeLast() }
    #expect(facts(Example.record(), fewer).obstacles[0].contains("candidate did not measure"))
    #expect(facts(fewer, Example.record()).obstacles[0].contains("baseline did not measure"))
  }

  @Test func oneLaunchIsNotJudged() throws {
    let comparison = try compare([Example.record()], [Example.record(delivery: [9, 9])])
    let figure = try #require(comparison.figures.first { $0.name == "delivery-ns-per-event" })
    #expect(figure.effect?.verdict == .unjudged && figure.effect?.lower == nil)
    #expect(abs((figure.effect?.change ?? 0) - 0.8) < 1e-9)
  }

  @Test func launchesGiveIntervalsScatterAndTheWorstOnTop() throws {
    let comparison = try compare(
      Example.launches(12, around: 5, seed: 1), Example.launches(12, around: 5.5, seed: 2))
    let figure = comparison.figures[0]
    let effect = try #require(figure.effect)
    #expect(effect.verdict == .regressed && effect.p < 0.001)
    #expect(try #require(effect.lower) > 0.08 && effect.change < 0.12)
    #expect(figure.baseline.launches == 12)
    let delivery = try #require(comparison.figures.first { $0.name == "delivery-ns-per-event" })
    #expect(try #require(delivery.candidate.within) > 0.05)
    let curve = try #require(comparison.curves.first { $0.name == "total" })
    #expect(curve.points.first { $0.percent == 50 }.map { $0.candidate > $0.baseline } == true)
    let better = try compare(
      Example.launches(12, around: 5.5, seed: 1), Example.launches(12, around: 5, seed: 2))
    #expect(better.figures[0].effect?.verdict == .improved)
    let same = try compare(
      Example.launches(12, around: 5, seed: 1), Example.launches(12, around: 5, seed: 2))
    #expect(
      same.figures.first { $0.name == "delivery-ns-per-event" }?.effect?.verdict == .pass)
  }

  /// The host drifts by half from launch to launch: apart, 3 % cannot be seen; in pairs it is plain.
  @Test func pairsSeeWhatLaunchesApartCannot() throws {
    let drift = (0..<12).map { 5 * (1 + 0.05 * Double($0)) }
    let (before, after) = (
      drift.map { Example.record(delivery: [$0]) },
      drift.enumerated().map { Example.record(delivery: [$1 * (1.03 + 0.001 * Double($0 % 3))]) }
    )
    func effect(isPaired: Bool) throws -> Effect {
      let comparison = try Comparison(
        baseline: before, candidate: after, policy: Policy(), isPaired: isPaired)
      #expect(comparison.isPaired == (isPaired ? true : nil))
      let tail = comparison.figures.first { $0.name == "total p99" }
      #expect(tail?.effect?.blocks == 12, "every launch has a tail of its own")
      let figure = comparison.figures.first { $0.name == "delivery-ns-per-event" }
      return try #require(figure?.effect)
    }
    #expect(try effect(isPaired: false).verdict == .inconclusive)
    let paired = try effect(isPaired: true)
    #expect(paired.verdict == .regressed && paired.blocks == 12)
    #expect(try #require(paired.lower) > 0.029 && #require(paired.upper) < 0.033)
  }

  @Test func moreIsBetterWhereItIs() throws {
    func launches(_ value: Double) -> [RunRecord] {
      (0..<8).map { launch in
        Example.record {
          $0.cells[1].experiment = "pipeline"
          $0.cells[1].metrics = [
            .init(
              name: "events-per-second", unit: "1/s", lowerIsBetter: false, value: value,
              samples: [value + Double(launch)])
          ]
        }
      }
    }
    let comparison = try compare(launches(1000), launches(800))
    let figure = try #require(comparison.figures.first { $0.name == "events-per-second" })
    #expect(figure.effect?.verdict == .regressed)
    #expect(try #require(figure.effect).change > 0.2)
  }

  @Test func aComparisonIsWrittenAsJSON() throws {
    let comparison = try compare([Example.record()], [Example.record(delivery: [0, 0])])
    let data = try JSONEncoder().encode(comparison)
    let back = try JSONDecoder().decode(Comparison.self, from: data)
    #expect(back.figures.count == comparison.figures.count)
    #expect(back.figures.contains { $0.effect == nil }, "no ratio with 0")
  }
}
