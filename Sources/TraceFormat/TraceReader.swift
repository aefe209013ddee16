package import EventModel

/// Reads a trace in order, from a file or a pipe, in bounded memory: one frame and its columns
/// (about 10 MiB at worst, 1 MiB for the recordings). Use it from one thread.
///
/// Every byte that it passes is checked, so after `decode` has returned 0 the whole trace was
/// intact. `TraceReader+Seeking.swift` has what only a file can do.
package struct TraceReader: ~Copyable {
  package let header: TraceHeader
  /// The totals: of the header, or after the end of a piped trace those of its trailer.
  package private(set) var totals: TraceTotals?
  /// The frame that the next event comes from, once the first was read.
  package private(set) var frame: FrameHeader?
  /// Where that frame starts in the file.
  private(set) var frameOffset: UInt64 = 0
  /// The ordinal of the next event.
  package private(set) var ordinal: UInt64 = 0

  var frames: FrameReader
  var decoder = FrameDecoder()
  var loadedIndex: FrameIndex?
  /// Where the first frame starts.
  let dataOffset: UInt64
  private var nextNumber: UInt64 = 0
  private var nextFrameOrdinal: UInt64 = 0
  private var indexFrames: UInt64 = 0
  /// Everything up to here was read, so the trailer's counts can be checked.
  private var countsFromStart = true
  private var isAtEnd = false
  private(set) var deferredError: TraceError?

  package init(path: String) throws(TraceError) {
    try self.init(InputFile(path: path))
  }

  /// Reads from a descriptor that is open already, such as standard input. It is not closed.
  package init(descriptor: Int32, name: String) throws(TraceError) {
    try self.init(InputFile(descriptor: descriptor, path: name, ownsDescriptor: false))
  }

  /// Reads a trace that lies in memory.
  package init(bytes: [UInt8], name: String) throws(TraceError) {
    try self.init(InputFile(bytes: bytes, name: name))
  }

  init(_ input: consuming InputFile) throws(TraceError) {
    let path = input.path
    frames = FrameReader(input)
    do {
      header = try frames.readHeader()
    } catch {
      throw error.at(path: path)
    }
    totals = header.totals
    dataOffset = frames.input.offset
  }

  package var path: String { frames.input.path }
  package var isSeekable: Bool { frames.input.size != nil }

  /// Fills `output` with the next events, across frames, and says how many; 0 at the end. It may
  /// stop short only at the end or before damage, which the next call then throws.
  package mutating func decode(
    into output: UnsafeMutableBufferPointer<TraceEvent>
  ) throws(TraceError) -> Int {
    if let error = deferredError { throw error }
    var filled = 0
    while filled < output.count {
      if decoder.remaining == 0 {
        do {
          guard try openNextFrame() else { break }
        } catch {
          deferredError = error
          if filled > 0 { break }
          throw error
        }
      }
      // Safety: the part of `output` behind `filled`.
      let rest = unsafe UnsafeMutableBufferPointer(rebasing: output[filled...])
      let count = unsafe decoder.decode(into: rest)
      filled += count
      ordinal += UInt64(count)
    }
    return filled
  }

  /// The records of the snapshot that stands before the first event: a replay plays them first. None
  /// in a trace that starts from nothing. Call it before any other reading; a pipe can do it too.
  package mutating func openingRecords() throws(TraceError) -> [TraceEvent] {
    precondition(ordinal == 0 && decoder.remaining == 0)
    if let error = deferredError { throw error }
    var records: [TraceEvent] = []
    do {
      _ = try openNextFrame { (header, decoder) throws(TraceError) in
        if header.part == 0 { records.removeAll() }
        guard records.count + Int(header.count) <= TraceLimits.snapshotEvents else {
          throw TraceError(
            .malformed, "snapshot", expected: "at most \(TraceLimits.snapshotEvents) records",
            found: "more")
        }
        records += decoder.all()
      }
    } catch {
      deferredError = error
      throw error
    }
    return records
  }

  /// Reads on to the next frame of events. False at the end of the trace.
  ///
  /// - Parameter takeSnapshot: gets each part of a snapshot on the way; without it they are checked only.
  mutating func openNextFrame(
    _ takeSnapshot: ((FrameHeader, inout FrameDecoder) throws(TraceError) -> Void)? = nil
  ) throws(TraceError) -> Bool {
    while let piece = try nextFrame() {
      do throws(TraceError) {
        if let takeSnapshot, piece.header.kind == .snapshot {
          try frames.open(piece.header, with: &decoder)
          try takeSnapshot(piece.header, &decoder)
          continue
        }
        guard piece.header.kind == .events else {
          try frames.decompress(piece.header, into: &decoder.plain)
          continue
        }
        try frames.open(piece.header, with: &decoder)
      } catch {
        throw error.at(path: path, frame: piece.header.number, byteOffset: piece.offset)
      }
      frame = piece.header
      frameOffset = piece.offset
      ordinal = piece.header.firstOrdinal
      return true
    }
    return false
  }

  /// Reads the next frame, whatever it is, and checks that it is here in its turn; its payload is
  /// still as stored. Nil at the end of the trace, once the trailer was found to agree.
  mutating func nextFrame() throws(TraceError) -> (header: FrameHeader, offset: UInt64)? {
    guard !isAtEnd else { return nil }
    let (offset, number) = (frames.input.offset, nextNumber)
    do throws(TraceError) {
      switch try frames.next() {
      case .frame(let header):
        try check(header)
        nextNumber += 1
        switch header.kind {
        case .events: nextFrameOrdinal = header.firstOrdinal + UInt64(header.count)
        case .index: indexFrames += 1
        case .snapshot, .note: break
        }
        return (header, offset)
      case .trailer(let trailer):
        try finish(trailer, at: offset)
        return nil
      case .end:
        throw TraceError(.truncated, "end of file", expected: "a trailer", found: "nothing")
      }
    } catch {
      throw error.at(path: path, frame: number, byteOffset: offset)
    }
  }

  private func check(_ header: FrameHeader) throws(TraceError) {
    guard header.fileID == self.header.fileID else {
      throw TraceError(
        .damaged, "file ID", expected: self.header.fileID.hex, found: header.fileID.hex)
    }
    guard header.number == nextNumber else {
      throw TraceError(
        .damaged, "frame number", expected: "\(nextNumber)", found: "\(header.number)")
    }
    if header.kind == .index { return }
    guard indexFrames == 0 else {
      throw TraceError(
        .malformed, "frame kind", expected: "only index frames from here", found: "\(header.kind)")
    }
    guard header.firstOrdinal == nextFrameOrdinal else {
      throw TraceError(
        .malformed, "first ordinal", expected: "\(nextFrameOrdinal)",
        found: "\(header.firstOrdinal)")
    }
  }

  private mutating func finish(_ trailer: TraceTrailer, at offset: UInt64) throws(TraceError) {
    isAtEnd = true
    guard trailer.fileID == header.fileID else {
      throw TraceError(.damaged, "file ID", expected: header.fileID.hex, found: trailer.fileID.hex)
    }
    let size = offset + UInt64(TraceTrailer.size)
    let rest = try frames.input.read(1)
    guard trailer.fileSize == size, rest.isEmpty else {
      throw TraceError(
        .malformed, "file size", expected: "\(trailer.fileSize) bytes",
        found: rest.isEmpty ? "\(size) bytes" : "more")
    }
    if let stated = header.totals, stated != trailer.totals {
      throw TraceError(
        .malformed, "totals", expected: "\(stated)", found: "\(trailer.totals) in the trailer")
    }
    let passed = nextNumber - indexFrames
    guard
      !countsFromStart
        || (trailer.totals.events == nextFrameOrdinal && trailer.totals.frames == passed
          && trailer.indexFrames == indexFrames)
    else {
      throw TraceError(
        .malformed, "totals",
        expected: "\(trailer.totals.events) events in \(trailer.totals.frames) frames",
        found: "\(nextFrameOrdinal) in \(passed)")
    }
    totals = trailer.totals
  }

  /// Continues at a frame that the index told: the file offset, frame number and first ordinal.
  mutating func jump(toOffset offset: UInt64, number: UInt64, ordinal newOrdinal: UInt64) {
    frames.input.seek(to: offset)
    decoder.close()
    frame = nil
    ordinal = newOrdinal
    nextNumber = number
    nextFrameOrdinal = newOrdinal
    indexFrames = 0
    countsFromStart = number == 0
    isAtEnd = false
    deferredError = nil
  }

  /// Passes over `count` events of the open frame.
  mutating func skip(_ count: Int) throws(TraceError) {
    // Events must be decoded to be passed: slots move on with them.
    let step = 1024
    let scratch = UnsafeMutableBufferPointer<TraceEvent>.allocate(capacity: step)
    defer { unsafe scratch.deallocate() }
    var left = count
    while left > 0 {
      // Safety: a part of `scratch`, whose elements are trivial and only written.
      let part = unsafe UnsafeMutableBufferPointer(rebasing: scratch[..<min(left, step)])
      let got = unsafe try decode(into: part)
      guard got > 0 else { return }
      left -= got
    }
  }
}
