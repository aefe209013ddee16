/// One figure run by run: a dot for each run, a line for each level, an upright line for each step.
package struct HistoryPlot: Picture {
  package struct Level: Hashable, Sendable {
    package var runs: Range<Int>
    package var value: Double
    package init(runs: Range<Int>, value: Double) {
      self.runs = runs
      self.value = value
    }
  }

  /// A run that stands out.
  package struct Mark: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
      /// The first run on a new level.
      case step
      /// Far off alone.
      case watch
    }
    package var place: Int
    package var kind: Kind
    package var style: Int
    /// Short: beside the run.
    package var name: String
    package var hint: String
    package init(place: Int, kind: Kind, style: Int, name: String, hint: String) {
      self.place = place
      self.kind = kind
      self.style = style
      self.name = name
      self.hint = hint
    }
  }

  package var title: String
  package var summary: String
  package var y: Axis
  /// 0…7: of the runs.
  package var style: Int
  /// Oldest first.
  package var values: [Double]
  /// What each run is called below the axis, such as its day.
  package var names: [String]
  package var levels: [Level]
  package var marks: [Mark]

  package init(
    title: String, summary: String, y: Axis, style: Int, values: [Double], names: [String],
    levels: [Level] = [], marks: [Mark] = []
  ) {
    precondition(values.count == names.count)
    self.title = title
    self.summary = summary
    self.y = y
    self.style = style
    self.values = values
    self.names = names
    self.levels = levels
    self.marks = marks
  }

  package var legend: [LegendEntry] { [] }

  private static let width = 520.0
  private static let height = 240.0
  private static let left = 66.0
  private static let right = 18.0
  private static let top = 12.0
  private static let bottom = 38.0
  /// Words of neighbouring marks stand in rows of their own.
  private static let nameRows = 3

  private func placeX(_ index: Double) -> Double {
    let share = values.count > 1 ? index / Double(values.count - 1) : 0.5
    return Self.left + share * (Self.width - Self.left - Self.right)
  }

  private func placeY(_ value: Double) -> Double {
    Self.top + (1 - y.scale.position(value)) * (Self.height - Self.top - Self.bottom)
  }

  package func svg(id: String) -> String {
    var svg = SVG(
      id: id, title: title, summary: summary, width: Self.width, height: Self.height)
    let (end, base) = (Self.width - Self.right, Self.height - Self.bottom)
    var grid = ""
    let rows = y.ticks.map { (at: placeY($0.value), name: $0.label) }
    for row in rows { grid += "M\(SVG.pair(Self.left, row.at))H\(SVG.number(end))" }
    svg.ticks(leftOf: Self.left - 6, rows)
    svg.path("grid", grid)
    svg.path(
      "axis", "M\(SVG.pair(Self.left, Self.top))V\(SVG.number(base))H\(SVG.number(end))")
    for (number, index) in Self.named(values.count).enumerated() {
      let isLast = number > 0 && index == values.count - 1
      svg.words(
        "tick", isLast ? end : placeX(Double(index)), base + 22,
        isLast ? .end : index == 0 && values.count > 1 ? .start : .middle, names[index])
    }
    svg.path(
      "dots s\(style)",
      values.enumerated().map { "M\(SVG.pair(placeX(Double($0.offset)), placeY($0.element)))h0" }
        .joined())
    for level in levels where !level.runs.isEmpty {
      // Half a run further on either side, so that a stretch of one run is a line too.
      let from = max(Self.left, placeX(Double(level.runs.lowerBound) - 0.5))
      let to = min(end, placeX(Double(level.runs.upperBound) - 0.5))
      svg.line("level", from, placeY(level.value), to, placeY(level.value))
    }
    for (number, mark) in marks.enumerated() { draw(mark, number % Self.nameRows, &svg) }
    return svg.finished()
  }

  private func draw(_ mark: Mark, _ row: Int, _ svg: inout SVG) {
    let at = placeX(Double(mark.place) - (mark.kind == .step ? 0.5 : 0))
    if mark.kind == .step { svg.line("reference", at, Self.top, at, Self.height - Self.bottom) }
    svg.circle(
      mark.kind == .watch ? "ring s\(mark.style)" : "mark s\(mark.style)",
      placeX(Double(mark.place)), placeY(values[mark.place]), radius: 4.5, hint: mark.hint)
    let isLeft = at < Self.width * 0.6
    svg.words(
      "name s\(mark.style)", at + (isLeft ? 5 : -5), Self.top + 12 + 14 * Double(row),
      isLeft ? .start : .end, mark.name)
  }

  /// First, last, and up to two between: more would touch on a small screen.
  private static func named(_ count: Int) -> [Int] {
    guard count > 1 else { return count == 1 ? [0] : [] }
    let parts = min(3, count - 1)
    return (0...parts).map { $0 * (count - 1) / parts }
  }

  package func text(columns: Int, characters: TerminalCharacters) -> String {
    let curve = CurvePlot(
      title: title, summary: summary, x: Axis("run", .linear(0...Double(max(1, values.count - 1)))),
      y: y,
      series: [
        .init(
          name: [names.first, values.count > 1 ? names.last : nil].compactMap { $0 }
            .joined(separator: characters == .unicode ? " … " : " to "),
          style: 0,
          points: values.enumerated().map { Point(Double($0.offset), $0.element) })
      ])
    return curve.text(columns: columns, characters: characters)
      + marks.map { Columns.clipped("  \($0.hint)", columns) + "\n" }.joined()
  }
}
