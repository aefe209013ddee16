import EventModel
import Gates
import Testing

/// Gates over simulated hosts, hundreds of them.
@Suite struct GateSessionTests {
  private static let cells = ["direct", "eventfd", "trapped"].map {
    CellKey(trace: "t", architecture: "a", design: $0, experiment: "core", mode: "modelled")
  }

  /// Noise of a shared host: 1.2 % in most blocks, and now and then a neighbour.
  private func noise(_ random: inout SplitMix64) -> Double {
    var sum = 0.0
    for _ in 0..<4 { sum += Double.random(in: -1...1, using: &random) }
    let scale = Double.random(in: 0...1, using: &random) < 0.05 ? 0.2 : 0.0104
    return sum * scale
  }

  /// - Parameter slower: of the first cell, on the logarithmic scale.
  private func gate(
    seed: UInt64, budget: Double, blockSeconds: Double = 0.26, slower: Double = 0,
    cells: [CellKey] = cells
  ) -> (results: [GateSession.Result], elapsed: Double) {
    var random = SplitMix64(seed: seed)
    var session = GateSession(
      cells: Dictionary(uniqueKeysWithValues: cells.map { ($0, .paired([])) }), policy: Policy(),
      budgetSeconds: budget)
    var elapsed = 0.0
    while let step = session.next(elapsed: elapsed) {
      elapsed += blockSeconds * Double(step.cells.count) / Double(cells.count)
      var block: [CellKey: Evidence] = [:]
      for cell in step.cells {
        let effect = cell == cells[0] ? slower : 0
        block[cell] = .paired([noise(&random) + effect])
      }
      session.add(block)
    }
    return (session.results, elapsed)
  }

  private func share(_ verdict: Verdict, _ gates: [[GateSession.Result]]) -> Double {
    Double(gates.count { $0.contains { $0.effect.verdict == verdict } }) / Double(gates.count)
  }

  @Test func equalArmsHardlyEverFailAndMostlyPass() {
    let gates = (0..<100).map { gate(seed: UInt64($0), budget: 10) }
    let failed = share(.regressed, gates.map(\.results))
    #expect(failed <= 0.01, "\(failed)")
    #expect(share(.inconclusive, gates.map(\.results)) < 0.05)
    #expect(gates.allSatisfy { $0.elapsed <= 10.3 })
  }

  /// A host so noisy that the estimate itself often passes the threshold: the test alone holds the line.
  @Test func falseAlarmsKeepTheirBudgetWhateverTheNoise() {
    var failed = 0
    for seed in 0..<150 {
      var random = SplitMix64(seed: UInt64(seed) &* 77)
      var session = GateSession(
        cells: Dictionary(uniqueKeysWithValues: Self.cells.map { ($0, .paired([])) }),
        policy: Policy(), budgetSeconds: 10)
      var elapsed = 0.0
      while let step = session.next(elapsed: elapsed) {
        elapsed += 0.3
        session.add(
          Dictionary(
            uniqueKeysWithValues: step.cells.map { ($0, .paired([noise(&random) * 20])) }))
      }
      if session.results.contains(where: { $0.effect.verdict == .regressed }) { failed += 1 }
    }
    // 1 % of 150, and three standard errors of that.
    #expect(failed <= 5, "\(failed)")
  }

  @Test func aSlowdownIsCaughtOnFreshLaunchesAlone() throws {
    let small = (0..<20).map { gate(seed: UInt64($0), budget: 60, slower: 0.0296) }
    #expect(share(.regressed, small.map(\.results)) >= 0.95)
    let large = (0..<40).map { gate(seed: UInt64($0), budget: 10, slower: 0.0953) }
    #expect(share(.regressed, large.map(\.results)) >= 0.95)
    let result = try #require(large[0].results.first { $0.effect.verdict == .regressed })
    #expect(result.phase == .confirmation && result.screened != nil)
    #expect(large[0].results.filter { $0.phase == .screening }.count == 2)
  }

  @Test func anImprovementIsFlaggedAndFailsNothing() {
    let gates = (0..<20).map { gate(seed: UInt64($0), budget: 10, slower: -0.1).results }
    #expect(share(.improved, gates) >= 0.95 && share(.regressed, gates) == 0)
  }

  @Test func aBudgetTooShortIsInconclusiveAndNeverARegression() {
    for budget in [0, 0.1, 1, 2] {
      let run = gate(seed: 1, budget: budget, slower: 0.5)
      let verdicts = run.results.map(\.effect.verdict)
      #expect(!verdicts.contains(.regressed) && verdicts.count == 3, "\(budget) \(verdicts)")
      #expect(run.elapsed <= budget + 0.6)
    }
  }

  @Test func noCellsEndAtOnce() {
    #expect(gate(seed: 1, budget: 10, cells: []).results.isEmpty)
  }

  @Test func theSameNumbersGiveTheSameGate() {
    #expect(gate(seed: 9, budget: 5).results == gate(seed: 9, budget: 5).results)
  }

  @Test func aStoredBaselineIsJudgedUnpaired() throws {
    var random = SplitMix64(seed: 4)
    let stored = (0..<20).map { _ in noise(&random) }
    for (slower, verdict) in [(0.0, Verdict.pass), (0.08, .regressed)] {
      var session = GateSession(
        cells: [Self.cells[0]: .unpaired(baseline: stored, candidate: [])], policy: Policy(),
        budgetSeconds: 10)
      var elapsed = 0.0
      while let step = session.next(elapsed: elapsed) {
        elapsed += 0.15
        session.add([step.cells[0]: .unpaired(baseline: [], candidate: [noise(&random) + slower])])
      }
      #expect(session.results[0].effect.verdict == verdict)
    }
  }

  @Test func conclusionsFollowTheOrderOfJudgement() {
    var document = GateDocument(
      baseline: "a", candidate: "b", policy: Policy(), seed: 1, budgetSeconds: 1)
    document.conclude()
    #expect(document.conclusion == .pass)
    document.times = gate(seed: 1, budget: 0.3, slower: 0.5).results
    document.conclude()
    #expect(document.conclusion == .inconclusive)
    document.facts = FactComparison(
      baseline: [Example.record()], candidate: [Example.record(work: ["tlb-misses": 11])],
      policy: Policy())
    document.conclude()
    #expect(document.conclusion == .regression)
    document.obstacles = ["no trace"]
    document.conclude()
    #expect(document.conclusion == .couldNotMeasure)
  }

  @Test func sensitivityTellsWhatIsCaught() throws {
    var random = SplitMix64(seed: 3)
    let evidence = Evidence.paired((0..<40).map { _ in noise(&random) })
    let long = try #require(
      Sensitivity(Self.cells[0], evidence, policy: Policy(), gateBlocks: 120, cells: 3))
    #expect(abs(long.floor) < 0.01 && long.lower < 0 && long.upper > 0)
    let least = try #require(long.minimumDetectable)
    #expect(least > 0.02 && least < 0.03, "\(least)")
    let short = try #require(
      Sensitivity(Self.cells[0], evidence, policy: Policy(), gateBlocks: 5, cells: 3))
    #expect(short.minimumDetectable == nil, "2⁻⁵ is no proof")
    #expect(
      Sensitivity(Self.cells[0], .paired([0.1]), policy: Policy(), gateBlocks: 9, cells: 1) == nil)
    // What it promises, simulated: 95 of 100 gates catch it.
    let gates = (0..<20).map { gate(seed: UInt64($0) + 500, budget: 60, slower: least).results }
    #expect(share(.regressed, gates) >= 0.8)
  }
}
