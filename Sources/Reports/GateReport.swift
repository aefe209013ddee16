package import Gates

/// What `doorbell gate` prints: the conclusion, the exact part, then time by cell.
package struct GateReport {
  let document: GateDocument

  package init(_ document: GateDocument) { self.document = document }

  /// The conclusion in a line.
  package var headline: String {
    document.conclusion.rawValue.replacing("-", with: " ")
      + (document.isImprovement ? ", with an improvement" : "")
  }

  /// The conditions in a line.
  package var conditions: String {
    if document.isIdentical {
      return "the arms are the same bytes with the same arguments: nothing to measure"
    }
    return "threshold \(Percent.plain(document.policy.threshold)) %, false alarms "
      + "\(Percent.plain(document.policy.falseAlarm)) %, seed \(document.seed), "
      + "\(document.launches) launches, \(Format.number(document.elapsedSeconds)) s of "
      + "\(Format.number(document.budgetSeconds)) s"
  }

  package func text() -> String {
    var out = "gate   \(headline)\n"
    out += "arms   \(document.baseline) (baseline), \(document.candidate) (candidate)\n"
    out += "how    \(conditions)\n"
    for obstacle in document.obstacles { out += "\ncannot measure: \(obstacle)\n" }
    if let facts = document.facts { out += "\n" + FactReport(facts).text() }
    if !document.times.isEmpty {
      let share = Percent.plain(document.policy.threshold)
      out += """

        Time: regressed and improved are sure and \(share) % or more; pass rules out \(share) % or more
        \(GateTable.times(document.times).text())
        """
    } else if document.facts?.isRegression == true {
      out += "\ntime was not measured: what is above decides\n"
    }
    for warning in document.warnings { out += "\nwarning: \(warning)\n" }
    return out
  }
}

enum GateTable {
  static func times(_ results: [GateSession.Result]) -> Table {
    var table = Table([
      .word("trace"), .word("design"), .word("stage"), .number("slower by %"),
      .word("interval, %"), .number("p"), .number("blocks"), .word("judged on"), .word("verdict"),
    ])
    for result in results {
      table.add([
        result.cell.trace, result.cell.design, result.cell.stage ?? result.cell.experiment,
        Percent.signed(result.effect.change), Percent.interval(result.effect),
        Percent.p(result.effect), "\(result.effect.blocks)", result.phase.rawValue,
        result.effect.verdict.rawValue,
      ])
    }
    return table
  }
}
