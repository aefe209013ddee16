/// A heading with tables and remarks below it: a piece of a report, before it is text or a page.
public struct ReportSection {
  public enum Part {
    case table(Table)
    /// A sentence, or several lines that stay as they are.
    case remark(String)
  }

  public var title: String
  public var parts: [Part]

  public init(_ title: String, _ parts: [Part]) {
    self.title = title
    self.parts = parts
  }

  /// A section of one table; nil if the table is empty.
  init?(_ title: String, _ table: Table, remarks: [String] = []) {
    guard !table.isEmpty else { return nil }
    self.init(title, [.table(table)] + remarks.map(Part.remark))
  }

  /// As a terminal shows it; a remark stands in by two blanks.
  public func text() -> String { title + "\n" + body() }

  /// Without the heading.
  func body() -> String {
    parts.reduce(into: "") { out, part in
      switch part {
      case .table(let table): out += table.text()
      case .remark(let text): out += "  " + text + "\n"
      }
    }
  }
}
