/// Decodes one column of `count` words.
///
/// - Parameter output: room for `count` values.
@unsafe
func decodeColumn(
  _ cursor: inout ByteCursor, count: Int, into output: UnsafeMutablePointer<UInt64>,
  subject: String
) throws(TraceError) {
  let header = try ColumnHeader(&cursor, count: count, subject: subject)
  switch header.coding {
  case .constant, .plain, .packed:
    // Safety: the caller's promise about `output`.
    unsafe try decodeFlat(header, &cursor, into: output, subject: subject)
  case .dictionary:
    unsafe try decodeDictionary(header, &cursor, into: output, subject: subject)
  case .runs:
    unsafe try decodeRuns(header, &cursor, into: output, subject: subject)
  }
}

/// Decodes one of the two streams, whose values are narrow. Plain bytes stay where they are.
///
/// - Parameter room: for `count` values, if they must be unpacked.
@unsafe
func decodeStream<Value: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
  _ cursor: inout ByteCursor, count: Int, room: UnsafeMutablePointer<Value>, subject: String
) throws(TraceError) -> UnsafePointer<Value> {
  let header = try ColumnHeader(&cursor, count: count, subject: subject)
  try checkNarrow(header, bits: Value.bitWidth, subject: subject)
  if header.coding == .plain, Value.bitWidth == 8 {
    // Safety: the cursor proved `count` bytes of the payload.
    return unsafe try cursor.bytes(count, subject).assumingMemoryBound(to: Value.self)
  }
  // Safety: the caller's promise about `room`.
  unsafe try decodeFlat(narrow: header, &cursor, into: room, subject: subject)
  return unsafe UnsafePointer(room)
}

private func checkNarrow(
  _ header: ColumnHeader, bits: Int, subject: String
) throws(TraceError) {
  let stored = header.coding == .plain ? header.width * 8 : header.width
  guard header.coding.rawValue <= ColumnCoding.packed.rawValue, !header.isDelta, stored <= bits,
    header.coding == .constant ? header.base >> UInt64(bits) == 0 : header.base == 0
  else {
    throw TraceError(
      .malformed, subject, expected: "coding 0…2 with values of \(bits) bits",
      found: "\(header.coding) of width \(header.width)")
  }
}

/// The three codings without inner columns, for words.
private func decodeFlat(
  _ header: ColumnHeader, _ cursor: inout ByteCursor, into output: UnsafeMutablePointer<UInt64>,
  subject: String
) throws(TraceError) {
  let count = header.count
  let base = header.isDelta ? 0 : header.base
  // Safety, for all branches: `output` has room for `count` values, and the cursor proved the bytes
  // of the body.
  switch header.coding {
  case .constant:
    for index in 0..<count { unsafe output[index] = header.base }
    return
  case .plain:
    let body = unsafe try cursor.bytes(header.width * count, subject)
    unsafe gatherPlanes(body, width: header.width, count: count, base: base, into: output)
  default:
    let body = unsafe try cursor.bytes((header.width * count + 7) / 8, subject)
    unsafe unpackBits(body, bits: header.width, count: count, base: base, into: output)
  }
  guard header.isDelta else { return }
  var value = header.base
  for index in 0..<count {
    value &+= unsafe unzigzag(output[index])
    unsafe output[index] = value
  }
}

/// The same for streams, which have no base and no differences.
private func decodeFlat<Value: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
  narrow header: ColumnHeader, _ cursor: inout ByteCursor,
  into output: UnsafeMutablePointer<Value>, subject: String
) throws(TraceError) {
  let count = header.count
  // Safety: as above.
  switch header.coding {
  case .constant:
    for index in 0..<count { unsafe output[index] = Value(truncatingIfNeeded: header.base) }
  case .plain:
    let body = unsafe try cursor.bytes(header.width * count, subject)
    unsafe gatherPlanes(body, width: header.width, count: count, base: 0, into: output)
  default:
    let body = unsafe try cursor.bytes((header.width * count + 7) / 8, subject)
    unsafe unpackBits(body, bits: header.width, count: count, base: 0, into: output)
  }
}

