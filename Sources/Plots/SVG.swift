/// SVG text in the making (W3C, Scalable Vector Graphics 2).
struct SVG {
  private(set) var text = ""

  /// The element, with its title and description as its accessible name (WAI-ARIA Graphics Module,
  /// `img`). It has no size of its own: it is as wide as its place.
  init(
    _ kind: String = "plot", id: String, title: String, summary: String, width: Double,
    height: Double
  ) {
    let id = Self.escaped(id)
    text = """
      <svg class="\(kind)" id="\(id)" viewBox="0 0 \(Self.number(width)) \(Self.number(height))" \
      role="img" aria-labelledby="\(id)-t \(id)-d" xmlns="http://www.w3.org/2000/svg">\
      <title id="\(id)-t">\(Self.escaped(title))</title>\
      <desc id="\(id)-d">\(Self.escaped(summary))</desc>
      """
  }

  mutating func line(_ kind: String, _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double) {
    text +=
      "<path class=\"\(kind)\" d=\"M\(Self.pair(x1, y1))L\(Self.pair(x2, y2))\"/>"
  }

  /// - Parameter hint: what a pointer over it shows.
  mutating func path(_ kind: String, _ data: String, hint: String? = nil) {
    text += "<path class=\"\(kind)\" d=\"\(data)\"" + Self.close("path", hint)
  }

  mutating func rectangle(
    _ kind: String, _ x: Double, _ y: Double, _ width: Double, _ height: Double,
    hint: String? = nil
  ) {
    // A path, because its four numbers need no names: a page has thousands of them.
    let across = Self.number(width)
    path(
      kind, "M\(Self.pair(x, y))h\(across)v\(Self.number(height))h-\(across)z", hint: hint)
  }

  mutating func circle(
    _ kind: String, _ x: Double, _ y: Double, radius: Double, hint: String? = nil
  ) {
    text +=
      "<circle class=\"\(kind)\" cx=\"\(Self.number(x))\" cy=\"\(Self.number(y))\" "
      + "r=\"\(Self.number(radius))\"" + Self.close("circle", hint)
  }

  /// Which end of words stands at their place: a class too, because a page has thousands of them.
  enum Anchor {
    case start, middle, end

    var suffix: String {
      switch self {
      case .start: ""
      case .middle: " m"
      case .end: " e"
      }
    }
  }

  mutating func words(
    _ kind: String, _ x: Double, _ y: Double, _ anchor: Anchor, _ content: String
  ) {
    text +=
      "<text class=\"\(kind)\(anchor.suffix)\" x=\"\(Self.number(x))\" y=\"\(Self.number(y))\">"
      + "\(Self.escaped(content))</text>"
  }

  /// Names below an axis, each in the middle of its place, and those left of one: what they share is said once.
  mutating func ticks(below y: Double, _ names: some Sequence<(at: Double, name: String)>) {
    ticks("m", "0 \(Self.number(y))", "x", names)
  }
  mutating func ticks(leftOf x: Double, _ names: some Sequence<(at: Double, name: String)>) {
    ticks("e", Self.pair(x, 4), "y", names)
  }

  private mutating func ticks(
    _ anchor: String, _ origin: String, _ coordinate: String,
    _ names: some Sequence<(at: Double, name: String)>
  ) {
    text += "<g class=\"tick \(anchor)\" transform=\"translate(\(origin))\">"
    for (at, name) in names where !name.isEmpty {
      text += "<text \(coordinate)=\"\(Self.number(at))\">\(Self.escaped(name))</text>"
    }
    text += "</g>"
  }

  consuming func finished() -> String { text + "</svg>" }

  private static func close(_ element: String, _ hint: String?) -> String {
    hint.map { "><title>\(escaped($0))</title></\(element)>" } ?? "/>"
  }

  /// A tenth of a unit is finer than a screen.
  static func number(_ value: Double) -> String { Digits.text(value, places: 1) }

  static func pair(_ x: Double, _ y: Double) -> String { "\(number(x)) \(number(y))" }

  static func escaped(_ text: String) -> String { Markup.escaped(text) }
}

/// Text inside of XML and HTML.
package enum Markup {
  /// For text and for quoted attribute values alike. What XML 1.0 (§2.2) allows in no document is left
  /// out.
  package static func escaped(_ text: String) -> String {
    // Most texts hold nothing of the kind; U+FFFE and U+FFFF begin with 0xEF.
    if text.utf8.allSatisfy({ $0 > 0x3E && $0 != 0xEF || isHarmless($0) }) { return text }
    var out = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": out += "&amp;"
      case "<": out += "&lt;"
      case ">": out += "&gt;"
      case "\"": out += "&quot;"
      case "'": out += "&#39;"
      case "\u{9}", "\u{A}", "\u{D}": out.unicodeScalars.append(scalar)
      case "\u{0}"..<"\u{20}", "\u{FFFE}", "\u{FFFF}": continue
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out
  }

  /// Of bytes up to ">".
  private static func isHarmless(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "&"), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "\""),
      UInt8(ascii: "'"):
      false
    default: byte >= 0x20 && byte < 0x3E
    }
  }
}
