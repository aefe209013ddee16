/// Bytes of a trace.dat in the byte order that the file declares. Every read is checked.
struct DatBytes {
  private(set) var bytes: [UInt8]
  let isBigEndian: Bool

  init(_ bytes: [UInt8], isBigEndian: Bool) {
    self.bytes = bytes
    self.isBigEndian = isBigEndian
  }

  var count: Int { bytes.count }

  /// The unsigned number of 1…8 bytes at `offset`, or nil outside of the bytes.
  @inline(__always)
  func number(at offset: Int, size: Int) -> UInt64? {
    guard size >= 1, size <= 8, offset >= 0, offset <= bytes.count - size else { return nil }
    var value: UInt64 = 0
    if isBigEndian {
      for index in 0..<size { value = value &<< 8 | UInt64(bytes[offset + index]) }
    } else {
      for index in 0..<size { value |= UInt64(bytes[offset + index]) &<< UInt64(8 * index) }
    }
    return value
  }

  /// The text at `offset` up to a NUL, the end of `size` bytes or the end of all bytes.
  func text(at offset: Int, size: Int) -> String? {
    guard offset >= 0, size >= 0, offset <= bytes.count else { return nil }
    let end = min(bytes.count, offset + min(size, bytes.count))
    return String(decoding: bytes[offset..<end].prefix { $0 != 0 }, as: UTF8.self)
  }
}

/// Takes a section apart from its front.
struct DatCursor {
  let bytes: DatBytes
  private(set) var offset = 0

  init(_ bytes: DatBytes) { self.bytes = bytes }

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
