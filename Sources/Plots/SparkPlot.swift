/// A figure run by run, as small as a word: its way, its last run, and where its level changed.
package struct SparkPlot: Sendable {
  package var title: String
  package var summary: String
  /// Oldest first.
  package var values: [Double]
  /// Places of the first runs on new levels.
  package var steps: [Int]
  /// 0…7: of the last run.
  package var style: Int

  package init(
    title: String, summary: String, values: [Double], steps: [Int] = [], style: Int = 0
  ) {
    self.title = title
    self.summary = summary
    self.values = values
    self.steps = steps
    self.style = style
  }

  private static let width = 150.0
  private static let height = 28.0
  private static let margin = 4.0

  package func svg(id: String) -> String {
    var svg = SVG(
      "spark", id: id, title: title, summary: summary, width: Self.width, height: Self.height)
    let (least, most) = (values.min() ?? 0, values.max() ?? 1)
    func place(_ index: Double, _ value: Double) -> Point {
      let x = values.count > 1 ? index / Double(values.count - 1) : 0.5
      let y = most > least ? (value - least) / (most - least) : 0.5
      return Point(
        Self.margin + x * (Self.width - 2 * Self.margin),
        Self.margin + (1 - y) * (Self.height - 2 * Self.margin))
    }
    for step in steps {
      let at = place(Double(step) - 0.5, least).x
      svg.line("reference", at, 0, at, Self.height)
    }
    svg.path(
      "trail s0",
      PathData.line(values.enumerated().map { place(Double($0.offset), $0.element) }))
    if let last = values.last {
      let spot = place(Double(values.count - 1), last)
      svg.circle("mark s\(style)", spot.x, spot.y, radius: 3)
    }
    return svg.finished()
  }
}
