import History

/// What cells of one architecture are called in a page, and in which style they are drawn: the same
/// everywhere in it.
struct CellNames {
  private let namesMode: Bool
  private var styles: [String: Int] = [:]

  /// Designs that have a name keep their style in every page.
  private static let fixed = ["trapped": 0, "eventfd": 1, "direct": 2, "null": 7]

  init(_ cells: [RunRecord.Cell]) {
    namesMode = Set(cells.map(\.mode)).count > 1
    var next = 3
    for cell in cells {
      let name = self[cell]
      guard styles[name] == nil else { continue }
      if let style = Self.fixed[name] {
        styles[name] = style
      } else {
        styles[name] = next
        next = next == 6 ? 3 : next + 1
      }
    }
  }

  /// The design, and what else tells cells of this page apart.
  subscript(cell: RunRecord.Cell) -> String {
    cell.design + (cell.variant.map { " \($0)" } ?? "") + (namesMode ? " \(cell.mode)" : "")
  }

  /// Of a design by itself, such as in a history.
  static func style(ofDesign design: String) -> Int { fixed[design] ?? 3 }

  func style(_ cell: RunRecord.Cell) -> Int { styles[self[cell]] ?? 7 }
}
