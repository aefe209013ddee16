/// Reads little-endian numbers from a byte region and never leaves it.
///
/// The caller keeps the memory alive while the cursor is in use.
@safe
struct ByteCursor {
  private let base: UnsafeRawPointer
  let count: Int
  private(set) var offset = 0

  @unsafe
  init(_ base: UnsafeRawPointer, count: Int) {
    unsafe self.base = base
    self.count = count
  }

  var remaining: Int { count - offset }

  mutating func number<Number: FixedWidthInteger & BitwiseCopyable>(
    _ subject: String
  ) throws(TraceError) -> Number {
    let start = try skip(MemoryLayout<Number>.size, subject)
    // Safety: `skip` proved that the bytes are inside the region.
    return Number(littleEndian: unsafe base.loadUnaligned(fromByteOffset: start, as: Number.self))
  }

  /// A bounded piece of the region, for columns that are decoded with raw loads.
  @unsafe
  mutating func bytes(_ size: Int, _ subject: String) throws(TraceError) -> UnsafeRawPointer {
    let start = try skip(size, subject)
    return unsafe base + start
  }

  mutating func text(_ size: Int, _ subject: String) throws(TraceError) -> String {
    let start = try skip(size, subject)
    // Safety: `skip` proved that the bytes are inside the region.
    let region = unsafe UnsafeRawBufferPointer(start: base + start, count: size)
    guard let text = unsafe String(validating: region, as: UTF8.self) else {
      throw TraceError(.malformed, subject, expected: "UTF-8 text", found: "other bytes")
    }
    return text
  }

  private mutating func skip(_ size: Int, _ subject: String) throws(TraceError) -> Int {
    guard size >= 0, size <= remaining else {
      throw TraceError(
        .malformed, subject, expected: "\(size) bytes", found: "\(remaining) bytes left")
    }
    defer { offset += size }
    return offset
  }
}

extension [UInt8] {
  /// Appends a number, little-endian.
  mutating func append<Number: FixedWidthInteger>(number: Number) {
    var rest = number
    for _ in 0..<MemoryLayout<Number>.size {
      append(UInt8(truncatingIfNeeded: rest))
      rest = rest >> 8
    }
  }

  /// Appends one byte of each value: bits `shift` and up.
  mutating func append<Value: FixedWidthInteger & BitwiseCopyable>(
    byteAt shift: Value, of values: [Value]
  ) {
    let start = count
    append(contentsOf: repeatElement(0, count: values.count))
    // Safety: both pointers are used within their calls; `values.count` bytes were appended.
    unsafe values.withUnsafeBufferPointer { source in
      unsafe withUnsafeMutableBufferPointer { target in
        for index in source.indices {
          unsafe target[start &+ index] = UInt8(truncatingIfNeeded: source[index] &>> shift)
        }
      }
    }
  }

  /// Overwrites bytes with a number, little-endian.
  mutating func replace<Number: FixedWidthInteger>(number: Number, at offset: Int) {
    for index in 0..<MemoryLayout<Number>.size {
      self[offset + index] = UInt8(truncatingIfNeeded: number >> Number(index * 8))
    }
  }

  func cursor<Result>(
    _ body: (inout ByteCursor) throws(TraceError) -> Result
  ) throws(TraceError) -> Result {
    // Safety: the cursor lives only within the call, while the array's storage is held.
    try unsafe withUnsafeBufferPointer { (bytes) throws(TraceError) -> Result in
      guard let base = bytes.baseAddress else {
        throw TraceError(.malformed, "bytes", expected: "some", found: "none")
      }
      var cursor = unsafe ByteCursor(UnsafeRawPointer(base), count: bytes.count)
      return try body(&cursor)
    }
  }
}
