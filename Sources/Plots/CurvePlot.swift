/// Curves over two axes, with bands, marks and lines of reference.
package struct CurvePlot: Picture {
  package struct Series: Sendable {
    package var name: String
    /// 0…7: the same thing has the same style in every plot of a page.
    package var style: Int
    package var isDashed = false
    package var points: [Point]
    /// Whether each point is marked: where a point is a measurement and the line between two is not.
    package var isMarked = false
    /// Upper and lower edge of what the curve may be.
    package var band: (upper: [Point], lower: [Point])?

    package init(
      name: String, style: Int, points: [Point], isDashed: Bool = false, isMarked: Bool = false,
      band: (upper: [Point], lower: [Point])? = nil
    ) {
      self.name = name
      self.style = style
      self.points = points
      self.isDashed = isDashed
      self.isMarked = isMarked
      self.band = band
    }
  }

  /// A bound or a budget: a line across, with words.
  package struct Reference: Hashable, Sendable {
    package enum Direction: Hashable, Sendable { case across, upright }
    package var name: String
    package var value: Double
    package var direction: Direction
    package init(name: String, value: Double, _ direction: Direction = .across) {
      self.name = name
      self.value = value
      self.direction = direction
    }
  }

  package var title: String
  package var summary: String
  package var x: Axis
  package var y: Axis
  package var series: [Series]
  package var references: [Reference]

  package init(
    title: String, summary: String, x: Axis, y: Axis, series: [Series] = [],
    references: [Reference] = []
  ) {
    self.title = title
    self.summary = summary
    self.x = x
    self.y = y
    self.series = series
    self.references = references
  }

  package var legend: [LegendEntry] {
    series.map { LegendEntry(name: $0.name, style: $0.style, isDashed: $0.isDashed) }
  }

  private static let width = 520.0
  private static let height = 320.0
  private static let left = 66.0
  private static let right = 14.0
  private static let top = 12.0
  private static let bottom = 52.0

  private func place(_ point: Point) -> Point {
    Point(placeX(point.x), placeY(point.y))
  }

  private func placeX(_ value: Double) -> Double {
    Self.left + x.scale.position(value) * (Self.width - Self.left - Self.right)
  }

  private func placeY(_ value: Double) -> Double {
    let span = Self.height - Self.top - Self.bottom
    return Self.top + (1 - y.scale.position(value)) * span
  }

  package func svg(id: String) -> String {
    var svg = SVG(
      id: id, title: title, summary: summary, width: Self.width, height: Self.height)
    drawAxes(&svg)
    for line in series {
      guard let band = line.band else { continue }
      svg.path(
        "band s\(line.style)",
        PathData.area(upper: band.upper.map(place), lower: band.lower.map(place)))
    }
    for line in series {
      svg.path(
        "line s\(line.style)" + (line.isDashed ? " dashed" : ""),
        PathData.line(line.points.map(place)), hint: line.name)
      guard line.isMarked else { continue }
      for point in line.points {
        let spot = place(point)
        svg.circle(
          "mark s\(line.style)", spot.x, spot.y, radius: 3,
          hint: "\(line.name): \(x.style.text(point.x)), \(y.style.text(point.y))")
      }
    }
    for reference in references { draw(reference, &svg) }
    return svg.finished()
  }

  private func drawAxes(_ svg: inout SVG) {
    let (end, base) = (Self.width - Self.right, Self.height - Self.bottom)
    var grid = ""
    let rows = y.ticks.map { (at: placeY($0.value), name: $0.label) }
    let columns = x.ticks.map { (at: placeX($0.value), name: $0.label) }
    for row in rows { grid += "M\(SVG.pair(Self.left, row.at))H\(SVG.number(end))" }
    for column in columns { grid += "M\(SVG.pair(column.at, Self.top))V\(SVG.number(base))" }
    svg.ticks(leftOf: Self.left - 6, rows)
    svg.ticks(below: base + 19, columns)
    svg.path("grid", grid)
    svg.path(
      "axis", "M\(SVG.pair(Self.left, Self.top))V\(SVG.number(base))H\(SVG.number(end))")
    svg.words("label", (Self.left + end) / 2, Self.height - 10, .middle, x.title)
  }

  private func draw(_ reference: Reference, _ svg: inout SVG) {
    switch reference.direction {
    case .across:
      let at = placeY(reference.value)
      svg.line("reference", Self.left, at, Self.width - Self.right, at)
      svg.words("name", Self.width - Self.right - 4, at - 5, .end, reference.name)
    case .upright:
      let at = placeX(reference.value)
      svg.line("reference", at, Self.top, at, Self.height - Self.bottom)
      svg.words("name", at + 4, Self.top + 12, .start, reference.name)
    }
  }
}
