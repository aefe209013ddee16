package import EventModel

/// Finds every intact frame of a damaged, cut or unfinished trace by scanning forward, without
/// index or trailer, and says exactly what is lost.
///
/// Needs a file. Memory is bounded as for `TraceReader`; time is linear in the file's size, also for
/// files made to defeat it.
package struct TraceScanner: ~Copyable {
  package enum Finding: Hashable, Sendable {
    /// An intact frame; `events()` gives its records.
    case frame(FrameHeader, offset: UInt64)
    case damage(Damage)
  }

  package struct Damage: Hashable, Sendable {
    /// Bytes that belong to no intact piece.
    package var bytes: Range<UInt64>
    /// Events that are missing before the next intact frame, or nil at the end of a file that does
    /// not say how many there were.
    package var lostOrdinals: Range<UInt64>?
    /// What was wrong first.
    package var cause: TraceError
  }

  /// nil: the header is damaged too.
  package let header: TraceHeader?
  private var frames: FrameReader
  private var decoder = FrameDecoder()
  private var fileID: UInt64?
  private var stated: TraceTotals?
  private let size: UInt64
  /// The end of the last intact piece, and where to look next.
  private var intactEnd: UInt64 = 0
  private var place: UInt64
  private var nextOrdinal: UInt64 = 0
  private var cause: TraceError?
  private var pending: Finding?
  private var isDone = false
  /// Bytes that may still be spent on candidates that turn out to be damaged.
  private var budget: UInt64

  package init(path: String) throws(TraceError) {
    try self.init(InputFile(path: path))
  }

  /// Scans bytes in memory.
  package init(bytes: [UInt8], name: String) throws(TraceError) {
    try self.init(InputFile(bytes: bytes, name: name))
  }

  private init(_ input: consuming InputFile) throws(TraceError) {
    let path = input.path
    guard let size = input.size else {
      throw TraceError(.usage, "input", expected: "a file, for scanning", found: "a pipe")
        .at(path: path)
    }
    guard size > 0 else {
      throw TraceError(.empty, "file", expected: "a trace", found: "nothing").at(path: path)
    }
    self.size = size
    budget = 4 * size + 64 << 20
    frames = FrameReader(input)
    do {
      let header = try frames.readHeader()
      self.header = header
      fileID = header.fileID
      stated = header.totals
      place = frames.input.offset
      intactEnd = place
    } catch {
      header = nil
      place = 0
      cause = error.at(path: path, byteOffset: 0)
    }
  }

  /// The next intact frame or the damage before it, in file order; nil at the end.
  package mutating func next() throws(TraceError) -> Finding? {
    if let finding = pending {
      pending = nil
      return finding
    }
    while !isDone {
      guard let offset = try nextCandidate(from: place) else { return finish() }
      frames.input.seek(to: offset)
      do throws(TraceError) {
        switch try frames.next() {
        case .frame(let frame):
          let end = frames.input.offset
          do {
            try check(frame)
          } catch {
            spend(frame, at: offset)
            throw error
          }
          place = end
          guard frame.kind == .index else { return found(frame, at: offset, end: end) }
          if let damage = passIndex(at: offset, end: end) { return damage }
        case .trailer(let trailer):
          guard trailer.fileID == fileID ?? trailer.fileID, trailer.fileSize == size,
            trailer.totals.events >= nextOrdinal
          else {
            throw TraceError(.damaged, "trailer", expected: "this file's", found: "another")
          }
          stated = trailer.totals
          place = frames.input.offset
          return finishAtTrailer(offset)
        case .end: isDone = true
        }
      } catch {
        if error.kind == .system { throw error }
        if cause == nil { cause = error.at(path: frames.input.path, byteOffset: offset) }
        place = max(place, offset + 1)
      }
    }
    return nil
  }

  /// The records of the frame that `next` gave last: events or a snapshot.
  package mutating func events() -> [TraceEvent] { decoder.all() }

  private mutating func check(_ frame: FrameHeader) throws(TraceError) {
    guard frame.fileID == fileID ?? frame.fileID else {
      throw TraceError(.damaged, "file ID", expected: "this file's", found: frame.fileID.hex)
    }
    guard frame.kind == .index || frame.firstOrdinal >= nextOrdinal else {
      throw TraceError(
        .malformed, "first ordinal", expected: "\(nextOrdinal) or more",
        found: "\(frame.firstOrdinal)")
    }
    switch frame.kind {
    case .events, .snapshot:
      try frames.open(frame, with: &decoder)
    case .note, .index:
      try frames.decompress(frame, into: &decoder.plain)
    }
  }

  private mutating func spend(_ frame: FrameHeader, at offset: UInt64) {
    let cost = UInt64(frame.size) + UInt64(frame.plainSize)
    if budget >= cost {
      budget -= cost
    } else {
      // A file of nothing but false frames: look no more inside of them.
      place = offset + UInt64(frame.size)
    }
  }

  private mutating func found(_ frame: FrameHeader, at offset: UInt64, end: UInt64) -> Finding {
    fileID = frame.fileID
    let finding = Finding.frame(frame, offset: offset)
    let damage = damage(upTo: offset, nextOrdinal: frame.firstOrdinal)
    intactEnd = end
    nextOrdinal = frame.firstOrdinal + (frame.kind == .events ? UInt64(frame.count) : 0)
    guard let damage else { return finding }
    pending = finding
    return damage
  }

  private mutating func passIndex(at offset: UInt64, end: UInt64) -> Finding? {
    let damage = damage(upTo: offset, nextOrdinal: stated?.events)
    if damage != nil, let stated { nextOrdinal = max(nextOrdinal, stated.events) }
    intactEnd = end
    return damage
  }

  private mutating func finishAtTrailer(_ offset: UInt64) -> Finding? {
    isDone = true
    let damage = damage(upTo: offset, nextOrdinal: stated?.events)
    intactEnd = place
    return damage
  }

  private mutating func finish() -> Finding? {
    isDone = true
    if intactEnd == size {
      cause = TraceError(.truncated, "end of file", expected: "a trailer", found: "nothing")
        .at(path: frames.input.path, byteOffset: size)
    }
    return damage(upTo: size, nextOrdinal: stated?.events, always: true)
  }

  /// What lies between the last intact piece and `offset`, if anything does.
  private mutating func damage(
    upTo offset: UInt64, nextOrdinal next: UInt64?, always: Bool = false
  ) -> Finding? {
    let lost = next.map { nextOrdinal..<max($0, nextOrdinal) }
    guard always || offset > intactEnd || lost?.isEmpty == false else { return nil }
    let cause =
      cause
      ?? TraceError(
        .damaged, "frames", expected: "ordinal \(nextOrdinal)", found: "\(next ?? nextOrdinal)"
      ).at(path: frames.input.path, byteOffset: intactEnd)
    self.cause = nil
    return .damage(Damage(bytes: intactEnd..<offset, lostOrdinals: lost, cause: cause))
  }
}

// The search for the next marker.
extension TraceScanner {
  private static let windowSize = 1 << 16

  /// The next place at or behind `start` where a frame or the trailer may begin.
  private mutating func nextCandidate(from start: UInt64) throws(TraceError) -> UInt64? {
    var start = start
    while start + 8 <= size {
      frames.input.seek(to: start)
      let window = try frames.input.read(Int(min(UInt64(Self.windowSize), size - start)))
      guard window.count >= 8 else { return nil }
      for offset in 0...(window.count - 8) where window[offset] == FrameHeader.marker[0] {
        let bytes = window[offset..<(offset + 8)]
        if bytes.elementsEqual(FrameHeader.marker) || bytes.elementsEqual(TraceTrailer.magic) {
          return start + UInt64(offset)
        }
      }
      start += UInt64(window.count - 7)
    }
    return nil
  }
}
