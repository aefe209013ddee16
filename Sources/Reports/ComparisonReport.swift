package import Gates

/// What `doorbell compare` prints: the exact part if anything differs, then every figure, what matters
/// most on top.
package struct ComparisonReport {
  let comparison: Comparison

  package init(_ comparison: Comparison) { self.comparison = comparison }

  package func text() -> String {
    var out = FactReport(comparison.facts).text()
    var table = Table([
      .word("trace"), .word("design"), .word("experiment"), .word("figure"), .number("baseline"),
      .number("candidate"), .number("worse by %"), .word("interval, %"), .number("p"),
      .number("launches"), .number("between %"), .number("within %"), .word("verdict"),
    ])
    for figure in comparison.figures {
      let effect = figure.effect
      table.add([
        figure.cell.trace, figure.cell.design, figure.cell.experiment,
        "\(figure.name), \(figure.unit)", Format.number(figure.baseline.value),
        Format.number(figure.candidate.value), effect.map { Percent.signed($0.change) } ?? "–",
        effect.map(Percent.interval) ?? "–", effect.map(Percent.p) ?? "–",
        "\(figure.baseline.launches) + \(figure.candidate.launches)",
        Percent.scatter(figure.candidate.between), Percent.scatter(figure.candidate.within),
        (effect?.verdict ?? .unjudged).rawValue,
      ])
    }
    if !table.isEmpty {
      let share = Percent.plain(comparison.policy.threshold)
      out += """

        Time: regressed and improved are sure and more than \(share) %; pass rules out \(share) % or more
        \(table.text())
        """
    }
    if comparison.figures.contains(where: { $0.effect?.verdict == .unjudged }) {
      out +=
        "\nunjudged: an interval needs 4 launches in each arm; passes of one launch say nothing "
        + "about the next\n"
    }
    for warning in comparison.warnings { out += "\nwarning: \(warning)\n" }
    return out
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
    var out = ""
    for obstacle in facts.obstacles { out += "cannot compare: \(obstacle)\n" }
    for cell in facts.cells {
      for finding in cell.equality { out += "\(cell.key): equality: \(finding)\n" }
      for finding in cell.ledger { out += "\(cell.key): ledger: \(finding)\n" }
    }
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
    if !table.isEmpty { return out + "Work counters that changed, exact\n" + table.text() }
    if out.isEmpty, !facts.cells.isEmpty {
      return "Equality, ledger and work counters: the same in \(facts.cells.count) cells\n"
    }
    return out
  }
}
