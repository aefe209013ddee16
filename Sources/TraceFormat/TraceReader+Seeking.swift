package import EventModel

// What needs a file that can be read at any place.

extension TraceReader {
  /// The index. Read on first use; 56 bytes of memory per frame.
  package mutating func index() throws(TraceError) -> FrameIndex {
    if let loadedIndex { return loadedIndex }
    let offset = frames.input.offset
    defer { frames.input.seek(to: offset) }
    let index: FrameIndex
    do {
      index = try readIndex()
    } catch {
      throw error.at(path: path)
    }
    loadedIndex = index
    return index
  }

  private mutating func readIndex() throws(TraceError) -> FrameIndex {
    let size = try fileSize()
    let trailerSize = UInt64(TraceTrailer.size)
    guard size >= dataOffset + trailerSize else {
      throw TraceError(.truncated, "end of file", expected: "a trailer", found: "nothing")
    }
    frames.input.seek(to: size - trailerSize)
    let trailer = try TraceTrailer(decoding: frames.input.read(TraceTrailer.size))
    guard trailer.fileID == header.fileID, trailer.fileSize == size,
      trailer.indexOffset >= dataOffset, trailer.indexOffset <= size - trailerSize,
      trailer.indexFrames <= size
    else {
      throw TraceError(
        .malformed, "trailer", expected: "an index inside a file of \(size) bytes",
        found: "offset \(trailer.indexOffset) of \(trailer.fileSize) bytes")
    }
    frames.input.seek(to: trailer.indexOffset)
    var index = FrameIndex()
    for number in 0..<trailer.indexFrames {
      let offset = frames.input.offset
      do throws(TraceError) {
        try readIndexFrame(into: &index, upTo: trailer.indexOffset)
      } catch {
        throw error.at(frame: trailer.totals.frames &+ number, byteOffset: offset)
      }
    }
    let end = index.entries.last
    guard index.entries.first?.offset ?? dataOffset == dataOffset,
      end?.endOffset ?? dataOffset == trailer.indexOffset,
      end?.endOrdinal ?? 0 == trailer.totals.events,
      UInt64(index.entries.count) == trailer.totals.frames
    else {
      throw TraceError(
        .malformed, "index",
        expected: "\(trailer.totals.frames) frames up to byte \(trailer.indexOffset)",
        found: "\(index.entries.count) up to \(end?.endOffset ?? dataOffset)")
    }
    return index
  }

  private mutating func readIndexFrame(
    into index: inout FrameIndex, upTo end: UInt64
  ) throws(TraceError) {
    guard case .frame(let frame) = try frames.next() else {
      throw TraceError(.malformed, "index", expected: "an index frame", found: "the end")
    }
    guard frame.kind == .index, frame.fileID == header.fileID else {
      throw TraceError(
        .malformed, "index", expected: "an index frame of this file", found: "\(frame.kind)")
    }
    guard frame.firstOrdinal == UInt64(index.entries.count) else {
      throw TraceError(
        .malformed, "index frame", expected: "entries from \(index.entries.count)",
        found: "\(frame.firstOrdinal)")
    }
    guard Int(frame.plainSize) == Int(frame.count) * IndexEntry.sizeBytes else {
      throw TraceError(
        .malformed, "index frame", expected: "\(Int(frame.count) * IndexEntry.sizeBytes) bytes",
        found: "\(frame.plainSize)")
    }
    var plain = RawBuffer()
    try frames.text(frame, using: &plain).cursor { (cursor) throws(TraceError) in
      for _ in 0..<frame.count { try index.append(IndexEntry(&cursor), upTo: end) }
    }
  }

  private func fileSize() throws(TraceError) -> UInt64 {
    guard let size = frames.input.size else {
      throw TraceError(.usage, "input", expected: "a file, for seeking", found: "a pipe")
        .at(path: path)
    }
    return size
  }

