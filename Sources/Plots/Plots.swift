// Plots: figures → pictures, as SVG and as characters.
//
//   let axis = Axis("percentile", .nines(most: 4))
//   let plot = CurvePlot(title: "Latency", x: axis, y: .init("time", .logarithmic(1...1e6)))
//   plot.series.append(.init(name: "direct", style: 0, points: points))
//   plot.svg(id: "f1")           // a whole <svg> element, for a page's style sheet to colour
//   plot.text(columns: 80)       // the same curve in braille
//
// It knows nothing of interrupts or run records, makes no choice of what to show, and holds no colour:
// every shape has a class (s0…s7 for a series, `axis`, `grid`, `band`, `mark`), and the page decides for
// light, dark and paper. Every plot carries a title and a description for those who do not see it. All
// text that comes in is escaped.
//
// Invariants: no Foundation, no clock: the same figures give the same bytes. Threads: everything is a value; any
// thread may use it.

/// A point in the units of its plot.
package struct Point: Hashable, Sendable {
  package var x: Double
  package var y: Double
  package init(_ x: Double, _ y: Double) {
    self.x = x
    self.y = y
  }
}

/// A way to turn figures into a picture of its own size.
package protocol Picture: Sendable {
  var title: String { get }
  /// One sentence that says what is to be seen.
  var summary: String { get }
  /// Name and style of what the picture tells apart; empty if there is one thing only.
  var legend: [LegendEntry] { get }
  /// - Parameter id: of the element; unique in a page.
  func svg(id: String) -> String
  /// - Parameter columns: of the terminal; no line is longer.
  func text(columns: Int, characters: TerminalCharacters) -> String
}

/// Which characters a terminal shows.
package enum TerminalCharacters: Sendable {
  case unicode
  case ascii
}

package struct LegendEntry: Hashable, Sendable {
  package var name: String
  /// 0…7.
  package var style: Int
  package var isDashed: Bool
  /// An area of its style, not a line.
  package var isArea: Bool
  package init(name: String, style: Int, isDashed: Bool = false, isArea: Bool = false) {
    self.name = name
    self.style = style
    self.isDashed = isDashed
    self.isArea = isArea
  }
}
