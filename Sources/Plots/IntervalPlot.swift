/// Estimates with their intervals, one below the other, against a zone that does not matter.
package struct IntervalPlot: Picture {
  package struct Row: Hashable, Sendable {
    package var name: String
    package var style: Int
    package var estimate: Double
    package var interval: ClosedRange<Double>?
    package init(
      name: String, style: Int, estimate: Double, interval: ClosedRange<Double>?
    ) {
      self.name = name
      self.style = style
      self.estimate = estimate
      self.interval = interval
    }
  }

  package var title: String
  package var summary: String
  package var axis: Axis
  package var rows: [Row]
  /// Shaded: an estimate within says nothing that matters.
  package var zone: ClosedRange<Double>?
  /// Whether each estimate is an amount, drawn from 0 on.
  package var hasStems: Bool

  package init(
    title: String, summary: String, axis: Axis, rows: [Row], zone: ClosedRange<Double>? = nil,
    hasStems: Bool = false
  ) {
    self.title = title
    self.summary = summary
    self.axis = axis
    self.rows = rows
    self.zone = zone
    self.hasStems = hasStems
  }

  package var legend: [LegendEntry] { [] }

  private static let width = 520.0
  private static let left = 30.0
  private static let right = 30.0
  private static let row = 38.0
  private static let bottom = 46.0

  package func svg(id: String) -> String {
    let height = Double(rows.count) * Self.row + Self.bottom + 4
    var svg = SVG(id: id, title: title, summary: summary, width: Self.width, height: height)
    let base = height - Self.bottom
    func place(_ value: Double) -> Double {
      Self.left + axis.scale.position(value) * (Self.width - Self.left - Self.right)
    }
    if let zone {
      let (from, to) = (place(zone.lowerBound), place(zone.upperBound))
      svg.rectangle("zone", from, 4, to - from, base - 4)
    }
    for tick in axis.ticks {
      let at = place(tick.value)
      svg.line(tick.value == 0 ? "axis" : "grid", at, 4, at, base)
    }
    svg.ticks(below: base + 17, axis.ticks.map { (at: place($0.value), name: $0.label) })
    for (index, row) in rows.enumerated() {
      let top = 4 + Double(index) * Self.row
      svg.words("name", 4, top + 14, .start, row.name)
      let middle = top + 26
      var hint = "\(row.name): \(axis.style.text(row.estimate))"
      if hasStems {
        svg.line("stem s\(row.style)", place(0), middle, place(row.estimate), middle)
      }
      if let interval = row.interval {
        svg.line(
          "line s\(row.style)", place(interval.lowerBound), middle, place(interval.upperBound),
          middle)
        hint +=
          ", from \(axis.style.text(interval.lowerBound)) to "
          + axis.style.text(interval.upperBound)
      }
      svg.circle("mark s\(row.style)", place(row.estimate), middle, radius: 4.5, hint: hint)
    }
    svg.words("label", Self.width / 2, height - 8, .middle, axis.title)
    return svg.finished()
  }
}
