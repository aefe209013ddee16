import History
import Plots

extension SubjectPage {
  /// Where the time goes, of the very interrupts that stand at a percentile.
  var stages: PageSection {
    var figures: [PageSection.Figure] = []
    for experiment in experimentsWithStages {
      let found = cells(experiment)
      var percentiles: [Double] = []
      for stage in found.flatMap({ $0.stages ?? [] })
      where !percentiles.contains(stage.percentile) { percentiles.append(stage.percentile) }
      figures += percentiles.sorted().map { figure(experiment, found, $0) }
    }
    return PageSection(
      "Where the time goes",
      "The stages of the very interrupt that stands at a percentile of the whole, so they add up.",
      figures: figures)
  }

  private var experimentsWithStages: [String] {
    var found: [String] = []
    for cell in record.cells
    where cell.stages?.isEmpty == false && !found.contains(cell.experiment) {
      found.append(cell.experiment)
    }
    return found
  }

  private func figure(
    _ experiment: String, _ found: [RunRecord.Cell], _ percentile: Double
  ) -> PageSection.Figure {
    // One order and one style for each stage, whatever a design lacks.
    var order: [String] = []
    for name in found.flatMap({ $0.stages ?? [] }).flatMap(\.stages).map(\.name)
    where !order.contains(name) { order.append(name) }
    order = Self.order.filter(order.contains) + order.filter { !Self.order.contains($0) }
    var bars: [BarPlot.Bar] = []
    var table = Table([.word("design")] + order.map { .number($0) } + [.number("sum")])
    for cell in found {
      guard let stages = cell.stages?.first(where: { $0.percentile == percentile }) else {
        continue
      }
      let void = cell.voidReason == nil ? "" : " (void)"
      bars.append(
        .init(
          name: names[cell] + void,
          parts: order.enumerated().compactMap { index, name in
            let style = Self.order.firstIndex(of: name) ?? index
            return stages.stage(name).map {
              .init(name: name, style: style % 8, value: Double($0))
            }
          }))
      table.add(
        [names[cell] + void] + order.map { stages.stage($0).map(Format.nanoseconds) ?? "–" }
          + [Format.nanoseconds(stages.total)])
    }
    let name = "\(experiment): p" + Format.percentile(percentile)
    return PageSection.Figure(
      picture: BarPlot(
        title: "Stages, \(name)",
        summary: bars.map { bar in
          "\(bar.name) \(ValueStyle.nanoseconds.text(bar.parts.reduce(0) { $0 + $1.value }))"
        }.joined(separator: "; ") + "; the stages stand in the table.", axis: "time",
        style: .nanoseconds, bars: bars),
      note: "A stage that a design does not have is not there.", table: table)
  }

  /// As an interrupt passes them.
  private static let order = [
    "decode-wait", "ring-wait", "smmu", "its", "wake-up", "inject", "notification", "acknowledge",
  ]
}
