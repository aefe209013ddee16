/// Takes a section apart from its front.
struct OrderedCursor {
  let bytes: OrderedBytes
  private(set) var offset = 0

  init(_ bytes: OrderedBytes) { self.bytes = bytes }

  var remaining: Int { bytes.count - offset }

  mutating func number(_ size: Int) -> UInt64? {
    guard let value = bytes.number(at: offset, size: size) else { return nil }
    offset += size
    return value
  }

  /// A size or count in the section that must not exceed what is left of it.
  mutating func size(_ width: Int) -> Int? {
    guard let value = number(width), value <= UInt64(remaining) else { return nil }
    return Int(value)
  }

  /// Text of `size` bytes.
  mutating func text(_ size: Int) -> String? {
    guard size >= 0, size <= remaining, let text = bytes.text(at: offset, size: size)
    else { return nil }
    offset += size
    return text
  }

  /// Text that a NUL ends.
  mutating func string() -> String? {
    guard let end = bytes.bytes[offset...].firstIndex(of: 0) else { return nil }
    defer { offset = end + 1 }
    return bytes.text(at: offset, size: end - offset)
  }

  mutating func skip(_ size: Int) -> Bool {
    guard size >= 0, size <= remaining else { return false }
    offset += size
    return true
  }
}
