import Gates
import Plots

/// Changes with their intervals, what matters most on top, against the zone that does not matter.
enum ChangeFigure {
  /// More rows than this are for the tables.
  private static let rowLimit = 30

  private static let styles: [Verdict: Int] = [
    .regressed: 4, .inconclusive: 1, .improved: 2, .pass: 0, .unjudged: 7,
  ]

  /// Nil if no change has an interval.
  static func figure(
    _ changes: [(name: String, effect: Effect)], policy: Policy
  ) -> PageSection.Figure? {
    var table = Table([
      .word("figure"), .number("worse by %"), .number("interval, %"), .word("verdict"),
    ])
    var rows: [IntervalPlot.Row] = []
    for (name, effect) in changes {
      guard rows.count < rowLimit, let lower = effect.lower, let upper = effect.upper else {
        continue
      }
      rows.append(
        .init(
          name: "\(name): \(Percent.signed(effect.change)) %, \(effect.verdict.rawValue)",
          style: styles[effect.verdict] ?? 7, estimate: effect.change, interval: lower...upper))
      table.add([
        name, Percent.signed(effect.change), Percent.interval(effect), effect.verdict.rawValue,
      ])
    }
    guard !rows.isEmpty else { return nil }
    let zone = -policy.threshold...policy.threshold
    // So far that the shaded zone and most intervals can be seen; some tails are ten times as long.
    let ends = rows.compactMap(\.interval).flatMap { [abs($0.lowerBound), abs($0.upperBound)] }
      .sorted()
    let reach = max(zone.upperBound * 4, ends[ends.count * 3 / 4])
    return PageSection.Figure(
      picture: IntervalPlot(
        title: "Change of each figure", summary: rows.map(\.name).joined(separator: "; "),
        axis: Axis("change; right is worse", .fromZero([-reach, reach]), .signedPercent),
        rows: rows, zone: zone),
      note: "Dot: the change. Line: its interval; at an edge it goes on. Shaded: what does not "
        + "matter.", table: table)
  }
}
