import Foundation

/// What a page shows of an output, compared with an output: the words, not the figures.
///
/// Numbers are alike, as are long hashes, rules of a table and the width of gaps. `…` in a line stands for
/// anything, a line that is `…` alone for any lines.
struct OutputShape {
  private let lines: [String]

  init(_ shown: [String]) {
    lines = Self.trimmed(shown).map(Self.plain)
  }

  /// The first shown line that cannot be found, or the first printed one that is not shown; nil if all fits.
  func firstDifference(from printed: String) -> String? {
    if lines.isEmpty { return nil }
    let found = Self.trimmed(printed.components(separatedBy: "\n")).map(Self.plain)
    var deepest = 0
    if matches(0, found, 0, &deepest) { return nil }
    let expected = deepest < lines.count ? "'\(lines[deepest])'" : "the end"
    return "shown and not printed: \(expected); printed:\n\(printed)"
  }

  private func matches(_ at: Int, _ found: [String], _ place: Int, _ deepest: inout Int) -> Bool {
    deepest = max(deepest, at)
    if at == lines.count { return place == found.count }
    if lines[at] == "…" {
      return (place...found.count).contains { matches(at + 1, found, $0, &deepest) }
    }
    guard place < found.count, Self.fits(lines[at], found[place]) else { return false }
    return matches(at + 1, found, place + 1, &deepest)
  }

  private static func fits(_ shown: String, _ printed: String) -> Bool {
    let pieces = shown.components(separatedBy: "…")
    guard pieces.count > 1 else { return shown == printed }
    var rest = printed[...]
    for (index, piece) in pieces.enumerated() {
      if index == 0 {
        guard rest.hasPrefix(piece) else { return false }
        rest = rest.dropFirst(piece.count)
      } else if index == pieces.count - 1 {
        return piece.isEmpty || rest.hasSuffix(piece)
      } else if !piece.isEmpty {
        guard let range = rest.range(of: piece) else { return false }
        rest = rest[range.upperBound...]
      }
    }
    return true
  }

  private static func trimmed(_ lines: [String]) -> [String] {
    var lines = lines
    while lines.last?.trimmingCharacters(in: .whitespaces).isEmpty == true { lines.removeLast() }
    while lines.first?.trimmingCharacters(in: .whitespaces).isEmpty == true { lines.removeFirst() }
    return lines
  }

  private static func plain(_ line: String) -> String {
    var text = line
    for (pattern, with) in [
      ("[0-9a-f]{12,}", "#"), ("[+-]?[0-9][0-9.,]*", "#"), ("-{2,}", "-"), ("[ \\t]+", " "),
    ] {
      text = text.replacingOccurrences(of: pattern, with: with, options: .regularExpression)
    }
    return text.trimmingCharacters(in: .whitespaces)
  }
}
