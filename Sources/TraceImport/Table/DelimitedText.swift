/// One line of CSV (RFC 4180) without line ends inside of values.
enum DelimitedText {
  /// - Returns: nil if a quote is not closed or stands in the middle of a value.
  static func fields(_ line: String) -> [String]? {
    var fields: [String] = []
    var rest = line.utf8[...]
    while true {
      guard let (field, end) = field(rest) else { return nil }
      fields.append(field)
      guard let comma = end.first else { return fields }
      guard comma == UInt8(ascii: ",") else { return nil }
      rest = end.dropFirst()
    }
  }

  private static func field(
    _ text: Substring.UTF8View
  ) -> (String, rest: Substring.UTF8View)? {
    let quote = UInt8(ascii: "\"")
    guard text.first == quote else {
      let field = text.prefix { $0 != UInt8(ascii: ",") }
      guard !field.contains(quote) else { return nil }
      return (String(Substring(field)), text[field.endIndex...])
    }
    var value: [UInt8] = []
    var rest = text.dropFirst()
    while let byte = rest.first {
      rest = rest.dropFirst()
      if byte != quote {
        value.append(byte)
      } else if rest.first == quote {
        value.append(quote)
        rest = rest.dropFirst()
      } else {
        return (String(decoding: value, as: UTF8.self), rest)
      }
    }
    return nil
  }
}
