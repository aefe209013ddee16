package import Gates

/// What `gate` and `compare` found, one line per question and cell: the one source of the Markdown, JUnit,
/// SARIF and OpenMetrics forms, so that they cannot contradict each other.
package struct Findings: Sendable {
  package enum Question: String, CaseIterable, Sendable {
    case equality, ledger, work, time

    var text: String {
      switch self {
      case .equality: "Every outcome is that of the reference model and of the baseline."
      case .ledger: "Every interrupt is accounted for as in the baseline."
      case .work: "No exact work counter rose."
      case .time: "No stage is slower, surely and by the threshold or more."
      }
    }
  }

  package struct Line: Sendable {
    var cell: CellKey
    var question: Question
    /// The figure, where a cell has several.
    var figure: String?
    var verdict: Verdict
    /// In words; one line each.
    var details: [String]
    var effect: Effect?

    var name: String { figure.map { "\(question.rawValue) \($0)" } ?? question.rawValue }
  }

  /// "doorbell gate", "doorbell compare".
  var title: String
  var conclusion: Conclusion
  var isImprovement: Bool
  var conditions: String
  var baseline: String
  var candidate: String
  var seconds: Double?
  var lines: [Line]
  /// Why nothing could be compared.
  var obstacles: [String]
  var warnings: [String]

  package init(_ gate: GateDocument) {
    title = "doorbell gate"
    conclusion = gate.conclusion
    isImprovement = gate.isImprovement
    conditions = GateReport(gate).conditions
    baseline = gate.baseline
    candidate = gate.candidate
    seconds = gate.elapsedSeconds
    obstacles = gate.obstacles + (gate.facts?.obstacles ?? [])
    warnings = gate.warnings
    lines = Self.exact(gate.facts)
    for result in gate.times {
      lines.append(
        Self.time(
          result.cell, result.cell.stage, result.effect, "blocks of \(result.phase.rawValue)"))
    }
  }

  /// - Parameters: what the arms are called.
  package init(_ comparison: Comparison, baseline: String, candidate: String) {
    title = "doorbell compare"
    self.baseline = baseline
    self.candidate = candidate
    obstacles = comparison.facts.obstacles
    warnings = comparison.warnings
    conditions =
      "threshold \(Percent.plain(comparison.policy.threshold)) %, false alarms "
      + "\(Percent.plain(comparison.policy.falseAlarm)) %"
    lines = Self.exact(comparison.facts)
    for figure in comparison.figures {
      guard let effect = figure.effect else { continue }
      lines.append(Self.time(figure.cell, figure.name, effect, "launches"))
    }
    let verdicts = lines.map(\.verdict)
    isImprovement = verdicts.contains(.improved)
    conclusion =
      if !obstacles.isEmpty {
        .couldNotMeasure
      } else if verdicts.contains(.regressed) {
        .regression
      } else if verdicts.contains(.inconclusive) || verdicts.contains(.unjudged) {
        .inconclusive
      } else {
        .pass
      }
  }

  private static func exact(_ facts: FactComparison?) -> [Line] {
    (facts?.cells ?? []).flatMap { cell in
      let work = cell.work.map { change in
        "\(change.counter) (\(change.part)): \(Format.count(change.baseline)) against "
          + Format.count(change.candidate)
      }
      return [
        Line(
          cell: cell.key, question: .equality, verdict: cell.equality.isEmpty ? .pass : .regressed,
          details: cell.equality),
        Line(
          cell: cell.key, question: .ledger, verdict: cell.ledger.isEmpty ? .pass : .regressed,
          details: cell.ledger),
        Line(
          cell: cell.key, question: .work,
          verdict: cell.equality.isEmpty && cell.ledger.isEmpty ? cell.verdict : .unjudged,
          details: work),
      ].filter {
        // Only the proof has an account and counters; other cells have outcomes.
        $0.question == .equality || cell.key.experiment == "equality" || !$0.details.isEmpty
      }
    }
  }

  private static func time(
    _ cell: CellKey, _ figure: String?, _ effect: Effect, _ basis: String
  ) -> Line {
    Line(
      cell: cell, question: .time, figure: figure, verdict: effect.verdict,
      details: [
        "slower by \(Percent.signed(effect.change)) %, interval \(Percent.interval(effect)) %, "
          + "p \(Percent.p(effect)), \(effect.blocks) \(basis)"
      ], effect: effect)
  }

  /// What a reader must see: not what passed.
  var notable: [Line] { lines.filter { ![.pass, .unjudged].contains($0.verdict) } }

  func count(_ verdict: Verdict) -> Int { lines.count { $0.verdict == verdict } }
}
