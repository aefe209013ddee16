/// All that a gate found: printed, written as JSON, and the source of every other form.
package struct GateDocument: Codable, Sendable {
  package var version = 1
  package var conclusion = Conclusion.couldNotMeasure
  package var baseline: String
  package var candidate: String
  package var policy: Policy
  package var seed: UInt64
  package var budgetSeconds: Double
  package var elapsedSeconds = 0.0
  /// The arms are the same bytes with the same arguments: nothing was measured.
  package var isIdentical = false
  package var facts: FactComparison?
  package var times: [GateSession.Result] = []
  /// Fresh processes that were timed.
  package var launches = 0
  /// Why nothing could be measured.
  package var obstacles: [String] = []
  package var warnings: [String] = []

  package init(
    baseline: String, candidate: String, policy: Policy, seed: UInt64, budgetSeconds: Double
  ) {
    self.baseline = baseline
    self.candidate = candidate
    self.policy = policy
    self.seed = seed
    self.budgetSeconds = budgetSeconds
  }

  /// Something became better, surely: a flag beside the conclusion.
  package var isImprovement: Bool {
    facts?.isImprovement == true || times.contains { $0.effect.verdict == .improved }
  }

  /// In the order of judgement: what cannot be compared, then exact facts, then time.
  package mutating func conclude() {
    let verdicts = times.map(\.effect.verdict)
    if !obstacles.isEmpty || facts?.obstacles.isEmpty == false {
      conclusion = .couldNotMeasure
    } else if facts?.isRegression == true || verdicts.contains(.regressed) {
      conclusion = .regression
    } else if verdicts.contains(where: { [.inconclusive, .unjudged].contains($0) }) {
      conclusion = .inconclusive
    } else {
      conclusion = .pass
    }
  }
}
