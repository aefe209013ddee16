// Columns of integers: the unit of coding inside a payload. Byte layout: `Traces/README.md`,
// "Column".
//
// A column is decoded as a whole into scratch memory, in tight loops over one coding, before the
// first event is put together.

/// How a column is coded.
enum ColumnCoding: UInt8, CaseIterable {
  /// All values are equal: no body.
  case constant = 0
  /// Values as planes of bytes: first every lowest byte, then every next one.
  case plain = 1
  /// Values of a fixed number of bits, 1…56, one after the other from the lowest bit.
  case packed = 2
  /// A column of distinct values, and one of positions in it.
  case dictionary = 3
  /// A column of values, and one of how often each repeats.
  case runs = 4
}

/// The fixed part of a coded column.
struct ColumnHeader {
  var coding: ColumnCoding
  /// Bytes (plain) or bits (packed) per value.
  var width: Int
  /// Stored values are zigzag differences: v[i] = v[i−1] + unzigzag(x[i]), with v[−1] = base.
  /// Otherwise v[i] = base + x[i].
  var isDelta: Bool
  var count: Int
  /// See `isDelta`. Constant: the value. Dictionary: distinct values. Runs: number of runs.
  var base: UInt64

  static let sizeBytes = 16

  init(_ cursor: inout ByteCursor, count expected: Int, subject: String) throws(TraceError) {
    let codingValue: UInt8 = try cursor.number(subject)
    let width: UInt8 = try cursor.number(subject)
    let flags: UInt8 = try cursor.number(subject)
    let _: UInt8 = try cursor.number(subject)
    let count: UInt32 = try cursor.number(subject)
    base = try cursor.number(subject)
    guard let coding = ColumnCoding(rawValue: codingValue) else {
      throw TraceError(.malformed, subject, expected: "coding 0…4", found: "\(codingValue)")
    }
    guard Int(count) == expected else {
      throw TraceError(.malformed, subject, expected: "\(expected) values", found: "\(count)")
    }
    let widths: ClosedRange<UInt8> = coding == .plain ? 1...8 : coding == .packed ? 1...56 : 0...0
    guard widths.contains(width) else {
      throw TraceError(.malformed, subject, expected: "width \(widths)", found: "\(width)")
    }
    self.coding = coding
    self.width = Int(width)
    self.isDelta = flags & 1 != 0
    self.count = Int(count)
  }

  init(_ coding: ColumnCoding, width: Int = 0, isDelta: Bool = false, count: Int, base: UInt64) {
    self.coding = coding
    self.width = width
    self.isDelta = isDelta
    self.count = count
    self.base = base
  }

  func encode(to bytes: inout [UInt8]) {
    bytes.append(coding.rawValue)
    bytes.append(UInt8(width))
    bytes.append(isDelta ? 1 : 0)
    bytes.append(0)
    bytes.append(number: UInt32(count))
    bytes.append(number: base)
  }
}

@inline(__always)
func zigzag(_ difference: UInt64) -> UInt64 {
  (difference &<< 1) ^ (0 &- (difference &>> 63))
}

@inline(__always)
func unzigzag(_ stored: UInt64) -> UInt64 {
  (stored &>> 1) ^ (0 &- (stored & 1))
}
