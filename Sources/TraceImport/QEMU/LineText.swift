/// One line of a log as raw bytes, without its line end, and the hand-written number parsing over
/// it. No String is made.
///
/// Safety: the bytes live in the importer's block buffer, which outlives every `LineText` (none is
/// stored), and `padding` readable bytes follow the last line. Every read is below `count`, or a
/// word load that starts below it.
@safe
struct LineText {
  /// Bytes behind the buffer's end that may be read, so that word loads need no bounds check.
  static var padding: Int { 64 }

  private let base: UnsafePointer<UInt8>
  let count: Int
  /// Where the next field is looked for first: fields mostly come in a known order.
  private var cursor = 0

  @inline(__always)
  init(base: UnsafePointer<UInt8>, count: Int, cursor: Int = 0) {
    unsafe self.base = base
    self.count = count
    self.cursor = cursor
  }

  @inline(__always)
  subscript(index: Int) -> UInt8 {
    assert(index < count + Self.padding)
    return unsafe base[index]
  }

  /// Eight bytes from `index`, first byte lowest.
  @inline(__always)
  func word(at index: Int) -> UInt64 {
    assert(index + 8 <= count + Self.padding)
    return unsafe UInt64(
      littleEndian: UnsafeRawPointer(base + index).loadUnaligned(as: UInt64.self))
  }

  @inline(__always)
  func dropping(_ prefix: Int) -> LineText {
    unsafe LineText(base: base + prefix, count: count - prefix)
  }

  @inline(__always)
  func prefix(_ length: Int) -> LineText {
    unsafe LineText(base: base, count: length)
  }

  func withBytes<R>(_ body: (UnsafeBufferPointer<UInt8>) -> R) -> R {
    unsafe body(UnsafeBufferPointer(start: base, count: count))
  }

  /// A copy, for reports.
  var string: String { unsafe withBytes { unsafe String(decoding: $0, as: UTF8.self) } }

  /// Whether `text` stands at `index`.
  @inline(__always)
  func has(_ text: StaticString, at index: Int) -> Bool {
    let length = text.utf8CodeUnitCount
    guard index >= 0, index + length <= count else { return false }
    let start = unsafe text.utf8Start
    for offset in 0..<length where unsafe start[offset] != base[index + offset] { return false }
    return true
  }

  func hasSuffix(_ text: StaticString) -> Bool { has(text, at: count - text.utf8CodeUnitCount) }

  /// Where `text` stands first at or behind `start`.
  func find(_ text: StaticString, from start: Int = 0) -> Int? {
    var index = start
    let last = count - text.utf8CodeUnitCount
    while index <= last {
      if has(text, at: index) { return index }
      index += 1
    }
    return nil
  }

  // MARK: Fields

  /// The number of the field `key`: "key=0x1f", "key 0x1f", "key: 31", "key =31".
  ///
  /// Hexadecimal with 0x, else decimal; a minus sign gives the two's complement. nil if the field is
  /// missing, is no number, does not fit 64 bits, or runs into other text.
  @inline(__always)
  mutating func number(_ key: StaticString) -> UInt64? {
    guard let start = field(key, from: cursor) ?? field(key, from: 0) else { return nil }
    guard let (value, end) = parseNumber(at: start) else { return nil }
    cursor = end
    return value
  }

  /// A field that must fit 32 bits.
  @inline(__always)
  mutating func number32(_ key: StaticString) -> UInt32? {
    guard let value = number(key), value <= UInt64(UInt32.max) else { return nil }
    return UInt32(truncatingIfNeeded: value)
  }

  /// Where the value of the field `key` starts.
  @inline(__always)
  private func field(_ key: StaticString, from start: Int) -> Int? {
    let length = key.utf8CodeUnitCount
    let first = unsafe key.utf8Start[0]
    var index = start
    while index + length < count {
      if self[index] == first, has(key, at: index),
        index == 0 || !Self.isWord(self[index - 1])
      {
        var value = index + length
        while value < count, Self.isSeparator(self[value]) { value += 1 }
        if value > index + length { return value }
      }
      index += 1
    }
    return nil
  }

  /// The number at `start` and where it ends.
  @inline(__always)
  func parseNumber(at start: Int) -> (value: UInt64, end: Int)? {
    var index = start
    let isNegative = index < count && self[index] == UInt8(ascii: "-")
    if isNegative { index += 1 }
    var value: UInt64 = 0
    let first: Int
    if index + 2 < count, word(at: index) & 0xFFFF == 0x7830 {  // "0x"
      index += 2
      first = index
      while index < count, let digit = Self.hexDigit(self[index]) {
        value = value &<< 4 | digit
        index += 1
      }
      guard index - first <= 16 else { return nil }
    } else {
      first = index
      while index < count {
        let digit = UInt64(self[index] &- UInt8(ascii: "0"))
        guard digit < 10 else { break }
        value = value &* 10 &+ digit
        index += 1
      }
      // 19 digits always fit 64 bits; no field needs more.
      guard index - first <= 19 else { return nil }
    }
    // "@" ends no number: it follows the thread of a line that was written into this one.
    guard index > first,
      index == count || !Self.isWord(self[index]) && self[index] != UInt8(ascii: "@")
    else { return nil }
    return (isNegative ? 0 &- value : value, index)
  }

  @inline(__always)
  static func hexDigit(_ byte: UInt8) -> UInt64? {
    let decimal = byte &- UInt8(ascii: "0")
    if decimal < 10 { return UInt64(decimal) }
    let letter = (byte | 0x20) &- UInt8(ascii: "a")
    return letter < 6 ? UInt64(letter) + 10 : nil
  }

  /// A byte that continues a name or a number.
  @inline(__always)
  static func isWord(_ byte: UInt8) -> Bool {
    (byte | 0x20) &- UInt8(ascii: "a") < 26 || byte &- UInt8(ascii: "0") < 10
      || byte == UInt8(ascii: "_")
  }

  @inline(__always)
  private static func isSeparator(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: "=") || byte == UInt8(ascii: " ") || byte == UInt8(ascii: ":")
  }
}
