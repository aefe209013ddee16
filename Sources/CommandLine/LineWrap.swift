/// Text for a terminal that is narrower than its lines: sentences are broken between words, under where they begin;
/// tables stay as they are.
struct LineWrap {
  let columns: Int
  /// A label before a sentence ends within so many columns, or it is none.
  private static let labelColumns = 34

  /// - Parameter text: paragraphs that blank lines part. One with a rule (`-----`) in it is a table.
  func text(_ text: String) -> String {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    let paragraphs = lines.split(separator: "", omittingEmptySubsequences: false)
    let set = paragraphs.map { paragraph in
      let isTable = paragraph.contains { $0.contains("---") && $0.allSatisfy { "- ".contains($0) } }
      return isTable ? Array(paragraph) : paragraph.flatMap(broken)
    }
    return set.joined(separator: [""]).joined(separator: "\n")
  }

  /// The lines that one becomes.
  func broken(_ line: Substring) -> [Substring] {
    guard line.count > columns else { return [line] }
    let indent = Self.indent(line)
    let room = columns - indent
    guard room >= 20 else { return [line] }
    var rows: [Substring] = []
    var rest = line
    var start = indent
    while rest.count > (rows.isEmpty ? columns : room) {
      let limit = rest.index(rest.startIndex, offsetBy: rows.isEmpty ? columns : room)
      let from = rest.index(rest.startIndex, offsetBy: start)
      // A word that is longer than the room, such as a path, is left whole.
      guard
        let gap = rest[from...limit].lastIndex(of: " ") ?? rest[limit...].firstIndex(of: " ")
      else { break }
      rows.append(rest[..<gap])
      rest = rest[rest.index(after: gap)...]
      start = 0
    }
    rows.append(rest)
    let blanks = String(repeating: " ", count: indent)
    return [rows[0]] + rows.dropFirst().map { Substring(blanks + $0) }
  }

  /// Where the sentence begins: behind what is blank, an arrow, or a label that two blanks end.
  private static func indent(_ line: Substring) -> Int {
    let head = Array(line.prefix(labelColumns))
    var indent = head.prefix { $0 == " " }.count
    for place in head.indices.dropFirst(2)
    where head[place] != " " && head[place - 1] == " " && head[place - 2] == " " {
      indent = place
    }
    if indent + 1 < head.count, head[indent] == "→" { indent += 2 }
    return indent
  }
}
