import Gates
import History
import Plots

extension SubjectPage {
  /// What translation costs.
  var core: PageSection {
    let figures = [
      coreFigure("Delivery", "delivery-ns-per-event", "ns per event"),
      coreFigure("Set-up", "set-up-ns-per-vector", "ns per vector"),
    ]
    return PageSection(
      "Core: what translation costs",
      "One thread, events already decoded; means over whole passes, never stamped per event. "
        + "Delivery and set-up apart.",
      figures: figures.compactMap { $0 },
      tables: [report.core(), report.processor(), report.roundTrips(), report.harness()])
  }

  private func coreFigure(
    _ part: String, _ metric: String, _ unit: String
  ) -> PageSection.Figure? {
    var rows: [IntervalPlot.Row] = []
    var table = Table([
      .word("design"), .number(unit), .number("from"), .number("to"), .number("least"),
      .number("most"), .word("interval rests on"),
    ])
    func add(_ cell: RunRecord.Cell, _ suffix: String) {
      guard let figure = cell.metric(metric),
        let estimate = Estimate(figure, confidence: policy.confidence)
      else { return }
      rows.append(
        .init(
          name: "\(names[cell])\(suffix): \(estimate.text)", style: names.style(cell),
          estimate: estimate.value, interval: estimate.interval))
      table.add([
        names[cell] + suffix, Format.number(estimate.value),
        estimate.interval.map { Format.number($0.lowerBound) } ?? "–",
        estimate.interval.map { Format.number($0.upperBound) } ?? "–",
        Format.number(figure.minimum), Format.number(figure.maximum), estimate.basis,
      ])
    }
    for cell in cells("core") {
      if let other = subject.baselineCell(like: cell) { add(other, ", baseline") }
      add(cell, "")
    }
    guard !rows.isEmpty else { return nil }
    let ends = rows.map(\.estimate) + rows.compactMap(\.interval?.upperBound)
    return PageSection.Figure(
      picture: IntervalPlot(
        title: "\(part), \(unit)",
        summary: rows.map(\.name).joined(separator: "; "),
        axis: Axis(unit, .fromZero(ends), .plain), rows: rows, hasStems: true),
      note: "Dot: the median. Line: its \(confidenceText) interval, between launches where there "
        + "are several, else between the passes of one launch.",
      table: table)
  }

  /// What more device threads give.
  var scale: PageSection {
    var series: [CurvePlot.Series] = []
    var table = Table([.word("design"), .number("device threads"), .number("M events/s")])
    for cell in cells("scale") {
      let points = cell.ratesByThreads.map { threads, rate in
        table.add([names[cell], "\(threads)", Format.millions(rate.value)])
        return Point(Double(threads), rate.value)
      }
      guard !points.isEmpty else { continue }
      series.append(
        .init(name: names[cell], style: names.style(cell), points: points, isMarked: true))
    }
    let points = series.flatMap(\.points)
    let figure = PageSection.Figure(
      picture: CurvePlot(
        title: "Events per second by device threads",
        summary: "Throughput of \(series.map(\.name).joined(separator: ", ")).",
        x: Axis("device threads", .fromZero(points.map(\.x))),
        y: Axis("events per second", .fromZero(points.map(\.y))), series: series),
      note: "Every number of threads gave the outcomes of one.", table: table)
    return PageSection(
      "Scale", "Streams are cut into shards; each keeps its order.",
      figures: points.isEmpty ? [] : [figure], tables: [report.scale()])
  }

  /// What list walks cost by their length, beside maps.
  var slowPaths: PageSection {
    let figures = (record.slowPaths ?? []).map { curve -> PageSection.Figure in
      var table = Table([.number("length"), .number("walk"), .number("map")])
      for point in curve.points {
        table.add([
          Format.count(UInt64(point.length)), Format.number(point.walk), Format.number(point.map),
        ])
      }
      let shown = curve.points.filter { $0.length > 0 }
      let walk = shown.map { Point(Double($0.length), $0.walk) }
      let map = shown.map { Point(Double($0.length), $0.map) }
      return PageSection.Figure(
        picture: CurvePlot(
          title: curve.name,
          summary: "Cost of a walk and of a map by length, \(curve.unit).",
          x: Axis("length", .decades(shown.map { Double($0.length) })),
          y: Axis(curve.unit, .decades((walk + map).map(\.y)), .nanoseconds),
          series: [
            .init(name: "walk", style: 1, points: walk, isMarked: true),
            .init(name: "map", style: 2, points: map, isMarked: true),
          ]),
        note: curve.unit + "; "
          + (curve.crossover.map { "the map is never dearer from length \($0) on." }
            ?? "the walk wins to the end."),
        table: table)
    }
    return PageSection(
      "Slow paths",
      "List walks that set-up and misses make on a host, by their length, and a map "
        + "in their place. They are of the host, not of a design.", figures: figures)
  }
}
