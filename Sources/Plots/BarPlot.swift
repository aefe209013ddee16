/// Bars of parts that add up, one below the other, in panels.
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
    package var total: Double { parts.reduce(0) { $0 + $1.value } }
  }

  /// Bars on a scale of their own: it starts at 0 and ends at a round value beyond the longest of them.
  package struct Panel: Hashable, Sendable {
    /// Stands above the bars; may be empty.
    package var name: String
    package var bars: [Bar]
    package init(name: String = "", bars: [Bar]) {
      self.name = name
      self.bars = bars
    }

    func axis(_ title: String, _ style: ValueStyle) -> Axis {
      Axis(title, .fromZero(bars.map(\.total)), style)
    }
  }

  package var title: String
  package var summary: String
  /// What the axes measure.
  package var axis: String
  package var style: ValueStyle
  package var panels: [Panel]

  package init(
    title: String, summary: String, axis: String, style: ValueStyle, panels: [Panel]
  ) {
    self.title = title
    self.summary = summary
    self.axis = axis
    self.style = style
    self.panels = panels
  }

  package var legend: [LegendEntry] {
    var seen: [LegendEntry] = []
    for part in panels.flatMap(\.bars).flatMap(\.parts) where part.value > 0 {
      let entry = LegendEntry(name: part.name, style: part.style, isArea: true)
      if !seen.contains(entry) { seen.append(entry) }
    }
    return seen.sorted { $0.style < $1.style }
  }

  private static let width = 520.0
  private static let left = 8.0
  private static let right = 30.0
  private static let row = 40.0
  private static let barHeight = 18.0
  /// Of a panel: its name above, its ticks below.
  private static let head = 22.0
  private static let foot = 28.0
  /// Of the picture: what the axes measure.
  private static let bottom = 20.0

  private static func height(_ panel: Panel) -> Double {
    (panel.name.isEmpty ? 0 : head) + Double(panel.bars.count) * row + foot
  }

  package func svg(id: String) -> String {
    let height = 4 + panels.reduce(0) { $0 + Self.height($1) } + Self.bottom
    var svg = SVG(id: id, title: title, summary: summary, width: Self.width, height: height)
    var top = 4.0
    for panel in panels {
      draw(panel, top, &svg)
      top += Self.height(panel)
    }
    svg.words("label", (Self.left + Self.width - Self.right) / 2, height - 8, .middle, axis)
    return svg.finished()
  }

  private func draw(_ panel: Panel, _ start: Double, _ svg: inout SVG) {
    var top = start
    if !panel.name.isEmpty {
      svg.words("name head", Self.left, top + 13, .start, panel.name)
      top += Self.head
    }
    let base = top + Double(panel.bars.count) * Self.row
    let axis = panel.axis(axis, style)
    let ticks = axis.ticks.map { (at: place($0.value, axis), name: $0.label) }
    svg.path("grid", ticks.map { "M\(SVG.pair($0.at, top))V\(SVG.number(base))" }.joined())
    // The first would stick out on the left.
    if let zero = ticks.first { svg.words("tick", zero.at, base + 15, .start, zero.name) }
    svg.ticks(below: base + 15, ticks.dropFirst())
    for (index, bar) in panel.bars.enumerated() {
      let row = top + Double(index) * Self.row
      svg.words("name", Self.left + 4, row + 14, .start, "\(bar.name): \(style.text(bar.total))")
      var sum = 0.0
      for part in bar.parts where part.value > 0 {
        let from = place(sum, axis)
        sum += part.value
        svg.rectangle(
          "part s\(part.style)", from, row + 18, max(0.5, place(sum, axis) - from), Self.barHeight,
          hint: "\(part.name) \(style.text(part.value))")
      }
    }
    svg.line("axis", Self.left, top, Self.left, base)
  }

  private func place(_ value: Double, _ axis: Axis) -> Double {
    Self.left + axis.scale.position(value) * (Self.width - Self.left - Self.right)
  }
}
