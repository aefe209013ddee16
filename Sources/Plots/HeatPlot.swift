/// A figure over two counts: a field of cells, the dearer the darker, each with its number.
package struct HeatPlot: Picture {
  package var title: String
  package var summary: String
  /// What columns and rows count.
  package var x: String
  package var y: String
  package var columns: [String]
  package var rows: [String]
  /// Row by row, the first at the bottom; nil where nothing was measured.
  package var values: [[Double?]]
  /// What stands in a cell.
  package var texts: [[String]]
  /// 0…7.
  package var style: Int
  /// What the lightest and the darkest shade stand for: the same for pictures that are compared.
  package var range: ClosedRange<Double>

  package init(
    title: String, summary: String, x: String, y: String, columns: [String], rows: [String],
    values: [[Double?]], texts: [[String]], style: Int, range: ClosedRange<Double>
  ) {
    precondition(values.count == rows.count && values.allSatisfy { $0.count == columns.count })
    precondition(texts.count == rows.count && texts.allSatisfy { $0.count == columns.count })
    self.title = title
    self.summary = summary
    self.x = x
    self.y = y
    self.columns = columns
    self.rows = rows
    self.values = values
    self.texts = texts
    self.style = style
    self.range = range
  }

  package var legend: [LegendEntry] { [] }

  private static let width = 520.0
  private static let left = 66.0
  private static let right = 14.0
  private static let top = 22.0
  private static let row = 40.0
  private static let bottom = 46.0

  /// From 0 to 1.
  private func shade(_ value: Double) -> Double {
    guard range.upperBound > range.lowerBound else { return 0.5 }
    return min(1, max(0, (value - range.lowerBound) / (range.upperBound - range.lowerBound)))
  }

  package func svg(id: String) -> String {
    let base = Self.top + Double(rows.count) * Self.row
    var svg = SVG(
      id: id, title: title, summary: summary, width: Self.width, height: base + Self.bottom)
    let step = (Self.width - Self.left - Self.right) / Double(max(1, columns.count))
    for (row, values) in values.enumerated() {
      let y = base - Double(row + 1) * Self.row
      for (column, value) in values.enumerated() {
        let x = Self.left + Double(column) * step
        if let value {
          // Ten shades; the faintest is still seen.
          let tenth = Int(shade(value) * 9 + 0.5)
          svg.rectangle(
            "heat h\(tenth) s\(style)", x + 1, y + 1, step - 2, Self.row - 2,
            hint: "\(rows[row]) \(self.y), \(columns[column]) \(self.x): \(texts[row][column])")
        }
        svg.words("name", x + step / 2, y + Self.row / 2 + 4, .middle, texts[row][column])
      }
    }
    svg.ticks(
      leftOf: Self.left - 6,
      rows.enumerated().map { (at: base - (Double($0.offset) + 0.5) * Self.row, name: $0.element) })
    svg.ticks(
      below: base + 17,
      columns.enumerated().map {
        (at: Self.left + (Double($0.offset) + 0.5) * step, name: $0.element)
      })
    svg.words("label", 4, 13, .start, y)
    svg.words("label", (Self.left + Self.width - Self.right) / 2, base + 37, .middle, x)
    return svg.finished()
  }

  package func text(columns width: Int, characters: TerminalCharacters) -> String {
    let shades: [Character] =
      characters == .unicode ? ["░", "▒", "▓", "█"] : [".", "-", "+", "#"]
    let margin = max(6, (rows.map(\.count).max() ?? 0) + 2)
    let room = max(4, (width - margin) / max(1, columns.count))
    var out = Columns.clipped(title, width) + "\n" + Columns.clipped("  \(y)", width) + "\n"
    for row in rows.indices.reversed() {
      var line = Columns.padded(rows[row], margin - 1, isRight: true) + " "
      for column in columns.indices {
        let mark = values[row][column].map { String(shades[Int(shade($0) * 3 + 0.5)]) } ?? " "
        line += Columns.padded(
          Columns.clipped(mark + mark + " " + texts[row][column], room - 1), room)
      }
      out += Columns.trimmed(Columns.clipped(line, width)) + "\n"
    }
    var ruler = String(repeating: " ", count: margin)
    for name in columns { ruler += Columns.padded(Columns.clipped(name, room - 1), room) }
    return out + Columns.trimmed(Columns.clipped(ruler, width)) + "\n"
      + Columns.clipped(String(repeating: " ", count: margin) + x, width) + "\n"
  }
}
