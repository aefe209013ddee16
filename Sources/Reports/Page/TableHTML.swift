import Plots

/// A table as HTML. Written here and not by a template: a page has a hundred thousand cells, and a template
/// takes a microsecond for each. Cells and rows end where the next begins (HTML Living Standard, §13.1.2.4):
/// that is a tenth of a page.
struct TableHTML {
  private(set) var text = ""

  /// - Parameter id: the id that a row's name may have; nil if it is taken.
  init(_ table: Table, title: String, id: (String) -> String?) {
    // Columns of words, by their place from 1: the style sheet knows that many.
    let words = table.headings.indices.filter { !table.headings[$0].isNumber }.map { "w\($0 + 1)" }
    let kind = words.isEmpty ? "" : " class=\"\(words.joined(separator: " "))\""
    text =
      "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Table: \(Markup.escaped(title))\">"
      + "<table\(kind)>\n<thead><tr>"
    for heading in table.headings {
      text += "<th scope=\"col\">\(Markup.escaped(heading.title))"
    }
    text += "\n<tbody>\n"
    for (index, row) in table.rows.enumerated() {
      let name = table.anchors[index].flatMap(id)
      text += name.map { "<tr id=\"\(Markup.escaped($0))\">" } ?? "<tr>"
      for (column, cell) in row.enumerated() {
        let content = Markup.escaped(cell)
        text += column == 0 ? "<th scope=\"row\">\(content)" : "<td>\(content)"
      }
      text += "\n"
    }
    text += "</table></div>\n"
  }
}
