package import Plots

// The page on a terminal.

extension ReportPage {
  /// - Parameter columns: of the terminal. Text and plots keep to it; a table is as wide as it is.
  package func text(columns: Int, characters: TerminalCharacters) -> String {
    TerminalPage(columns: max(40, columns), characters: characters).text(self)
  }
}

private struct TerminalPage {
  let columns: Int
  let characters: TerminalCharacters

  func text(_ page: ReportPage) -> String {
    var out = plain(page.title) + "\n"
    for line in page.lead { out += wrapped("• " + line, indent: "  ") }
    for line in page.cautions { out += wrapped("! " + line, indent: "  ") }
    for chapter in page.chapters {
      out += "\n" + underlined(chapter.title, "=")
      for section in chapter.sections { out += "\n" + text(section) }
    }
    return out
  }

  private func text(_ section: PageSection) -> String {
    var out = underlined(section.title, "-") + wrapped(section.lead)
    for caution in section.cautions { out += wrapped("! " + caution, indent: "  ") }
    for figure in section.figures {
      out += "\n" + plain(figure.picture.text(columns: columns, characters: characters))
    }
    for table in section.tables {
      var table = table
      table.parts = table.parts.map { part in
        switch part {
        case .table(let table): .table(table.mapped(plain))
        case .remark(let text): .remark(plain(text))
        }
      }
      out += "\n" + wrapped(table.title) + table.body()
    }
    for line in section.code { out += "  " + line + "\n" }
    return out
  }

  private func underlined(_ title: String, _ mark: Character) -> String {
    let title = plain(title)
    return title + "\n" + String(repeating: mark, count: min(columns, title.count)) + "\n"
  }

  /// Lines of at most `columns`, broken at blanks; a longer word stands alone on its line.
  private func wrapped(_ text: String, indent: String = "") -> String {
    var lines: [String] = []
    var line = ""
    for word in plain(text).split(separator: " ") {
      if line.isEmpty {
        line = (lines.isEmpty ? "" : indent) + word
      } else if line.count + 1 + word.count <= columns {
        line += " " + word
      } else {
        lines.append(line)
        line = indent + word
      }
    }
    if !line.isEmpty { lines.append(line) }
    return lines.map { $0 + "\n" }.joined()
  }

  /// For a terminal of ASCII: what we write ourselves beyond it. The rest stays as the record has it.
  private func plain(_ text: String) -> String {
    guard characters == .ascii else { return text }
    let words = [
      "•": "*", "…": "~", "–": "-", "×": "x", "≤": "<=", "→": ">", "µ": "u", "÷": "/",
    ]
    return words.reduce(text) { $0.replacing($1.key, with: $1.value) }
  }
}
