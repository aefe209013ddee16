// The plots in characters. A terminal may have no colours: each curve has a panel of its own, all on the
// same axes.

extension CurvePlot {
  /// Room beside a panel for the names of values.
  private static let margin = 9
  /// The least and the most that a panel takes, its names included.
  private static let panelColumns = (least: 36, most: 60)
  private static let panelRows = 6

  package func text(columns: Int, characters: TerminalCharacters) -> String {
    let fitting = max(1, (columns + 2) / (Self.panelColumns.least + 2))
    let across = max(1, min(series.count, fitting))
    let width = max(
      Self.margin + 8, min((columns + 2) / across - 2, Self.panelColumns.most))
    var out = Columns.clipped(title, columns) + "\n"
    for start in stride(from: 0, to: series.count, by: across) {
      let panels = series[start..<min(series.count, start + across)].map {
        panel($0, columns: width, characters)
      }
      for row in 0..<(panels.map(\.count).max() ?? 0) {
        out += Columns.trimmed(
          panels.map { Columns.padded($0[row], width) }.joined(separator: "  "))
        out += "\n"
      }
    }
    for reference in references {
      let axis = reference.direction == .across ? y : x
      out += Columns.clipped("  \(reference.name): \(axis.style.text(reference.value))", columns)
      out += "\n"
    }
    return out
  }

  private func panel(_ line: Series, columns: Int, _ characters: TerminalCharacters) -> [String] {
    var canvas = DotCanvas(columns: columns - Self.margin, rows: Self.panelRows)
    let dots = line.points.map { point in
      (
        x: Int(x.scale.position(point.x) * Double(canvas.width - 1) + 0.5),
        y: Int((1 - y.scale.position(point.y)) * Double(canvas.height - 1) + 0.5)
      )
    }
    if let first = dots.first { canvas.set(first.x, first.y) }
    for (a, b) in zip(dots, dots.dropFirst()) { canvas.line(a, b) }
    let ends = y.scale.ends.map(y.style.text)
    let edge = characters == .unicode ? "│" : "|"
    var lines = [Columns.clipped(line.name, columns)]
    for (row, dots) in canvas.lines(characters).enumerated() {
      let label = row == 0 ? ends[1] : row == Self.panelRows - 1 ? ends[0] : ""
      lines.append(Columns.padded(label, Self.margin - 2, isRight: true) + " " + edge + dots)
    }
    lines.append(String(repeating: " ", count: Self.margin) + ruler(canvas.columns))
    return lines
  }

  /// Names of ticks below their places, as many as have room.
  private func ruler(_ columns: Int) -> String {
    var line = ""
    for tick in x.ticks where !tick.label.isEmpty {
      let middle = Int(x.scale.position(tick.value) * Double(columns - 1) + 0.5)
      let start = max(0, min(columns - tick.label.count, middle - tick.label.count / 2))
      guard line.isEmpty || start > line.count else { continue }
      line = Columns.padded(line, start) + tick.label
    }
    return line
  }
}

extension BarPlot {
  private static let fillings: [TerminalCharacters: [Character]] = [
    .unicode: ["█", "▓", "▒", "░", "▚", "▞", "▤", "▥"],
    .ascii: ["#", "=", "-", ".", "+", "%", "o", "~"],
  ]

  package func text(columns: Int, characters: TerminalCharacters) -> String {
    let fillings = Self.fillings[characters] ?? []
    let names = panels.map { $0.bars.map { "\($0.name) \(style.text($0.total))" } }
    let margin = min(columns / 2, (names.joined().map(\.count).max() ?? 0) + 2)
    let room = max(4, columns - margin - 2)
    var out = Columns.clipped(title, columns) + "\n"
    for (panel, names) in zip(panels, names) {
      if !panel.name.isEmpty { out += Columns.clipped(" \(panel.name)", columns) + "\n" }
      let scale = panel.axis(axis, style).scale
      for (bar, name) in zip(panel.bars, names) {
        var line = ""
        var start = 0.0
        for part in bar.parts {
          start += part.value
          let end = Int(scale.position(start) * Double(room) + 0.5)
          line += String(
            repeating: fillings[part.style % fillings.count], count: max(0, end - line.count))
        }
        out += "  " + Columns.padded(Columns.clipped(name, margin - 1), margin) + line + "\n"
      }
    }
    let key = legend.map { "\(fillings[$0.style % fillings.count]) \($0.name)" }
    for line in Columns.wrapped(key, columns - 2) { out += "  " + line + "\n" }
    return out
  }
}

extension IntervalPlot {
  package func text(columns: Int, characters: TerminalCharacters) -> String {
    let margin = min(columns / 2, (rows.map(\.name.count).max() ?? 0) + 2)
    let room = max(8, columns - margin - 2)
    func place(_ value: Double) -> Int {
      Int(axis.scale.position(value) * Double(room - 1) + 0.5)
    }
    let (bar, dot, edge) = characters == .unicode ? ("─", "●", "│") : ("-", "o", "|")
    var out = Columns.clipped(title, columns) + "\n"
    for row in rows {
      var line = [String](repeating: " ", count: room)
      for end in [zone?.lowerBound, zone?.upperBound] {
        if let end { line[place(end)] = edge }
      }
      if let interval = row.interval {
        for at in place(interval.lowerBound)...place(interval.upperBound) { line[at] = bar }
      }
      line[place(row.estimate)] = dot
      out += Columns.trimmed(
        "  " + Columns.padded(Columns.clipped(row.name, margin - 1), margin) + line.joined())
      out += "\n"
    }
    return out
  }
}

/// Lines of a given width. A character counts as one column: names that are wider than that are rare, and
/// only shift what follows.
enum Columns {
  static func padded(_ text: String, _ width: Int, isRight: Bool = false) -> String {
    let blanks = String(repeating: " ", count: max(0, width - text.count))
    return isRight ? blanks + text : text + blanks
  }

  static func clipped(_ text: String, _ width: Int) -> String {
    text.count <= width ? text : String(text.prefix(max(0, width - 1))) + "…"
  }

  static func trimmed(_ text: String) -> String {
    var text = text
    while text.hasSuffix(" ") { text.removeLast() }
    return text
  }

  static func wrapped(_ words: [String], _ width: Int) -> [String] {
    var lines: [String] = []
    for word in words {
      if let last = lines.last, last.count + 3 + word.count <= width {
        lines[lines.count - 1] = last + "   " + word
      } else {
        lines.append(clipped(word, width))
      }
    }
    return lines
  }
}
