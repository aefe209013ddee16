package import Gates

/// What `doorbell compare` prints: the exact part if anything differs, then every figure, what matters
/// most on top.
package struct ComparisonReport {
  let comparison: Comparison

  package init(_ comparison: Comparison) { self.comparison = comparison }

  package func text() -> String {
    var out = FactReport(comparison.facts).text()
    if let times { out += "\n" + times.text() }
    if let unjudged { out += "\n" + unjudged + "\n" }
    for warning in comparison.warnings { out += "\nwarning: \(warning)\n" }
    return out
  }

  /// The same for a page, which shows warnings and obstacles in its own way.
  var sections: [ReportSection?] {
    [FactReport(comparison.facts).section, times]
      + [unjudged.map { ReportSection("Unjudged", [.remark($0)]) }]
  }

  private var times: ReportSection? {
    var table = Table([
      .word("trace"), .word("design"), .word("experiment"), .word("figure"), .number("baseline"),
      .number("candidate"), .number("worse by %"), .word("interval, %"), .number("p"),
      .number("launches"), .number("between %"), .number("within %"), .word("verdict"),
    ])
    for figure in comparison.figures {
      let effect = figure.effect
      table.add([
        figure.cell.trace, figure.cell.design, figure.cell.question,
        "\(figure.name), \(figure.unit)", Format.number(figure.baseline.value),
        Format.number(figure.candidate.value), effect.map { Percent.signed($0.change) } ?? "–",
        effect.map(Percent.interval) ?? "–", effect.map(Percent.p) ?? "–",
        "\(figure.baseline.launches) + \(figure.candidate.launches)",
        Percent.scatter(figure.candidate.between), Percent.scatter(figure.candidate.within),
        (effect?.verdict ?? .unjudged).rawValue,
      ])
    }
    let share = Percent.plain(comparison.policy.threshold)
    return ReportSection(
      "Time: regressed and improved are sure and more than \(share) %; pass rules out \(share) % or "
        + "more", table)
  }

  private var unjudged: String? {
    comparison.figures.contains { $0.effect?.verdict == .unjudged }
      ? "unjudged: an interval needs \(comparison.isPaired == true ? "6 pairs" : "4 launches in each arm"); "
        + "passes of one launch say nothing about the next"
      : nil
  }
}

/// Shares as per cent.
enum Percent {
  static func plain(_ share: Double) -> String { Format.number(share * 100) }
  static func signed(_ share: Double) -> String { (share >= 0 ? "+" : "") + plain(share) }
  static func interval(_ effect: Effect) -> String {
    guard let lower = effect.lower, let upper = effect.upper else { return "–" }
    return "\(signed(lower)) … \(signed(upper))"
  }
  static func p(_ effect: Effect) -> String {
    guard effect.lower != nil else { return "–" }
    return effect.p < 0.001 ? "<0.001" : String(Double(Int(effect.p * 1000)) / 1000)
  }
  static func scatter(_ share: Double?) -> String { share.map(plain) ?? "–" }
}

/// Equality, ledger and work counters, where they differ.
struct FactReport {
  let facts: FactComparison

  init(_ facts: FactComparison) { self.facts = facts }

  func text() -> String {
    var out = facts.obstacles.map { "cannot compare: \($0)\n" }.joined()
    let findings = findings
    out += findings.map { $0 + "\n" }.joined()
    if let work { return out + work.text() }
    if out.isEmpty, !facts.cells.isEmpty { return same + "\n" }
    return out
  }

  /// The same for a page; obstacles are shown apart.
  var section: ReportSection? {
    guard !facts.cells.isEmpty else { return nil }
    let parts = findings.map(ReportSection.Part.remark) + (work?.parts ?? [])
    return ReportSection(
      work?.title ?? "Exact facts", parts.isEmpty ? [.remark(same)] : parts)
  }

  private var same: String {
    "Equality, ledger and work counters: the same in \(facts.cells.count) cells"
  }

  private var findings: [String] {
    facts.cells.flatMap { cell in
      cell.equality.map { "\(cell.key): equality: \($0)" }
        + cell.ledger.map { "\(cell.key): ledger: \($0)" }
    }
  }

  private var work: ReportSection? {
    var table = Table([
      .word("trace"), .word("design"), .word("counter"), .word("part"), .number("baseline"),
      .number("candidate"), .number("change"), .word("is"),
    ])
    for cell in facts.cells {
      for change in cell.work {
        let rose = change.candidate > change.baseline
        let amount = rose ? change.candidate - change.baseline : change.baseline - change.candidate
        table.add([
          cell.key.trace, cell.key.design, change.counter, change.part,
          Format.count(change.baseline), Format.count(change.candidate),
          (rose ? "+" : "-") + Format.count(amount),
          change.isNeutral ? "shown" : change.isWorse ? "more work" : "less work",
        ])
      }
    }
    return ReportSection("Work counters that changed, exact", table)
  }
}
