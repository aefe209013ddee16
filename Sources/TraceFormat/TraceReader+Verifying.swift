import EventModel

extension TraceReader {
  /// Reads everything from the start and compares it with what headers and index say about it.
  ///
  /// `decode` proves the bytes; this also proves the statements that only steer a search: counts per
  /// kind, earliest and latest time, the records of snapshots, and the index of a file.
  package mutating func verify() throws(TraceError) -> TraceTotals {
    if isSeekable { try rewind() }
    let batch = UnsafeMutableBufferPointer<TraceEvent>.allocate(capacity: 1024)
    defer { unsafe batch.deallocate() }
    var counted: FrameCount?
    while true {
      let limit = min(batch.count, max(1, decoder.remaining))
      // Safety: a part of `batch`, of which `decode` writes the first `count` records. A batch never
      // spans frames, because it is no longer than what remains of one.
      let part = unsafe UnsafeMutableBufferPointer(rebasing: batch[..<limit])
      let count = unsafe try decode(into: part)
      if let counted, count == 0 || frame?.number != counted.header.number {
        try counted.compare(path: path)
      }
      guard count > 0, let frame else { break }
      if counted?.header.number != frame.number { counted = FrameCount(frame, at: frameOffset) }
      unsafe counted?.add(UnsafeBufferPointer(rebasing: part[..<count]))
    }
    if isSeekable { try verifyIndex() }
    return totals ?? TraceTotals()
  }

  /// The index against the frames themselves.
  private mutating func verifyIndex() throws(TraceError) {
    let index = try index()
    var decoder = FrameDecoder()
    for (position, entry) in index.entries.enumerated() {
      frames.input.seek(to: entry.offset)
      do throws(TraceError) {
        guard case .frame(let frame) = try frames.next(),
          IndexEntry(frame, offset: entry.offset) == entry
        else {
          throw TraceError(
            .malformed, "index entry", expected: "the frame's own statements", found: "\(entry)")
        }
        if frame.kind == .snapshot {
          try frames.open(frame, with: &decoder)
          var counted = FrameCount(frame, at: entry.offset)
          let records = decoder.all()
          unsafe records.withUnsafeBufferPointer { unsafe counted.add($0) }
          try counted.compare(path: path)
        }
      } catch {
        throw error.at(path: path, frame: UInt64(position), byteOffset: entry.offset)
      }
    }
    try seek(toOrdinal: index.entries.last?.endOrdinal ?? 0)
  }
}

/// What a frame really holds, beside its header.
private struct FrameCount {
  let header: FrameHeader
  private let offset: UInt64
  private var kinds = [UInt32](repeating: 0, count: 256)
  private var earliest = UInt64.max
  private var latest: UInt64 = 0

  init(_ header: FrameHeader, at offset: UInt64) {
    self.header = header
    self.offset = offset
  }

  mutating func add(_ events: UnsafeBufferPointer<TraceEvent>) {
    for index in events.indices {
      // Safety: an index of the buffer.
      let event = unsafe events[index]
      kinds[Int(event.kind.rawValue)] += 1
      earliest = min(earliest, event.time)
      latest = max(latest, event.time)
    }
  }

  func compare(path: String) throws(TraceError) {
    var stated = [UInt32](repeating: 0, count: 256)
    for entry in header.kinds { stated[Int(entry.kind.rawValue)] += entry.count }
    guard stated == kinds else {
      let kind = zip(stated, kinds).map { $0 != $1 }.firstIndex(of: true) ?? 0
      throw TraceError(
        .malformed, "count of kind \(EventKind(rawValue: UInt8(kind)))",
        expected: "\(stated[kind])", found: "\(kinds[kind])"
      ).at(path: path, frame: header.number, byteOffset: offset)
    }
    guard header.earliestTime == earliest, header.latestTime == latest else {
      throw TraceError(
        .malformed, "times", expected: "\(header.earliestTime)…\(header.latestTime)",
        found: "\(earliest)…\(latest)"
      ).at(path: path, frame: header.number, byteOffset: offset)
    }
  }
}
