/// Bars of parts that add up, one below the other, on one scale.
package struct BarPlot: Picture {
  package struct Part: Hashable, Sendable {
    package var name: String
    package var style: Int
    package var value: Double
    package init(name: String, style: Int, value: Double) {
      self.name = name
      self.style = style
      self.value = value
    }
  }

  package struct Bar: Hashable, Sendable {
    package var name: String
    package var parts: [Part]
    package init(name: String, parts: [Part]) {
      self.name = name
      self.parts = parts
    }
    var total: Double { parts.reduce(0) { $0 + $1.value } }
  }

  package var title: String
  package var summary: String
  package var axis: Axis
  package var bars: [Bar]

  /// - Parameter axis: its title; it starts at 0 and ends at a round value beyond the longest bar.
  package init(
    title: String, summary: String, axis name: String, style: ValueStyle, bars: [Bar]
  ) {
    self.title = title
    self.summary = summary
    self.bars = bars
    axis = Axis(name, .fromZero(bars.map(\.total)), style)
  }

  package var legend: [LegendEntry] {
    var seen: [LegendEntry] = []
    for part in bars.flatMap(\.parts) where part.value > 0 {
      let entry = LegendEntry(name: part.name, style: part.style, isArea: true)
      if !seen.contains(entry) { seen.append(entry) }
    }
    return seen.sorted { $0.style < $1.style }
  }

  private static let width = 520.0
  private static let left = 8.0
  private static let right = 30.0
  private static let row = 46.0
  private static let barHeight = 20.0
  private static let bottom = 46.0

  package func svg(id: String) -> String {
    let height = Double(bars.count) * Self.row + Self.bottom + 4
    var svg = SVG(id: id, title: title, summary: summary, width: Self.width, height: height)
    let base = height - Self.bottom
    let span = Self.width - Self.left - Self.right
    for tick in axis.ticks {
      let at = Self.left + axis.scale.position(tick.value) * span
      svg.line("grid", at, 4, at, base)
      svg.words("tick", at, base + 17, tick.value == 0 ? .start : .middle, tick.label)
    }
    for (index, bar) in bars.enumerated() {
      let top = 4 + Double(index) * Self.row
      svg.words(
        "name", Self.left + 4, top + 15, .start, "\(bar.name): \(axis.style.text(bar.total))")
      var start = 0.0
      for part in bar.parts where part.value > 0 {
        let from = Self.left + axis.scale.position(start) * span
        start += part.value
        let to = Self.left + axis.scale.position(start) * span
        svg.rectangle(
          "part s\(part.style)", from, top + 20, max(0.5, to - from), Self.barHeight,
          hint: "\(part.name) \(axis.style.text(part.value))")
      }
    }
    svg.line("axis", Self.left, 4, Self.left, base)
    svg.words("label", Self.left + span / 2, height - 8, .middle, axis.title)
    return svg.finished()
  }
}
