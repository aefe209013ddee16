// Reports: run records turned into something that a person reads.
//
// It takes no measurement and no decision; whatever it prints stands in a `RunRecord`. Text tables
// come from the TextTable package, and HTML from templates (Page/*.mustache) by the Mustache package; both
// enter the project here only.
//
//   print(ReplayReport(record).text())
//   try ReportPage([record], baseline: [], comparisons: [], policy: Policy()).html()

import TextTable

/// A table of strings: numbers right-aligned, words left-aligned.
public struct Table {
  public struct Heading: Sendable {
    package var title: String
    package var isNumber: Bool
    public static func word(_ title: String) -> Heading { Heading(title: title, isNumber: false) }
    public static func number(_ title: String) -> Heading { Heading(title: title, isNumber: true) }
  }

  package let headings: [Heading]
  package private(set) var rows: [[String]] = []
  /// Names of rows that links from elsewhere may rest on, by the row's place.
  private(set) var anchors: [Int: String] = [:]

  public init(_ headings: [Heading]) { self.headings = headings }

  public mutating func add(_ cells: [String]) {
    precondition(cells.count == headings.count)
    rows.append(cells)
  }

  mutating func add(_ cells: [String], anchor: String) {
    anchors[rows.count] = anchor
    add(cells)
  }

  public var isEmpty: Bool { rows.isEmpty }

  /// The same with every text changed.
  func mapped(_ change: (String) -> String) -> Table {
    var table = Table(headings.map { .init(title: change($0.title), isNumber: $0.isNumber) })
    for row in rows { table.add(row.map(change)) }
    return table
  }

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
