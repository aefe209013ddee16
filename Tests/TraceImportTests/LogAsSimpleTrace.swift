@testable import TraceImport

/// What QEMU's `simple` backend would have written instead of a log: declarations and records made from
/// the lines themselves.
///
/// Each event's text is cut into words. Where all of its lines have the same number of words, a word
/// that is a number or "key=number" in each line is an argument, a word that is the same in all is part
/// of the format, and any other is a text. Else the whole text is one argument.
struct LogAsSimpleTrace {
  private(set) var declarations = ""
  private(set) var trace: SimpleTraceBuilder

  private struct Line {
    var thread: UInt64
    var microseconds: UInt64
    var name: String
    var words: [Word]
  }

  /// "key=0x1f," is the prefix "key=", a number, and the suffix ",".
  private struct Word {
    var whole: String
    var prefix: String
    var suffix: String
    var number: UInt64
    var isHex: Bool

    init(_ whole: Substring) {
      self.whole = String(whole)
      (prefix, suffix, number, isHex) = ("", "", 0, false)
      let start = whole.lastIndex { "=/[('".contains($0) }.map { whole.index(after: $0) }
      let body = whole[(start ?? whole.startIndex)...]
      let digits = body.hasPrefix("0x") ? body.dropFirst(2) : body
      let end = digits.firstIndex { !$0.isHexDigit } ?? digits.endIndex
      isHex = body.hasPrefix("0x")
      // Leading zeros of a number would be lost.
      let text = digits[..<end]
      guard let value = UInt64(text, radix: isHex ? 16 : 10),
        String(value, radix: isHex ? 16 : 10) == text
      else { return }
      prefix = String(whole[..<body.startIndex])
      suffix = String(digits[end...])
      number = value
      hasNumber = true
    }

    var hasNumber = false
    var shape: String { "\(prefix) \(suffix) \(isHex)" }
  }

  private enum Plan {
    case words([Role])
    case whole
  }

  private enum Role {
    case literal, number, text
  }

  init(_ log: String, version: UInt64, isBigEndian: Bool = false) {
    trace = SimpleTraceBuilder(version: version, isBigEndian: isBigEndian)
    let lines = log.split(separator: "\n").compactMap(Self.line)
    var order: [String] = []
    var all: [String: [[Word]]] = [:]
    for line in lines {
      if all[line.name] == nil { order.append(line.name) }
      all[line.name, default: []].append(line.words)
    }
    let plans = all.mapValues(Self.plan)
    var numbers: [String: UInt64] = [:]
    for name in order {
      // A disabled event has no number in version 3.
      declarations += "disable \(name)_of_old(int x) \"%d\"\n\n# about \(name)\n"
      declarations += Self.declaration(name, all[name]?.first ?? [], plans[name] ?? .whole) + "\n"
      numbers[name] = UInt64(numbers.count) + (version == 4 ? 100 : 0)
    }
    if version == 4 {
      for name in order { trace.name(numbers[name] ?? 0, name) }
    }
    for line in lines {
      trace.event(
        numbers[line.name] ?? 0, nanoseconds: line.microseconds * 1_000, process: line.thread,
        Self.values(line.words, plans[line.name] ?? .whole))
    }
  }

  private static func line(_ text: Substring) -> Line? {
    let parts = text.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
    let head = parts[0].split(whereSeparator: { "@.:".contains($0) })
    guard head.count == 4, let thread = UInt64(head[0]), let seconds = UInt64(head[1]),
      let micros = UInt64(head[2])
    else { return nil }
    let words =
      parts.count > 1 ? parts[1].split(separator: " ", omittingEmptySubsequences: false) : []
    return Line(
      thread: thread, microseconds: seconds * 1_000_000 + micros, name: String(head[3]),
      words: words.map { Word($0) })
  }

  private static func plan(_ lines: [[Word]]) -> Plan {
    guard let first = lines.first, lines.allSatisfy({ $0.count == first.count }) else {
      return .whole
    }
    return .words(
      first.indices.map { index in
        let column = lines.map { $0[index] }
        if column.allSatisfy({ $0.hasNumber && $0.shape == column[0].shape }) { return .number }
        return column.allSatisfy { $0.whole == column[0].whole } ? .literal : .text
      })
  }

  private static func declaration(_ name: String, _ words: [Word], _ plan: Plan) -> String {
    guard case .words(let roles) = plan else { return "\(name)(const char *text) \"%s\"" }
    var arguments: [String] = []
    var format = "\""
    for (index, (word, role)) in zip(words, roles).enumerated() {
      if index > 0 { format += " " }
      switch role {
      case .literal: format += word.whole.replacing("%", with: "%%").replacing("\"", with: "\\\"")
      case .text:
        format += "%s"
        arguments.append("const char *a\(index)")
      case .number:
        format += word.prefix + (word.isHex ? "0x%\" PRIx64 \"" : "%\" PRIu64 \"") + word.suffix
        arguments.append("uint64_t a\(index)")
      }
    }
    return "\(name)(\(arguments.isEmpty ? "void" : arguments.joined(separator: ", "))) \(format)\""
  }

  private static func values(_ words: [Word], _ plan: Plan) -> [SimpleTraceBuilder.Value] {
    guard case .words(let roles) = plan else {
      return [.text(words.map(\.whole).joined(separator: " "))]
    }
    return zip(words, roles).compactMap { word, role in
      switch role {
      case .literal: nil
      case .number: .number(word.number)
      case .text: .text(word.whole)
      }
    }
  }
}
