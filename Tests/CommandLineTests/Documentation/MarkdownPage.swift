import Foundation
import Testing

/// A page of documentation, taken apart: what is fenced, what stands in code spans, where it points.
///
/// Not a renderer: it knows fences, spans, links and headings, which is what can be wrong in a page.
struct MarkdownPage: Sendable, CustomTestStringConvertible {
  struct Fence: Sendable {
    /// The first word after the fence, such as "console".
    var language: String
    /// The further words, such as `needs=root`.
    var attributes: [String: String]
    /// Of the fence itself, from 1.
    var line: Int
    var lines: [String]
  }

  struct Mention: Sendable {
    var text: String
    var line: Int
  }

  /// Below the repository.
  var path: String
  var fences: [Fence] = []
  /// Code spans outside of fences.
  var spans: [Mention] = []
  /// Targets of links outside of fences.
  var links: [Mention] = []
  /// As GitHub makes them of headings.
  var anchors: Set<String> = []

  var testDescription: String { path }

  /// Every page of the repository, by path.
  static func all() throws -> [MarkdownPage] {
    let root = URL(fileURLWithPath: Tool.repository)
    var paths = ["README.md"]
    for folder in ["Sources", "Tests", "Benchmarks", "Traces"] {
      let names =
        FileManager.default.enumerator(atPath: root.appendingPathComponent(folder).path)?
        .allObjects as? [String] ?? []
      paths += names.filter { $0.hasSuffix(".md") }.map { "\(folder)/\($0)" }
    }
    return try paths.sorted().map {
      let text = try String(contentsOf: root.appendingPathComponent($0), encoding: .utf8)
      return MarkdownPage(path: $0, text: text)
    }
  }

  init(path: String, text: String) {
    self.path = path
    var open: Fence?
    for (index, line) in text.components(separatedBy: "\n").enumerated() {
      let number = index + 1
      if line.hasPrefix("```") {
        if let fence = open {
          fences.append(fence)
          open = nil
        } else {
          let words = line.dropFirst(3).split(separator: " ").map(String.init)
          let pairs = words.dropFirst().map { word -> (String, String) in
            let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
            return (parts[0], parts.count > 1 ? parts[1] : "")
          }
          open = Fence(
            language: words.first ?? "", attributes: Dictionary(pairs) { $1 }, line: number,
            lines: [])
        }
      } else if open != nil {
        open?.lines.append(line)
      } else {
        takeProse(line, number)
      }
    }
  }

  private mutating func takeProse(_ line: String, _ number: Int) {
    let pieces = line.components(separatedBy: "`")
    for (index, piece) in pieces.enumerated() where index % 2 == 1 && index < pieces.count - 1 {
      spans.append(Mention(text: piece, line: number))
    }
    for piece in line.components(separatedBy: "](").dropFirst() {
      if let end = piece.firstIndex(of: ")") {
        links.append(Mention(text: String(piece[..<end]), line: number))
      }
    }
    if line.hasPrefix("#") {
      let title = line.drop { $0 == "#" }.trimmingCharacters(in: .whitespaces).lowercased()
      let kept = title.filter { $0.isLetter || $0.isNumber || $0 == "-" || $0 == "_" || $0 == " " }
      anchors.insert(kept.replacingOccurrences(of: " ", with: "-"))
    }
  }
}