  /// Starts over at the first event. Does not need the index.
  package mutating func rewind() throws(TraceError) {
    _ = try fileSize()
    jump(toOffset: dataOffset, number: 0, ordinal: 0)
  }

  /// Continues with the event of this ordinal; the ordinal behind the last event is the end.
  /// Decodes at most one frame.
  package mutating func seek(toOrdinal target: UInt64) throws(TraceError) {
    let index = try index()
    guard let position = index.position(ofOrdinal: target) else {
      let end = index.entries.last?.endOrdinal ?? 0
      guard target == end else {
        throw TraceError(.usage, "ordinal", expected: "0…\(end)", found: "\(target)").at(path: path)
      }
      let offset = index.entries.last?.endOffset ?? dataOffset
      return jump(toOffset: offset, number: UInt64(index.entries.count), ordinal: end)
    }
    let entry = index.entries[position]
    jump(toOffset: entry.offset, number: UInt64(position), ordinal: entry.firstOrdinal)
    try skip(Int(target - entry.firstOrdinal))
  }

  /// Continues with the first event of a frame by its position in the index.
  package mutating func seek(toFrame position: Int) throws(TraceError) {
    let index = try index()
    guard index.entries.indices.contains(position) else {
      throw TraceError(
        .usage, "frame", expected: "0..<\(index.entries.count)", found: "\(position)"
      ).at(path: path)
    }
    let entry = index.entries[position]
    jump(toOffset: entry.offset, number: UInt64(position), ordinal: entry.firstOrdinal)
  }

  /// Continues at the start of the first frame that may hold an event at or after `time`, or at the
  /// end. Within a frame times may step back, so the caller filters.
  package mutating func seek(toFrameOfTime time: UInt64) throws(TraceError) {
    let index = try index()
    let position = index.position(ofTime: time)
    try seek(
      toOrdinal: position.map { index.entries[$0].firstOrdinal }
        ?? index.entries.last?.endOrdinal ?? 0)
  }

  /// The last snapshot at or before `ordinal`: its records, and the ordinal of the event that
  /// follows it. nil if there is none: state then starts empty at ordinal 0.
  package mutating func snapshot(
    before target: UInt64
  ) throws(TraceError) -> (ordinal: UInt64, records: [TraceEvent])? {
    let index = try index()
    guard let parts = index.snapshot(before: target) else { return nil }
    let offset = frames.input.offset
    defer { frames.input.seek(to: offset) }
    var records: [TraceEvent] = []
    var decoder = FrameDecoder()
    for (part, position) in zip(0..., parts) {
      let entry = index.entries[position]
      do throws(TraceError) {
        frames.input.seek(to: entry.offset)
        guard case .frame(let frame) = try frames.next(), frame.kind == .snapshot,
          frame.fileID == header.fileID, frame.part == part, frame.count == entry.count,
          frame.firstOrdinal == entry.firstOrdinal
        else {
          throw TraceError(
            .malformed, "snapshot", expected: "part \(part)", found: "another frame")
        }
        guard records.count + Int(frame.count) <= TraceLimits.snapshotEvents else {
          throw TraceError(
            .malformed, "snapshot", expected: "at most \(TraceLimits.snapshotEvents) records",
            found: "more")
        }
        try frames.open(frame, with: &decoder)
        records += decoder.all()
      } catch {
        throw error.at(path: path, frame: UInt64(position), byteOffset: entry.offset)
      }
    }
    return (index.entries[parts.lowerBound].firstOrdinal, records)
  }
}

extension FrameDecoder {
  /// The rest of the frame as an array: for snapshots and tools.
  mutating func all() -> [TraceEvent] {
    // Safety: `decode` writes `remaining` records into room for as many.
    unsafe [TraceEvent](unsafeUninitializedCapacity: remaining) { buffer, size in
      size = unsafe decode(into: UnsafeMutableBufferPointer(rebasing: buffer[..<remaining]))
    }
  }
}
