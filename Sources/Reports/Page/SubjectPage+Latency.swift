import Gates
import History
import Plots
import Statistics

extension SubjectPage {
  /// The send lag has a section of its own.
  private static func isLatency(_ name: String) -> Bool {
    name != "lag" && !name.hasPrefix("stage-")
  }

  /// Every distribution of every experiment, both arms.
  var latency: PageSection {
    var groups: [(experiment: String, name: String)] = []
    for cell in record.cells where !cell.experiment.hasPrefix("live-") {
      for shape in cell.distributions where shape.unit == "ns" && Self.isLatency(shape.name) {
        if !groups.contains(where: { $0 == (cell.experiment, shape.name) }) {
          groups.append((cell.experiment, shape.name))
        }
      }
    }
    return PageSection(
      "Latency by percentile",
      "Every further nine takes the same length, so the tail is not a sliver at the edge. "
        + Self.bandText(subject.arm.launches.count, confidenceText),
      figures: groups.flatMap { group in
        percentiles(cells(group.experiment), group.name, "\(group.experiment): \(group.name)")
      }, cautions: latencyCautions)
  }

  /// Of `paced` the reason stands with the lag, which is the reason.
  private var latencyCautions: [String] {
    let void = record.cells.filter {
      $0.voidReason != nil && !$0.distributions.isEmpty && !$0.experiment.hasPrefix("live-")
    }
    let others = void.filter { $0.experiment != "paced" }
    let paced = "Curves of paced that are marked void must not be believed: see Send lag."
    return ReplayReport.voids(others) + (others.count < void.count ? [paced] : [])
  }

  /// How late the sender was.
  var lag: PageSection {
    let found = cells("paced")
    let budget = found.compactMap { Double($0.parameters["lag-budget-ns"] ?? "") }.first
    return PageSection(
      "Send lag",
      "How late interrupts were sent by the sender's own fault, against the budget. "
        + "Above it the run says nothing about the design and is void.",
      figures: percentiles(
        found, "lag", "paced: send lag",
        references: budget.map { [.init(name: "budget", value: $0)] } ?? []),
      cautions: ReplayReport.voids(found))
  }

  private static func bandText(_ launches: Int, _ confidence: String) -> String {
    launches > 1
      ? "A band spans the least and the greatest of \(launches) launches."
      : "A band is where a percentile lies with \(confidence), by the ranks of one launch and "
        + "as if interrupts were independent; another launch may differ by more."
  }

  /// Without a baseline one figure with all designs; with one a figure for each design, both arms in it.
  private func percentiles(
    _ found: [RunRecord.Cell], _ name: String, _ title: String,
    references: [CurvePlot.Reference] = []
  ) -> [PageSection.Figure] {
    let shown = found.filter { ($0.distribution(name)?.total ?? 0) > 0 }
    let groups = subject.baseline == nil ? [shown] : shown.map { [$0] }
    return groups.filter { !$0.isEmpty }.map { cells in
      var curves: [Curve] = []
      for cell in cells {
        if let other = subject.baselineCell(like: cell), let baseline = subject.baseline {
          curves += [curve(other, name, baseline, suffix: ", baseline")].compactMap { $0 }
        }
        curves += [curve(cell, name, subject.arm, suffix: "")].compactMap { $0 }
      }
      let title = subject.baseline == nil ? title : "\(title), \(names[cells[0]])"
      return figure(title, curves, references)
    }
  }

  struct Curve {
    var series: CurvePlot.Series
    var distribution: RunRecord.Distribution
  }

  func curve(
    _ cell: RunRecord.Cell, _ name: String, _ arm: ReportSubject.Arm, suffix: String
  ) -> Curve? {
    guard let whole = cell.distribution(name), whole.total > 0 else { return nil }
    let launches = arm.cells(like: cell).compactMap { $0.distribution(name) }
    let quantiles = Quantiles(whole)
    let band =
      launches.count > 1
      ? Quantiles.band(of: launches) : quantiles.band(confidence: policy.confidence)
    let void = cell.voidReason == nil ? "" : " (void)"
    return Curve(
      series: .init(
        name: names[cell] + suffix + void, style: names.style(cell), points: quantiles.curve,
        isDashed: !suffix.isEmpty, band: band), distribution: whole)
  }

  func figure(
    _ title: String, _ curves: [Curve], _ references: [CurvePlot.Reference]
  ) -> PageSection.Figure {
    let percents: [Double] = [0, 50, 90, 99, 99.9, 99.99, 100]
    var table = Table(
      [.word("design"), .number("interrupts")]
        + percents.map {
          .number($0 == 0 ? "min" : $0 == 100 ? "max" : "p" + Format.percentile($0))
        })
    for curve in curves {
      table.add(
        [curve.series.name, Format.count(curve.distribution.total)]
          + percents.map { Format.nanoseconds(curve.distribution.percentile($0)) })
    }
    let most = curves.map { Quantiles($0.distribution).nines }.max() ?? 2
    let values = curves.flatMap { $0.series.points.map(\.y) } + references.map(\.value)
    let medians = curves.map {
      "\($0.series.name) p50 \(Format.nanoseconds($0.distribution.percentile(50))), "
        + "p99 \(Format.nanoseconds($0.distribution.percentile(99)))"
    }
    return PageSection.Figure(
      picture: CurvePlot(
        title: title, summary: "Nanoseconds by percentile: \(medians.joined(separator: "; ")).",
        x: Axis("percentile", .nines(most: max(2, most))),
        y: Axis("time", .decades(values), .nanoseconds), series: curves.map(\.series),
        references: references),
      note: Self.meaning(title), table: table)
  }

  /// What the clock ran from, of the experiments that say so.
  static func meaning(_ title: String) -> String {
    if title.hasPrefix("path") {
      return "Service time: a closed loop hides waiting, so no rate can be read from it."
    }
    if title.hasPrefix("paced: response") { return "From the intended start: waiting is in it." }
    if title.hasPrefix("paced: service") { return "From the actual start: waiting is not in it." }
    if title.hasPrefix("live-") { return "Service time. Dashed: the same loop in C, same run." }
    return "Time by percentile."
  }
}
