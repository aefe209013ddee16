// Reports: run records turned into something that a person reads.
//
// It takes no measurement and no decision; whatever it prints stands in a `RunRecord`. Text tables
// come from the TextTable package, which enters the project here only.
//
//   print(ReplayReport(record).text())

import TextTable

/// A table of strings: numbers right-aligned, words left-aligned.
public struct Table {
  public struct Heading {
    var title: String
    var isNumber: Bool
    public static func word(_ title: String) -> Heading { Heading(title: title, isNumber: false) }
    public static func number(_ title: String) -> Heading { Heading(title: title, isNumber: true) }
  }

  private let headings: [Heading]
  private var rows: [[String]] = []

  public init(_ headings: [Heading]) { self.headings = headings }

  public mutating func add(_ cells: [String]) {
    precondition(cells.count == headings.count)
    rows.append(cells)
  }

  public var isEmpty: Bool { rows.isEmpty }

  /// Two blanks before each line; nothing behind the last column.
  public func text() -> String {
    let headings = self.headings
    let table = TextTable<[String]> { row in
      headings.indices.map { index in
        Column(
          title: headings[index].title, value: row[index],
          align: headings[index].isNumber ? .right : .left)
      }
    }
    let lines = table.string(for: rows)?.split(separator: "\n") ?? []
    return lines.map { line in
      var line = "  " + line
      while line.hasSuffix(" ") { line.removeLast() }
      return line + "\n"
    }.joined()
  }
}
