import EventModel

/// The leaves of one address space, as map records that do not overlap.
///
/// Tables behave as recorded software makes them (VMSAv8-64, DDI 0487, D8.3): a leaf replaces what
/// lies below its place; a leaf inside a larger one shows that the larger one is gone; an unmap of a
/// part of a leaf splits it into leaves of the next level first.
struct LeafTable: Sendable {
  /// Map records by log2 of the size, then by base.
  private var classes: [UInt8: [UInt64: TraceEvent]] = [:]

  var isEmpty: Bool { classes.isEmpty }

  /// - Returns: whether something was mapped there before.
  mutating func map(_ event: TraceEvent) -> Bool {
    guard let shape = Shape(event), shape.accepts(event) else { return false }
    var had = false
    for (piece, range) in Self.pieces(of: event, shape) {
      if remove(inside: range) { had = true }
      while let (log2, base, old) = cover(of: range) {
        had = true
        let lost = max(range.log2, UInt8(Shape(old)?.shift(Int(old.level)) ?? 0))
        cut(Range(base: Self.floor(range.base, UInt64(lost)), log2: lost), outOf: old, log2, base)
      }
      classes[range.log2, default: [:]][range.base] = piece
    }
    return had
  }

  /// - Returns: whether something was mapped there before.
  mutating func unmap(_ event: TraceEvent) -> Bool {
    guard let shape = Shape(event) else { return false }
    var had = false
    for (_, range) in Self.pieces(of: event, shape) {
      if remove(inside: range) { had = true }
      while let (log2, base, old) = cover(of: range) {
        had = true
        cut(range, outOf: old, log2, base)
      }
    }
    return had
  }

  /// Where an address leads.
  func translate(_ address: UInt64) -> UInt64? {
    for (log2, entries) in classes {
      let base = Self.floor(address, UInt64(log2))
      if let leaf = entries[base] { return leaf.outputAddress &+ (address &- leaf.iova) }
    }
    return nil
  }

  /// Records that make the same leaves, by address.
  var events: [TraceEvent] {
    classes.values.joined().sorted { $0.key < $1.key }.map(\.value)
  }

  // MARK: Geometry

  private struct Range {
    var base: UInt64
    /// At most 63: no input address has 64 bits.
    var log2: UInt8
    var last: UInt64 { base | (1 << UInt64(log2) - 1) }
  }

  /// Leaf sizes of a granule.
  private struct Shape {
    var granule: UInt64
    init?(_ event: TraceEvent) {
      guard let granule = Granule(rawValue: event.granuleCode) else { return nil }
      self.granule = UInt64(granule.log2Bytes)
    }

    /// log2 of a leaf's size.
    func shift(_ level: Int) -> UInt64 { granule + UInt64(3 - min(level, 3)) * (granule - 3) }

    /// Entries with the contiguous bit, as log2 of the run: 16 with 4 KiB, 128 or 32 with 16 KiB, 32
    /// with 64 KiB (DDI 0487, D8.6.1).
    func run(_ level: Int) -> UInt64 { granule == 12 ? 4 : granule == 14 && level == 3 ? 7 : 5 }

    /// Whether tables can hold the record: a level that has leaves, aligned to it, at most a table
    /// full of them.
    func accepts(_ event: TraceEvent) -> Bool {
      guard (1...3).contains(event.level) else { return false }
      let shift = shift(Int(event.level))
      let size = UInt64(event.log2SizeBytes)
      let isWhole = (event.iova | event.outputAddress) & (1 << shift - 1) == 0
      return size >= shift && size <= shift + granule - 3 && isWhole
    }
  }

  private static let contiguousBit: UInt64 = 1 << 50

  /// The record in parts whose sizes are powers of two and whose bases are aligned to them; almost
  /// always one. Granules are whole, and so is the run that the contiguous bit promises.
  private static func pieces(
    of event: TraceEvent, _ shape: Shape
  ) -> [(TraceEvent, Range)] {
    var log2 = max(UInt64(min(event.log2SizeBytes, 63)), shape.granule)
    var base = floor(event.iova, shape.granule)
    var event = event
    event.time = 0
    if event.kind == .map, event.word3 & contiguousBit != 0 {
      let level = Int(event.level)
      log2 = max(log2, shape.shift(level) + shape.run(level))
      base = floor(base, log2)
    }
    if base & (1 << log2 - 1) == 0 { return [(event, Range(base: base, log2: UInt8(log2)))] }
    var pieces: [(TraceEvent, Range)] = []
    var left = min(1 << log2, 0 &- base)
    while left > 0 {
      let part = min(base.trailingZeroBitCount, 63 - left.leadingZeroBitCount)
      pieces.append(
        (piece(of: event, at: base, log2: UInt8(part)), Range(base: base, log2: UInt8(part))))
      base &+= 1 << UInt64(part)
      left -= 1 << UInt64(part)
    }
    return pieces
  }

  /// A part of a record.
  private static func piece(
    of event: TraceEvent, at base: UInt64, log2: UInt8, level: Int? = nil
  ) -> TraceEvent {
    var piece = event
    piece.word0 = base
    if event.kind == .map { piece.word1 = event.outputAddress &+ (base &- event.iova) }
    piece.word3 = event.word3 & ~0xFF & ~contiguousBit | UInt64(log2)
    if let level { piece.word3 = piece.word3 & ~0xF00 | UInt64(level) << 8 }
    return piece
  }

  private static func floor(_ address: UInt64, _ log2: UInt64) -> UInt64 {
    address & (~0 << log2)
  }

  // MARK: Editing

  /// Removes what lies inside a range whole. True if that was anything.
  private mutating func remove(inside range: Range) -> Bool {
    var removed = false
    for log2 in Array(classes.keys) where log2 <= range.log2 {
      let count = classes[log2]!.count
      let blocks: UInt64 = 1 << UInt64(range.log2 - log2)
      if blocks <= UInt64(count) {
        for block in 0..<blocks {
          classes[log2]![range.base + block << UInt64(log2)] = nil
        }
      } else {
        classes[log2] = classes[log2]!.filter { $0.key < range.base || $0.key > range.last }
      }
      removed = removed || classes[log2]!.count < count
      if classes[log2]!.isEmpty { classes[log2] = nil }
    }
    return removed
  }

  /// A larger record that the range lies in.
  private func cover(of range: Range) -> (log2: UInt8, base: UInt64, event: TraceEvent)? {
    for (log2, entries) in classes where log2 > range.log2 {
      let base = Self.floor(range.base, UInt64(log2))
      if let event = entries[base] { return (log2, base, event) }
    }
    return nil
  }

  /// Leaves of a record what lies outside of a range: from the range's size up to the record's, the
  /// other half of each, as leaves of the level that has that size.
  private mutating func cut(
    _ range: Range, outOf event: TraceEvent, _ log2: UInt8, _ base: UInt64
  ) {
    classes[log2]![base] = nil
    if classes[log2]!.isEmpty { classes[log2] = nil }
    guard let shape = Shape(event) else { return }
    var level = 3
    for half in range.log2..<log2 {
      while level > Int(event.level), shape.shift(level - 1) <= UInt64(half) { level -= 1 }
      let start = Self.floor(range.base, UInt64(half)) ^ (1 << UInt64(half))
      classes[half, default: [:]][start] = Self.piece(
        of: event, at: start, log2: half, level: level)
    }
  }
}
