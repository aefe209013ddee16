import Gates

/// Findings as a comment on a pull request (GitHub-flavoured Markdown): the conclusion and what changed,
/// the rest folded. At most `limit` lines are unfolded, so that a comment stays one.
package struct FindingsMarkdown {
  static let limit = 20
  static let foldedLimit = 200
  /// GitHub refuses longer comments.
  package static let maximum = 65_536

  let findings: Findings

  package init(_ findings: Findings) { self.findings = findings }

  package func text() -> String {
    let words = findings.conclusion.rawValue.replacing("-", with: " ")
    var out =
      "### \(findings.title): \(words)\(findings.isImprovement ? ", with an improvement" : "")\n\n"
    for obstacle in findings.obstacles { out += "- cannot measure: \(Self.escaped(obstacle))\n" }
    let notable = findings.notable
    if !notable.isEmpty {
      out += Self.table(Array(notable.prefix(Self.limit)))
      if notable.count > Self.limit { out += "\n… and \(notable.count - Self.limit) more\n" }
    } else if findings.obstacles.isEmpty, !findings.lines.isEmpty {
      out += "Nothing changed in \(findings.lines.count) checks.\n"
    }
    out += "\n<details><summary>All \(findings.lines.count) checks</summary>\n\n"
    out += "`\(findings.baseline)` against `\(findings.candidate)`; \(findings.conditions)\n\n"
    if !findings.lines.isEmpty { out += Self.table(Array(findings.lines.prefix(Self.foldedLimit))) }
    if findings.lines.count > Self.foldedLimit {
      out += "\n… and \(findings.lines.count - Self.foldedLimit) more\n"
    }
    for warning in findings.warnings { out += "\n> warning: \(Self.escaped(warning))\n" }
    return out + "\n</details>\n"
  }

  private static func table(_ lines: [Findings.Line]) -> String {
    var out = "| trace | design | check | verdict | found |\n|---|---|---|---|---|\n"
    for line in lines {
      let words = [
        line.cell.trace, line.cell.design, "\(line.cell.question): \(line.name)",
        line.verdict.rawValue,
        line.details.joined(separator: "; "),
      ]
      out += "| " + words.map(escaped).joined(separator: " | ") + " |\n"
    }
    return out
  }

  /// A cell of a table is one line, and its text is no markup.
  private static func escaped(_ text: String) -> String {
    var out = ""
    for character in text {
      switch character {
      case "\n": out += "<br>"
      case "<": out += "&lt;"
      case ">": out += "&gt;"
      case "&": out += "&amp;"
      case "|", "*", "_", "`", "\\": out += "\\\(character)"
      default: out.append(character)
      }
    }
    return out
  }
}
