/// One JSON object (RFC 8259) without objects or arrays inside: the shape of a row.
///
/// Values are given as text: strings without their quotes, numbers as they stand, true and false as 1
/// and 0; a null is left out.
struct FlatJSON {
  private var rest: Substring.UTF8View

  /// - Returns: nil if the line is anything else.
  static func members(_ line: String) -> [(name: String, value: String)]? {
    var parser = FlatJSON(rest: line.utf8[...])
    return parser.object()
  }

  private mutating func object() -> [(name: String, value: String)]? {
    guard take("{") else { return nil }
    var members: [(name: String, value: String)] = []
    if !take("}") {
      repeat {
        guard let name = string(), take(":"), let value = value() else { return nil }
        if let text = value { members.append((name, text)) }
      } while take(",")
      guard take("}") else { return nil }
    }
    skipBlanks()
    return rest.isEmpty ? members : nil
  }

  private mutating func skipBlanks() {
    rest = rest.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
  }

  private mutating func take(_ byte: Unicode.Scalar) -> Bool {
    skipBlanks()
    guard rest.first == UInt8(ascii: byte) else { return false }
    rest = rest.dropFirst()
    return true
  }

  /// A value; the inner nil is null.
  private mutating func value() -> String?? {
    skipBlanks()
    if rest.first == UInt8(ascii: "\"") { return string().map { .some($0) } }
    let word = rest.prefix { LineText.isWord($0) }
    guard !word.isEmpty else { return nil }
    rest = rest[word.endIndex...]
    switch String(Substring(word)) {
    case "null": return .some(nil)
    case "true": return "1"
    case "false": return "0"
    case let text:
      // Whole numbers only: no field has a fraction.
      return text.utf8.allSatisfy { $0 &- UInt8(ascii: "0") < 10 } ? text : nil
    }
  }

  private mutating func string() -> String? {
    guard take("\"") else { return nil }
    var bytes: [UInt8] = []
    while let byte = rest.first {
      rest = rest.dropFirst()
      switch byte {
      case UInt8(ascii: "\""): return String(decoding: bytes, as: UTF8.self)
      case UInt8(ascii: "\\"):
        // No name or label needs another escape.
        guard let escaped = rest.first, [0x22, 0x5C, 0x2F].contains(escaped) else { return nil }
        bytes.append(escaped)
        rest = rest.dropFirst()
      case 0..<0x20: return nil
      default: bytes.append(byte)
      }
    }
    return nil
  }
}
