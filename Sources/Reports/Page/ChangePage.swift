import Gates
import History
import Plots

/// The chapter of a comparison: what changed between two arms, what matters most on top.
struct ChangePage {
  let comparison: Comparison
  /// Whether whole distributions are drawn from the comparison: not where the records are at hand.
  let drawsCurves: Bool

  init(_ comparison: Comparison, drawsCurves: Bool) {
    self.comparison = comparison
    self.drawsCurves = drawsCurves
  }

  var headlines: [String] {
    let judged = comparison.figures.compactMap(\.effect)
    let counts = Verdict.allCases.compactMap { verdict -> String? in
      let count = judged.filter { $0.verdict == verdict }.count
      return count > 0 ? "\(count) \(verdict.rawValue)" : nil
    }
    var lines: [String] = []
    if comparison.facts.isRegression {
      lines.append("Outcomes, ledger or work of the candidate are worse than the baseline's.")
    } else if !comparison.facts.cells.isEmpty {
      lines.append(
        comparison.facts.isImprovement
          ? "The candidate does less work than the baseline, with the same outcomes."
          : "Outcomes, ledger and work counters are those of the baseline.")
    }
    guard !judged.isEmpty else { return lines }
    lines.append("Of \(judged.count) figures of time: \(counts.joined(separator: ", ")).")
    if let worst = comparison.figures.first, let effect = worst.effect, effect.lower != nil {
      lines.append(
        "First by weight: \(name(worst)) changed by \(Percent.signed(effect.change)) % "
          + "(interval \(Percent.interval(effect)) %, p \(Percent.p(effect))): "
          + "\(effect.verdict.rawValue). More is worse.")
    }
    return lines
  }

  /// With what tells figures of this comparison apart.
  private func name(_ figure: Comparison.Figure) -> String {
    let cell = figure.cell
    let keys = comparison.figures.map(\.cell)
    let trace = keys.contains { $0.trace != cell.trace } ? cell.trace + " " : ""
    let architecture =
      keys.contains { $0.architecture != cell.architecture } ? cell.architecture + " " : ""
    return "\(trace)\(architecture)\(cell.design) \(cell.question) \(figure.name)"
  }

  var chapter: ReportPage.Chapter {
    let report = ComparisonReport(comparison)
    var sections = [
      PageSection(
        "What changed",
        "Positive is worse, also where more is better. The zone is the \(share) % that does not "
          + "matter; an interval needs 4 launches in each arm.",
        figures: effects.map { [$0] } ?? [], tables: report.sections,
        cautions: comparison.facts.obstacles)
    ]
    if drawsCurves, !comparison.curves.isEmpty {
      sections.append(
        PageSection(
          "Both arms by percentile",
          "Whole distributions at the percentiles that the comparison holds.",
          figures: comparison.curves.filter { $0.unit == "ns" }.map(curve)))
    }
    return ReportPage.Chapter(
      title: "Candidate against baseline", facts: [("Threshold", "\(share) %")],
      sections: sections)
  }

  private var share: String { Percent.plain(comparison.policy.threshold) }

  private var effects: PageSection.Figure? {
    ChangeFigure.figure(
      comparison.figures.compactMap { figure in figure.effect.map { (name(figure), $0) } },
      policy: comparison.policy)
  }

  private func curve(_ curve: Comparison.Curve) -> PageSection.Figure {
    var table = Table([.number("percentile"), .number("baseline"), .number("candidate")])
    for point in curve.points {
      table.add([
        Format.percentile(point.percent), Format.nanoseconds(point.baseline),
        Format.nanoseconds(point.candidate),
      ])
    }
    let values = curve.points.flatMap { [Double($0.baseline), Double($0.candidate)] }
    return PageSection.Figure(
      picture: CurvePlot(
        title: "\(curve.cell.description) \(curve.name)",
        summary: "Nanoseconds by percentile, baseline dashed.",
        x: Axis("percentile", .nines(most: 4)), y: Axis("time", .decades(values), .nanoseconds),
        series: [
          .init(
            name: "baseline", style: 0,
            points: curve.points.map { Point($0.percent, Double($0.baseline)) }, isDashed: true),
          .init(
            name: "candidate", style: 1,
            points: curve.points.map { Point($0.percent, Double($0.candidate)) }),
        ]), note: "Lines between percentiles are for the eye.", table: table)
  }
}
