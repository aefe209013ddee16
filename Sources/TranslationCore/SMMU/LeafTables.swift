/// Where the last-level tables are that took leaves of late: it saves storing and clearing a page the
/// way down from the root.
///
/// One line per set, found by space and the table's part of the input range. A line is right until a
/// table is released; who releases one forgets them all, which is as rare as a new root.
@safe
struct LeafTables: ~Copyable {
  private struct Line: BitwiseCopyable {
    var tag: UInt64
    var table: UInt64
  }

  private static let count: UInt64 = 256
  private let pages: ZeroedPages
  private let lines: UnsafeMutablePointer<Line>

  init() {
    pages = ZeroedPages(byteCount: Int(Self.count) * MemoryLayout<Line>.stride)
    unsafe lines = pages.table(of: Line.self)
  }

  /// Not 0, which is what an empty line has: no space has number 0.
  @inline(__always)
  private static func tag(_ address: UInt64, _ shift: UInt8, _ space: Int) -> UInt64 {
    address &>> UInt64(shift) | UInt64(truncatingIfNeeded: space) &<< 48
  }

  @inline(__always)
  private func line(_ tag: UInt64) -> UnsafeMutablePointer<Line> {
    let index = (tag ^ tag &>> 48) & (Self.count &- 1)
    // Safety: the index is masked to the table.
    return unsafe lines + Int(truncatingIfNeeded: index)
  }

  /// Arena offset of the table for `address`; 0 if it is not known.
  @inline(__always)
  func find(_ address: UInt64, _ shift: UInt8, space: Int) -> UInt64 {
    let tag = Self.tag(address, shift, space)
    // Safety: as `line`.
    let found = unsafe line(tag).pointee
    return found.tag == tag ? found.table : 0
  }

  func insert(_ table: UInt64, _ address: UInt64, _ shift: UInt8, space: Int) {
    let tag = Self.tag(address, shift, space)
    // Safety: as `line`.
    unsafe line(tag).pointee = Line(tag: tag, table: table)
  }

  /// O(lines).
  func forgetAll() {
    // Safety: as `line`.
    for index in 0..<Int(Self.count) { unsafe lines[index] = Line(tag: 0, table: 0) }
  }
}
