package import Gates

/// What `doorbell history check` prints: the exact part if anything differs, what changed lately, what is
/// watched, and every series in one line. The last line is the conclusion.
package struct NightlyReport {
  let check: NightlyCheck

  package init(_ check: NightlyCheck) { self.check = check }

  package func text() -> String {
    var out = FactReport(check.facts).text()
    for section in [changes, series].compactMap({ $0 }) { out += "\n" + section.text() }
    return out + "\n" + conclusion + "\n"
  }

  private var changes: ReportSection? {
    var table = Table([
      .word("trace"), .word("design"), .word("experiment"), .word("figure"), .number("before"),
      .number("since"), .number("worse by %"), .word("first run"), .word("commit"), .number("p"),
      .word("verdict"),
    ])
    for finding in check.findings {
      for step in finding.steps.reversed() {
        table.add([
          finding.cell.trace, finding.cell.design, finding.cell.question,
          "\(finding.name), \(finding.unit)", Format.number(step.before),
          Format.number(step.after), Percent.signed(step.change), "\(step.run) \(step.started)",
          step.commit.map { String($0.prefix(12)) } ?? "–", Format.number(step.p),
          step.isRecent ? finding.verdict.rawValue : "accepted",
        ])
      }
    }
    return ReportSection("Steps, newest first in each series", table)
  }

  private var series: ReportSection? {
    var table = Table([
      .word("trace"), .word("design"), .word("experiment"), .word("figure"), .number("runs"),
      .number("level"), .number("newest"), .number("would see %"), .word("verdict"),
    ])
    for finding in check.findings {
      table.add([
        finding.cell.trace, finding.cell.design, finding.cell.question,
        "\(finding.name), \(finding.unit)", "\(finding.runs)", Format.number(finding.level),
        Format.number(finding.newest), finding.detectable.map(Percent.plain) ?? "–",
        finding.isWatched ? "watch" : finding.verdict.rawValue,
      ])
    }
    return ReportSection(
      "Series: the level since the last step, and the smallest new step that would be seen", table,
      remarks: check.findings.contains { $0.isWatched }
        ? ["watch: the newest run alone is far off; a second one like it is a step"] : [])
  }

  var conclusion: String {
    let regressed = check.findings.filter { $0.verdict == .regressed }.count
    let watched = check.findings.filter(\.isWatched).count
    let words =
      switch check.conclusion {
      case .pass: "pass: nothing got worse"
      case .regression:
        check.facts.isRegression
          ? "regression: outcomes, ledger or work counters changed"
          : "regression: \(regressed) of \(check.findings.count) series got worse lately"
      case .inconclusive:
        "inconclusive: a step of \(Percent.plain(check.policy.threshold)) % could hide in the scatter, "
          + "or there are too few runs"
      case .couldNotMeasure: "could not measure: no series to judge"
      }
    return words + (watched > 0 ? "; \(watched) watched" : "")
  }
}
