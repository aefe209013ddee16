/// Decodes one column of `count` values. A column narrower than 64 bits must be of coding 0…2,
/// without differences, and no wider than `Value`.
///
/// - Parameter output: room for `count` values.
@unsafe
func decodeColumn<Value: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
  _ cursor: inout ByteCursor, count: Int, into output: UnsafeMutablePointer<Value>,
  subject: String
) throws(TraceError) {
  let header = try ColumnHeader(&cursor, count: count, subject: subject)
  if Value.bitWidth < 64 { try checkNarrow(header, bits: Value.bitWidth, subject: subject) }
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

/// The three codings without inner columns.
private func decodeFlat<Value: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
  _ header: ColumnHeader, _ cursor: inout ByteCursor, into output: UnsafeMutablePointer<Value>,
  subject: String
) throws(TraceError) {
  let count = header.count
  let base = Value(truncatingIfNeeded: header.base)
  // Safety, for the loops: `output` has room for `count` values; `body` holds the bytes that the
  // cursor proved, and the payload buffer has eight readable bytes behind its end.
  switch header.coding {
  case .constant:
    for index in 0..<count { unsafe output[index] = base }
    return
  case .plain:
    let body = unsafe try cursor.bytes(header.width * count, subject)
    for index in 0..<count {
      unsafe output[index] = Value(
        truncatingIfNeeded: body.load(fromByteOffset: index, as: UInt8.self))
    }
    for plane in 1..<max(1, min(header.width, MemoryLayout<Value>.size)) {
      let bytes = unsafe body + plane * count
      for index in 0..<count {
        let byte = unsafe Value(
          truncatingIfNeeded: bytes.load(fromByteOffset: index, as: UInt8.self))
        unsafe output[index] |= byte &<< Value(truncatingIfNeeded: plane &* 8)
      }
    }
  default:
    let body = unsafe try cursor.bytes((header.width * count + 7) / 8, subject)
    let mask: UInt64 = (1 &<< UInt64(header.width)) &- 1
    var bit = 0
    for index in 0..<count {
      let word = unsafe body.loadUnaligned(fromByteOffset: bit &>> 3, as: UInt64.self)
      let value = (UInt64(littleEndian: word) &>> UInt64(bit & 7)) & mask
      unsafe output[index] = Value(truncatingIfNeeded: value)
      bit &+= header.width
    }
  }
  if header.isDelta {
    var value = header.base
    for index in 0..<count {
      value &+= unsafe unzigzag(UInt64(output[index]))
      unsafe output[index] = Value(truncatingIfNeeded: value)
    }
  } else if base != 0 {
    for index in 0..<count { unsafe output[index] &+= base }
  }
}

private func decodeInner(
  _ cursor: inout ByteCursor, count: Int, subject: String
) throws(TraceError) -> [UInt64] {
  let header = try ColumnHeader(&cursor, count: count, subject: subject)
  guard header.coding == .constant || header.coding == .plain || header.coding == .packed else {
    throw TraceError(
      .malformed, subject, expected: "an inner column of coding 0…2", found: "\(header.coding)")
  }
  var values = [UInt64](repeating: 0, count: count)
  // Safety: the array has `count` elements and is not moved while the closure runs.
  try unsafe values.withUnsafeMutableBufferPointer { (buffer) throws(TraceError) in
    guard let output = buffer.baseAddress else { return }
    unsafe try decodeFlat(header, &cursor, into: output, subject: subject)
  }
  return values
}

private func decodeDictionary<Value: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
  _ header: ColumnHeader, _ cursor: inout ByteCursor, into output: UnsafeMutablePointer<Value>,
  subject: String
) throws(TraceError) {
  guard header.base >= 1, header.base <= UInt64(header.count) else {
    throw TraceError(
      .malformed, subject, expected: "1…\(header.count) distinct values", found: "\(header.base)")
  }
  let values = try decodeInner(&cursor, count: Int(header.base), subject: subject)
  let positions = try decodeInner(&cursor, count: header.count, subject: subject)
  for (index, position) in positions.enumerated() {
    guard position < UInt64(values.count) else {
      throw TraceError(
        .malformed, subject, expected: "positions below \(values.count)", found: "\(position)")
    }
    // Safety: `output` has room for `count` values, and there are `count` positions.
    unsafe output[index] = Value(truncatingIfNeeded: values[Int(position)])
  }
}

private func decodeRuns<Value: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
  _ header: ColumnHeader, _ cursor: inout ByteCursor, into output: UnsafeMutablePointer<Value>,
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
      unsafe output[filled] = Value(truncatingIfNeeded: value)
      filled += 1
    }
  }
  guard filled == header.count else {
    throw TraceError(
      .malformed, subject, expected: "runs of \(header.count) values in all", found: "\(filled)")
  }
}
