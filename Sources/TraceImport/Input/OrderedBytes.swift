/// Bytes of a capture in the byte order that it declares. Every read is checked.
struct OrderedBytes {
  private(set) var bytes: [UInt8]
  var isBigEndian: Bool

  init(_ bytes: [UInt8], isBigEndian: Bool) {
    self.bytes = bytes
    self.isBigEndian = isBigEndian
  }

  var count: Int { bytes.count }

  /// The unsigned number of 1…8 bytes at `offset`, or nil outside of the bytes.
  @inline(__always)
  func number(at offset: Int, size: Int) -> UInt64? {
    guard size >= 1, size <= 8, offset >= 0, offset <= bytes.count - size else { return nil }
    // Safety: the guard keeps the load inside of the array.
    return unsafe bytes.withUnsafeBytes { buffer in
      switch size {
      case 8:
        let value = unsafe buffer.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
        return isBigEndian ? UInt64(bigEndian: value) : UInt64(littleEndian: value)
      case 4:
        let value = unsafe buffer.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
        return UInt64(isBigEndian ? UInt32(bigEndian: value) : UInt32(littleEndian: value))
      case 2:
        let value = unsafe buffer.loadUnaligned(fromByteOffset: offset, as: UInt16.self)
        return UInt64(isBigEndian ? UInt16(bigEndian: value) : UInt16(littleEndian: value))
      default:
        var value: UInt64 = 0
        for index in 0..<size {
          let place = isBigEndian ? offset + index : offset + size - 1 - index
          value = unsafe value &<< 8 | UInt64(buffer[place])
        }
        return value
      }
    }
  }

  /// The text at `offset` up to a NUL, the end of `size` bytes or the end of all bytes.
  func text(at offset: Int, size: Int) -> String? {
    guard offset >= 0, size >= 0, offset <= bytes.count else { return nil }
    let end = min(bytes.count, offset + min(size, bytes.count))
    return String(decoding: bytes[offset..<end].prefix { $0 != 0 }, as: UTF8.self)
  }

  /// Drops the first `count` bytes and puts `more` behind the rest.
  mutating func slide(_ count: Int, appending more: some Collection<UInt8>) {
    bytes.removeFirst(count)
    bytes.append(contentsOf: more)
  }
}