/// Puts values together from their planes, eight at a time.
@inline(__always)
private func gatherPlanes<Value: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
  _ planes: UnsafeRawPointer, width: Int, count: Int, base: Value,
  into output: UnsafeMutablePointer<Value>
) {
  // Safety: `planes` holds `width` times `count` bytes, `output` has room for `count` values.
  let whole = count & ~7
  for index in stride(from: 0, to: whole, by: 8) {
    // Written out, so that each shift is by a constant.
    func plane(_ number: Int) -> SIMD8<UInt64> {
      let place = number &* count &+ index
      return unsafe SIMD8(
        truncatingIfNeeded: planes.loadUnaligned(fromByteOffset: place, as: SIMD8<UInt8>.self))
    }
    var eight = plane(0)
    if width > 1 { eight |= plane(1) &<< 8 }
    if width > 2 { eight |= plane(2) &<< 16 }
    if width > 3 { eight |= plane(3) &<< 24 }
    if width > 4 { eight |= plane(4) &<< 32 }
    if width > 5 { eight |= plane(5) &<< 40 }
    if width > 6 { eight |= plane(6) &<< 48 }
    if width > 7 { eight |= plane(7) &<< 56 }
    for lane in 0..<8 {
      unsafe output[index &+ lane] = Value(truncatingIfNeeded: eight[lane]) &+ base
    }
  }
  for index in whole..<count {
    var value: UInt64 = 0
    for plane in 0..<width {
      let byte = unsafe planes.load(fromByteOffset: plane &* count &+ index, as: UInt8.self)
      value |= UInt64(byte) &<< UInt64(plane &* 8)
    }
    unsafe output[index] = Value(truncatingIfNeeded: value) &+ base
  }
}

/// Unpacks values of 1…56 bits with one eight-byte load each.
@inline(__always)
private func unpackBits<Value: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
  _ body: UnsafeRawPointer, bits: Int, count: Int, base: Value,
  into output: UnsafeMutablePointer<Value>
) {
  // Safety: the payload buffer has readable slack behind its end for the last loads.
  let mask: UInt64 = (1 &<< UInt64(bits)) &- 1
  var bit = 0
  for index in 0..<count {
    let word = unsafe body.loadUnaligned(fromByteOffset: bit &>> 3, as: UInt64.self)
    let value = (UInt64(littleEndian: word) &>> UInt64(bit & 7)) & mask
    unsafe output[index] = Value(truncatingIfNeeded: value) &+ base
    bit &+= bits
  }
}

@unsafe
private func decodeInner(
  _ cursor: inout ByteCursor, count: Int, into output: UnsafeMutablePointer<UInt64>,
  subject: String
) throws(TraceError) {
  let header = try ColumnHeader(&cursor, count: count, subject: subject)
  guard header.coding == .constant || header.coding == .plain || header.coding == .packed else {
    throw TraceError(
      .malformed, subject, expected: "an inner column of coding 0…2", found: "\(header.coding)")
  }
  // Safety: the caller's promise about `output`.
  unsafe try decodeFlat(header, &cursor, into: output, subject: subject)
}

private func decodeInner(
  _ cursor: inout ByteCursor, count: Int, subject: String
) throws(TraceError) -> [UInt64] {
  var values = [UInt64](repeating: 0, count: count)
  // Safety: the array has `count` elements and is not moved while the closure runs.
  try unsafe values.withUnsafeMutableBufferPointer { (buffer) throws(TraceError) in
    guard let output = buffer.baseAddress else { return }
    unsafe try decodeInner(&cursor, count: count, into: output, subject: subject)
  }
  return values
}

private func decodeDictionary(
  _ header: ColumnHeader, _ cursor: inout ByteCursor, into output: UnsafeMutablePointer<UInt64>,
  subject: String
) throws(TraceError) {
  guard header.base >= 1, header.base <= UInt64(header.count) else {
    throw TraceError(
      .malformed, subject, expected: "1…\(header.count) distinct values", found: "\(header.base)")
  }
  let values = try decodeInner(&cursor, count: Int(header.base), subject: subject)
  // Safety: `output` has room for `count` values: first the positions, then what they stand for.
  unsafe try decodeInner(&cursor, count: header.count, into: output, subject: subject)
  for index in 0..<header.count {
    let position = unsafe output[index]
    guard position < UInt64(values.count) else {
      throw TraceError(
        .malformed, subject, expected: "positions below \(values.count)", found: "\(position)")
    }
    unsafe output[index] = values[Int(position)]
  }
}

private func decodeRuns(
  _ header: ColumnHeader, _ cursor: inout ByteCursor, into output: UnsafeMutablePointer<UInt64>,
  subject: String
) throws(TraceError) {
  guard header.base >= 1, header.base <= UInt64(header.count) else {
    throw TraceError(
      .malformed, subject, expected: "1…\(header.count) runs", found: "\(header.base)")
  }
  let values = try decodeInner(&cursor, count: Int(header.base), subject: subject)
  let lengths = try decodeInner(&cursor, count: Int(header.base), subject: subject)
  var filled = 0
  for (value, length) in zip(values, lengths) {
    guard length <= UInt64(header.count - filled) else {
      throw TraceError(
        .malformed, subject, expected: "runs of \(header.count) values in all", found: "more")
    }
    for _ in 0..<Int(length) {
      // Safety: the guard keeps `filled` below `count`.
      unsafe output[filled] = value
      filled += 1
    }
  }
  guard filled == header.count else {
    throw TraceError(
      .malformed, subject, expected: "runs of \(header.count) values in all", found: "\(filled)")
  }
}
