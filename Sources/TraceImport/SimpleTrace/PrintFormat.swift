/// A C format string, taken apart once and printed from the words of a record.
///
/// Only what the declarations of trace events use: flags, width and precision as numbers, and the
/// conversions d i u x X o c p s. The length of a number comes from its argument's type instead of the
/// length modifier, which says the same.
struct PrintFormat: Hashable {
  enum Piece: Hashable {
    case literal([UInt8])
    case conversion(Conversion)
  }

  struct Conversion: Hashable {
    var letter: UInt8
    var isLeft = false
    var hasZeros = false
    var hasPrefix = false
    var width = 0
    var precision: Int?
  }

  /// Columns of one conversion; a format from elsewhere must not ask for gigabytes.
  private static var widthLimit: Int { 256 }

  private(set) var pieces: [Piece] = []

  /// - Returns: nil if the text holds a conversion that is not printed.
  init?(_ text: [UInt8]) {
    var literal: [UInt8] = []
    var rest = text[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        literal.append(byte)
        continue
      }
      if rest.first == UInt8(ascii: "%") {
        rest.removeFirst()
        literal.append(byte)
        continue
      }
      guard let conversion = Self.conversion(&rest) else { return nil }
      if !literal.isEmpty { pieces.append(.literal(literal)) }
      literal = []
      pieces.append(.conversion(conversion))
    }
    if !literal.isEmpty { pieces.append(.literal(literal)) }
  }

  var conversionCount: Int {
    pieces.reduce(0) {
      if case .conversion = $1 { return $0 + 1 }
      return $0
    }
  }

  private static func conversion(_ rest: inout ArraySlice<UInt8>) -> Conversion? {
    var result = Conversion(letter: 0)
    while let byte = rest.first, "#0- +".utf8.contains(byte) {
      rest.removeFirst()
      switch byte {
      case UInt8(ascii: "#"): result.hasPrefix = true
      case UInt8(ascii: "0"): result.hasZeros = true
      case UInt8(ascii: "-"): result.isLeft = true
      default: break
      }
    }
    result.width = number(&rest) ?? 0
    if rest.first == UInt8(ascii: ".") {
      rest.removeFirst()
      result.precision = number(&rest) ?? 0
    }
    while let byte = rest.first, "hljztqL".utf8.contains(byte) { rest.removeFirst() }
    guard let letter = rest.popFirst(), "diuxXocps".utf8.contains(letter),
      result.width <= widthLimit, result.precision ?? 0 <= widthLimit
    else { return nil }
    result.letter = letter
    return result
  }

  private static func number(_ rest: inout ArraySlice<UInt8>) -> Int? {
    var value: Int?
    while let byte = rest.first, byte &- UInt8(ascii: "0") < 10 {
      // More digits than the limit allows stay above it.
      value = min((value ?? 0) * 10 + Int(byte - UInt8(ascii: "0")), widthLimit + 1)
      rest.removeFirst()
    }
    return value
  }
}

extension PrintFormat.Conversion {
  /// Appends a number of `bits` bits.
  func print(_ value: UInt64, bits: UInt64, into text: inout [UInt8]) {
    let unsigned = bits < 64 ? value & (1 << bits - 1) : value
    switch letter {
    case UInt8(ascii: "d"), UInt8(ascii: "i"):
      let shift = 64 - bits
      let signed = Int64(bitPattern: value << shift) >> Int64(shift)
      print(digits: signed.magnitude, radix: 10, sign: signed < 0 ? "-" : "", into: &text)
    case UInt8(ascii: "o"): print(digits: unsigned, radix: 8, sign: "", into: &text)
    case UInt8(ascii: "x"), UInt8(ascii: "X"):
      print(digits: unsigned, radix: 16, sign: hasPrefix && unsigned != 0 ? "0x" : "", into: &text)
    case UInt8(ascii: "p"):
      // As the GNU C library does.
      if value == 0 { return print(Array("(nil)".utf8)[...], into: &text) }
      print(digits: value, radix: 16, sign: "0x", into: &text)
    case UInt8(ascii: "c"):
      print([UInt8(truncatingIfNeeded: value)][...], into: &text)
    default: print(digits: unsigned, radix: 10, sign: "", into: &text)
    }
  }

  /// Appends a text.
  func print(_ bytes: ArraySlice<UInt8>, into text: inout [UInt8]) {
    let shown = letter == UInt8(ascii: "s") ? bytes.prefix(precision ?? .max) : bytes
    let blanks = repeatElement(UInt8(ascii: " "), count: max(0, width - shown.count))
    if !isLeft { text += blanks }
    text += shown
    if isLeft { text += blanks }
  }

  private func print(digits value: UInt64, radix: Int, sign: String, into text: inout [UInt8]) {
    let digits = Array(
      String(value, radix: radix, uppercase: letter == UInt8(ascii: "X")).utf8)
    let least =
      precision ?? (hasZeros && !isLeft ? width - sign.utf8.count : 1)
    let zeros = max(0, least - digits.count)
    let blanks = repeatElement(
      UInt8(ascii: " "), count: max(0, width - sign.utf8.count - zeros - digits.count))
    if !isLeft { text += blanks }
    text += sign.utf8
    text += repeatElement(UInt8(ascii: "0"), count: zeros)
    text += digits
    if isLeft { text += blanks }
  }
}
