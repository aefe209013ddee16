import Plots

/// A table as HTML. Written here and not by a template: a page has a hundred thousand cells, and a template
/// takes a microsecond for each.
struct TableHTML {
  private(set) var text = ""

  /// - Parameter id: the id that a row's name may have; nil if it is taken.
  init(_ table: Table, title: String, id: (String) -> String?) {
    let words = table.headings.map { $0.isNumber ? "" : " class=\"w\"" }
    text =
      "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Table: \(Markup.escaped(title))\">"
      + "<table>\n<thead><tr>"
    for (heading, word) in zip(table.headings, words) {
      text += "<th scope=\"col\"\(word)>\(Markup.escaped(heading.title))</th>"
    }
    text += "</tr></thead>\n<tbody>\n"
    for (index, row) in table.rows.enumerated() {
      let name = table.anchors[index].flatMap(id)
      text += name.map { "<tr id=\"\(Markup.escaped($0))\">" } ?? "<tr>"
      for (column, cell) in row.enumerated() {
        let (word, content) = (words[column], Markup.escaped(cell))
        text +=
          column == 0
          ? "<th scope=\"row\"\(word)>\(content)</th>" : "<td\(word)>\(content)</td>"
      }
      text += "</tr>\n"
    }
    text += "</tbody>\n</table></div>\n"
  }
}
