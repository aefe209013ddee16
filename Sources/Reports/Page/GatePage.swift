import Gates

/// The chapter of a gate: how it ended, and on what that rests.
struct GatePage {
  let document: GateDocument

  init(_ document: GateDocument) { self.document = document }

  var headlines: [String] {
    let cells = document.times.count
    var line = "The gate ended as \(Self.words(document.conclusion))"
    if document.isIdentical {
      line += ": both arms are the same bytes with the same arguments, and nothing was measured"
    } else if cells > 0 {
      line +=
        ": \(cells) cells timed in \(Format.count(UInt64(document.launches))) launches and "
        + "\(Format.number(document.elapsedSeconds)) s"
    }
    return [line + (document.isImprovement ? "; something became better, surely." : ".")]
      + worst
  }

  private var worst: [String] {
    guard let first = ordered.first, first.effect.lower != nil else { return [] }
    return [
      "First by weight: \(first.cell) changed by \(Percent.signed(first.effect.change)) % "
        + "(interval \(Percent.interval(first.effect)) %, p \(Percent.p(first.effect))): "
        + "\(first.effect.verdict.rawValue). More is worse."
    ]
  }

  private static func words(_ conclusion: Conclusion) -> String {
    conclusion.rawValue.replacing("-", with: " ")
  }

  /// Regressions first, then what is not sure, improvements, and the rest; the larger effect first.
  private var ordered: [GateSession.Result] {
    func rank(_ result: GateSession.Result) -> (Int, Double) {
      let verdict = Verdict.allCases.firstIndex(of: result.effect.verdict) ?? 0
      return (verdict, -abs(result.effect.change))
    }
    return document.times.sorted { rank($0) < rank($1) }
  }

  var chapter: ReportPage.Chapter {
    var table = Table([
      .word("cell"), .number("worse by %"), .number("interval, %"), .number("p"),
      .number("blocks"), .word("verdict"), .word("rests on"), .number("screened, %"),
    ])
    for result in ordered {
      table.add([
        "\(result.cell)", Percent.signed(result.effect.change), Percent.interval(result.effect),
        Percent.p(result.effect), "\(result.effect.blocks)", result.effect.verdict.rawValue,
        result.phase.rawValue, result.screened.map { Percent.signed($0.change) } ?? "–",
      ])
    }
    let policy = document.policy
    let figure = ChangeFigure.figure(
      ordered.map { ("\($0.cell)", $0.effect) }, policy: policy)
    return ReportPage.Chapter(
      title: "Gate",
      facts: [
        ("Conclusion", Self.words(document.conclusion)), ("Baseline", document.baseline),
        ("Candidate", document.candidate), ("Threshold", Percent.plain(policy.threshold) + " %"),
        ("False alarms, at most", Percent.plain(policy.falseAlarm) + " %"),
        ("Seed", "\(document.seed)"),
        ("Budget", Format.number(document.budgetSeconds) + " s"),
      ],
      sections: [
        PageSection(
          "Verdicts",
          "In the order of trust: outcomes, ledger, work counters, and only then time, judged on "
            + "interleaved launches under one budget of false alarms.",
          figures: figure.map { [$0] } ?? [],
          tables: [
            document.facts.flatMap { FactReport($0).section },
            ReportSection("Time by cell", table),
          ],
          cautions: document.obstacles + (document.facts?.obstacles ?? []) + document.warnings)
      ].filter { !$0.isEmpty })
  }
}
