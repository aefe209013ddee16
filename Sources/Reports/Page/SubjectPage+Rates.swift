import History
import Plots
import Statistics

extension SubjectPage {
  /// Latency against rate, and the knee.
  var rates: PageSection {
    let found = cells("saturate").filter { $0.curve?.isEmpty == false }
    guard let first = found.first else {
      return PageSection("", "")
    }
    let percent = Double(first.parameters["percentile"] ?? "") ?? 99
    let bound = Double(first.parameters["bound-ns"] ?? "")
    return PageSection(
      "How much it takes",
      "Response from the intended start, open loop, by rate. The knee is the highest rate at which "
        + "p\(Format.percentile(percent)) keeps the bound and nothing is lost.",
      figures: [figure(found, percent, bound: bound)], tables: [report.knees(remarks: [])],
      cautions: ReplayReport.voids(found))
  }

  private func value(_ point: RunRecord.RatePoint, _ percent: Double) -> UInt64 {
    percent <= 50 ? point.p50 : percent <= 99 ? point.p99 : point.p999
  }

  private func figure(
    _ found: [RunRecord.Cell], _ percent: Double, bound: Double?
  ) -> PageSection.Figure {
    // What a record holds of each rate.
    let percent = percent <= 50 ? 50 : percent <= 99 ? 99 : 99.9
    var series: [CurvePlot.Series] = []
    var table = Table([.word("design")] + ReplayReport.rateHeadings)
    func add(_ cell: RunRecord.Cell, _ suffix: String) {
      // A rate of which every run was discarded has no figures.
      let points = (cell.curve ?? []).filter { $0.runs > 0 }
      let knee = cell.metric("knee-per-second").map {
        ", knee \(ValueStyle.plain.text($0.value))/s"
      }
      series.append(
        .init(
          name: names[cell] + suffix + (knee ?? ", no knee"), style: names.style(cell),
          points: points.map { Point($0.rate, Double(value($0, percent))) },
          isDashed: !suffix.isEmpty, isMarked: true))
      for point in cell.curve ?? [] {
        table.add([names[cell] + suffix] + ReplayReport.row(of: point))
      }
    }
    for cell in found {
      if let other = subject.baselineCell(like: cell) { add(other, ", baseline") }
      add(cell, "")
    }
    let points = series.flatMap(\.points)
    return PageSection.Figure(
      picture: CurvePlot(
        title: "Response p\(Format.percentile(percent)) by rate",
        summary: series.map(\.name).joined(separator: "; ") + ".",
        x: Axis("interrupts per second, as asked for", .decades(points.map(\.x))),
        y: Axis(
          "response", .decades(points.map(\.y) + [bound].compactMap { $0 }), .nanoseconds),
        series: series,
        references: bound.map { [.init(name: "bound", value: $0)] } ?? []),
      note: "A dot is all runs at one rate together; lines between dots are for the eye.",
      table: table)
  }

  /// Set-up against delivery: what a vector has cost after so many interrupts.
  var setUp: PageSection {
    let most = 1e6
    var series: [CurvePlot.Series] = []
    var table = Table(
      [.word("design")]
        + [1, 100, 10_000, 1_000_000].map { .number("after \(Format.count(UInt64($0)))") })
    for cell in cells("set-up") {
      guard let setUp = cell.metric("set-up-ns-per-vector")?.value,
        let delivery = cell.metric("delivery-ns-per-interrupt")?.value
      else { continue }
      let counts = (0...60).map { Exponential.power(most, Double($0) / 60) }
      series.append(
        .init(
          name: names[cell], style: names.style(cell),
          points: counts.map { Point($0, setUp + $0 * delivery) }))
      table.add(
        [names[cell]]
          + [1, 100, 10_000, 1_000_000].map { Format.number(setUp + Double($0) * delivery) })
    }
    let pairs = BreakEven.pairs(of: cells("set-up"))
    let points = series.flatMap(\.points)
    let marks = pairs.compactMap { pair in
      pair.interrupts.map {
        CurvePlot.Reference(
          name: "\(names[pair.dearer]) pays from \(Format.number($0))", value: $0, .upright)
      }
    }
    let figure = PageSection.Figure(
      picture: CurvePlot(
        title: "Cost of a vector, set-up and deliveries",
        summary: pairs.map {
          "\(names[$0.dearer]) against \(names[$0.cheaper]): break-even \($0.text)"
        }.joined(separator: "; ") + ".",
        x: Axis("interrupts of the vector", .logarithmic(1...most)),
        y: Axis("nanoseconds in total", .decades(points.map(\.y)), .nanoseconds), series: series,
        references: marks),
      note: "Set-up once, then one delivery for each interrupt. Modelled work: traps and wake-ups "
        + "are counted and cost nothing here.",
      table: table)
    return PageSection(
      "Set-up against delivery",
      "What configuring costs per vector, what an interrupt costs after it, and after how many "
        + "interrupts a dearer set-up has paid for itself.",
      figures: series.isEmpty ? [] : [figure], tables: [report.setUp(), report.breakEven()])
  }
}
