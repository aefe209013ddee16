import History
import Plots

extension SubjectPage {
  /// Where the time goes, of the very interrupts that stand at a percentile.
  var stages: PageSection {
    PageSection(
      "Where the time goes",
      "The stages of the very interrupt that stands at a percentile of the whole, so they add up. Each "
        + "percentile has a scale of its own.",
      figures: experimentsWithStages.map { figure($0, cells($0)) })
  }

  private var experimentsWithStages: [String] {
    var found: [String] = []
    for cell in record.cells
    where cell.stages?.isEmpty == false && !found.contains(cell.experiment) {
      found.append(cell.experiment)
    }
    return found
  }

  private func figure(_ experiment: String, _ found: [RunRecord.Cell]) -> PageSection.Figure {
    let all = found.flatMap { $0.stages ?? [] }
    // One order and one style for each stage, whatever a design lacks.
    var order: [String] = []
    for name in all.flatMap(\.stages).map(\.name) where !order.contains(name) {
      order.append(name)
    }
    order = Self.order.filter(order.contains) + order.filter { !Self.order.contains($0) }
    var panels: [BarPlot.Panel] = []
    var table = Table(
      [.word("percentile"), .word("design")] + order.map { .number($0) } + [.number("sum")])
    for percentile in Set(all.map(\.percentile)).sorted() {
      var panel = BarPlot.Panel(name: "p" + Format.percentile(percentile), bars: [])
      for cell in found {
        guard let stages = cell.stages?.first(where: { $0.percentile == percentile }) else {
          continue
        }
        let name = names[cell] + (cell.voidReason == nil ? "" : " (void)")
        panel.bars.append(
          .init(
            name: name,
            parts: order.enumerated().compactMap { index, name in
              let style = Self.order.firstIndex(of: name) ?? index
              return stages.stage(name).map {
                .init(name: name, style: style % 8, value: Double($0))
              }
            }))
        table.add(
          [panel.name, name] + order.map { stages.stage($0).map(Format.nanoseconds) ?? "–" }
            + [Format.nanoseconds(stages.total)])
      }
      panels.append(panel)
    }
    return PageSection.Figure(
      picture: BarPlot(
        title: "Stages, \(experiment)",
        summary: panels.map { panel in
          "\(panel.name): "
            + panel.bars.map { "\($0.name) \(ValueStyle.nanoseconds.text($0.total))" }
            .joined(separator: ", ")
        }.joined(separator: "; ") + "; the stages stand in the table.", axis: "time",
        style: .nanoseconds, panels: panels),
      note: "A stage that a design does not have is not there.", table: table)
  }

  /// As an interrupt passes them.
  private static let order = [
    "decode-wait", "ring-wait", "smmu", "its", "wake-up", "inject", "notification", "acknowledge",
  ]
}
