package import EventModel

/// One frame as the index lists it.
package struct IndexEntry: Hashable, Sendable {
  package var offset: UInt64
  package var firstOrdinal: UInt64
  package var earliestTime: UInt64
  package var latestTime: UInt64
  package var kindMask: KindMask
  package var count: UInt32
  /// Header and stored payload.
  package var size: UInt32
  package var kind: FrameKind
  package var isLastPart: Bool
  package var part: UInt32

  static let sizeBytes = 56

  init(_ header: FrameHeader, offset: UInt64) {
    self.offset = offset
    firstOrdinal = header.firstOrdinal
    earliestTime = header.earliestTime
    latestTime = header.latestTime
    kindMask = header.kindMask
    count = header.count
    size = UInt32(header.size)
    kind = header.kind
    isLastPart = header.isLastPart
    part = header.part
  }

  /// The ordinal behind the frame's last event.
  package var endOrdinal: UInt64 { kind == .events ? firstOrdinal + UInt64(count) : firstOrdinal }
  var endOffset: UInt64 { offset + UInt64(size) }
}

extension IndexEntry {
  func encode(to bytes: inout [UInt8]) {
    bytes.append(number: offset)
    bytes.append(number: firstOrdinal)
    bytes.append(number: earliestTime)
    bytes.append(number: latestTime)
    bytes.append(number: kindMask.bits)
    bytes.append(number: count)
    bytes.append(number: size)
    bytes.append(kind.rawValue)
    bytes.append(isLastPart ? 1 : 0)
    bytes.append(number: UInt16(0))
    bytes.append(number: part)
  }

  init(_ cursor: inout ByteCursor) throws(TraceError) {
    let field = "index entry"
    offset = try cursor.number(field)
    firstOrdinal = try cursor.number(field)
    earliestTime = try cursor.number(field)
    latestTime = try cursor.number(field)
    kindMask = KindMask(bits: try cursor.number(field))
    count = try cursor.number(field)
    size = try cursor.number(field)
    let kindValue: UInt8 = try cursor.number(field)
    let flags: UInt8 = try cursor.number(field)
    let _: UInt16 = try cursor.number(field)
    part = try cursor.number(field)
    guard let kind = FrameKind(rawValue: kindValue), kind != .index else {
      throw TraceError(.malformed, "index entry", expected: "frame kind 1…3", found: "\(kindValue)")
    }
    self.kind = kind
    isLastPart = flags & 1 != 0
    // No frame is smaller, so an index has no more entries than the file has room for frames.
    let sizes =
      (FrameHeader.fixedSize + 1)...(FrameHeader.largestSize + TraceLimits.payloadSizeBytes)
    guard sizes.contains(Int(size)),
      offset <= UInt64(Int64.max) - UInt64(size), firstOrdinal <= UInt64.max - UInt64(count)
    else {
      throw TraceError(
        .malformed, "index entry", expected: "a frame in the file",
        found: "\(size) bytes at \(offset), \(count) events from \(firstOrdinal)")
    }
  }
}

/// Every frame of a trace, in file order, proved to be free of overlaps and gaps.
package struct FrameIndex: Hashable, Sendable {
  package private(set) var entries: [IndexEntry] = []

  /// Takes the next entry. Frames follow one another without gap, and so do their ordinals.
  ///
  /// - Parameter limit: where the index starts, and frames end.
  mutating func append(_ entry: IndexEntry, upTo limit: UInt64 = .max) throws(TraceError) {
    guard entry.endOffset <= limit else {
      throw TraceError(
        .malformed, "index entry \(entries.count)", expected: "a frame before byte \(limit)",
        found: "one up to byte \(entry.endOffset)")
    }
    if let last = entries.last {
      guard entry.offset == last.endOffset else {
        throw TraceError(
          .malformed, "index entry \(entries.count)", expected: "offset \(last.endOffset)",
          found: "\(entry.offset)")
      }
      guard entry.firstOrdinal == last.endOrdinal else {
        throw TraceError(
          .malformed, "index entry \(entries.count)", expected: "ordinal \(last.endOrdinal)",
          found: "\(entry.firstOrdinal)")
      }
    } else if entry.firstOrdinal != 0 {
      throw TraceError(
        .malformed, "index entry 0", expected: "ordinal 0", found: "\(entry.firstOrdinal)")
    }
    entries.append(entry)
  }

  /// Position of the events frame that holds `ordinal`, in O(log frames).
  package func position(ofOrdinal ordinal: UInt64) -> Int? {
    // Frames without events end where they start, so the first end beyond the ordinal is it.
    let position = firstPosition { $0.endOrdinal > ordinal }
    return position < entries.count ? position : nil
  }

  /// Position of the first events frame that may hold an event at or after `time`. Times may step
  /// back where a capture merged several clocks, so this looks at every frame: O(frames).
  package func position(ofTime time: UInt64) -> Int? {
    entries.firstIndex { $0.kind == .events && $0.latestTime >= time }
  }

  /// Positions of the events frames that may hold an event of one of `kinds` with an ordinal and a
  /// time in these ranges. Every other frame can be passed over. O(frames).
  package func positions(
    mayHold kinds: [EventKind]? = nil, ordinals: Range<UInt64> = 0..<UInt64.max,
    times: ClosedRange<UInt64> = 0...UInt64.max
  ) -> [Int] {
    entries.indices.filter { position in
      let entry = entries[position]
      return entry.kind == .events && entry.firstOrdinal < ordinals.upperBound
        && entry.endOrdinal > ordinals.lowerBound && entry.latestTime >= times.lowerBound
        && entry.earliestTime <= times.upperBound
        && (kinds?.contains { entry.kindMask.mayContain($0) } ?? true)
    }
  }

  /// Positions of the parts of the last snapshot at or before `ordinal`.
  package func snapshot(before ordinal: UInt64) -> Range<Int>? {
    let end = firstPosition { $0.firstOrdinal > ordinal }
    guard let last = entries[..<end].lastIndex(where: { $0.kind == .snapshot && $0.isLastPart })
    else { return nil }
    let first = last - Int(entries[last].part)
    return first >= 0 ? first..<(last + 1) : nil
  }

  private func firstPosition(where isBehind: (IndexEntry) -> Bool) -> Int {
    var low = 0
    var high = entries.count
    while low < high {
      let middle = (low + high) / 2
      if isBehind(entries[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
