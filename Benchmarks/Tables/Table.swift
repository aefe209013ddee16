/// What a section found: printed as columns of text or as JSON.
struct Table {
  enum Cell {
    case text(String)
    case figure(Double)
    case count(UInt64)
    case pair(Double, Double)
  }

  let name: String
  let columns: [String]
  var rows: [[Cell]] = []
  var notes: [String] = []

  init(_ name: String, columns: [String]) {
    self.name = name
    self.columns = columns
  }
}

extension Table {
  var text: String {
    let cells = [columns] + rows.map { $0.map(\.text) }
    let widths = columns.indices.map { column in cells.map { $0[column].count }.max() ?? 0 }
    let lines = cells.map { row in
      zip(row, widths).enumerated().map { index, cell in
        let space = String(repeating: " ", count: cell.1 - cell.0.count)
        return index == 0 ? cell.0 + space : space + cell.0
      }.joined(separator: "  ")
    }
    return ([name] + (lines + notes).map { "  " + $0 }).joined(separator: "\n") + "\n"
  }

  var json: String {
    let rows = rows.map { row in
      "{" + zip(columns, row).map { "\(quoted($0)):\($1.json)" }.joined(separator: ",") + "}"
    }
    return "{\"name\":\(quoted(name)),\"rows\":[\(rows.joined(separator: ","))],"
      + "\"notes\":[\(notes.map(quoted).joined(separator: ","))]}"
  }
}

extension Table.Cell {
  var text: String {
    switch self {
    case .text(let text): text
    case .figure(let value): hundredths(value)
    case .count(let value): String(value)
    case .pair(let first, let second): "\(hundredths(first)) / \(hundredths(second))"
    }
  }

  var json: String {
    switch self {
    case .text(let text): quoted(text)
    case .figure(let value): value.isFinite ? hundredths(value) : "null"
    case .count(let value): String(value)
    case .pair(let first, let second): "[\(hundredths(first)),\(hundredths(second))]"
    }
  }
}

/// Names and notes are of this program: neither quotes nor control characters occur in them.
private func quoted(_ text: String) -> String { "\"\(text)\"" }

/// Two decimals.
private func hundredths(_ value: Double) -> String {
  guard value.isFinite else { return "-" }
  let all = Int((value * 100).rounded())
  return "\(all / 100)." + (all % 100 < 10 ? "0" : "") + "\(all % 100)"
}
