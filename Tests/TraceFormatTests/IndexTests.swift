import EventModel
import Testing

@testable import TraceFormat

@Suite struct IndexTests {
  private func entry(
    _ kind: FrameKind = .events, offset: UInt64, ordinal: UInt64, count: Int = 10
  ) -> IndexEntry {
    var header = FrameHeader(
      kind: kind, count: count, firstOrdinal: ordinal, number: 0, fileID: 0)
    header.storedSize = 4
    return IndexEntry(header, offset: offset)
  }

  @Test func entriesThatOverlapOrLeaveAGapAreRefused() throws {
    for offset: UInt64 in [0, 100, 199, 201, 300] {
      var index = FrameIndex()
      try index.append(entry(offset: 100, ordinal: 0))
      #expect(throws: TraceError.self) { try index.append(entry(offset: offset, ordinal: 10)) }
    }
  }

  @Test func ordinalsThatRepeatOrJumpAreRefused() throws {
    for ordinal: UInt64 in [0, 9, 11] {
      var index = FrameIndex()
      try index.append(entry(offset: 100, ordinal: 0))
      #expect(throws: TraceError.self) { try index.append(entry(offset: 200, ordinal: ordinal)) }
    }
    var index = FrameIndex()
    #expect(throws: TraceError.self) { try index.append(entry(offset: 100, ordinal: 1)) }
  }

  /// Every position of a small index against a plain search.
  @Test func ordinalsAreFoundAlsoBetweenSnapshots() throws {
    var index = FrameIndex()
    try index.append(entry(.snapshot, offset: 0, ordinal: 0))
    try index.append(entry(offset: 100, ordinal: 0, count: 3))
    try index.append(entry(.note, offset: 200, ordinal: 3))
    try index.append(entry(.snapshot, offset: 300, ordinal: 3))
    try index.append(entry(offset: 400, ordinal: 3, count: 2))
    #expect((0..<6).map { index.position(ofOrdinal: $0) } == [1, 1, 1, 4, 4, nil])
    #expect((0..<6).map { index.snapshot(before: $0)?.lowerBound } == [0, 0, 0, 3, 3, 3])
  }

  /// An index whose checksums are right and whose content is not.
  @Test func aForgedIndexIsRefused() throws {
    let events = SampleTrace.events(60)
    let bytes = try SampleTrace.bytes(events, SampleTrace.options(.none, frame: 30))
    let trailer = try TraceTrailer(decoding: Array(bytes.suffix(TraceTrailer.size)))
    let start = Int(trailer.indexOffset)
    let headerSize = FrameHeader.fixedSize
    let header = try FrameHeader(decoding: Array(bytes[start..<(start + headerSize)]))
    let plainStart = start + headerSize
    let entriesSize = 2 * IndexEntry.sizeBytes
    for index in 0..<entriesSize {
      var forged = bytes
      forged[plainStart + index] ^= 0x11
      let plain = Array(forged[plainStart..<(plainStart + entriesSize)])
      guard header.codec == .none else {
        Issue.record("the index of this trace should be stored as it is")
        return
      }
      var frame = header
      frame.plainHash = XXH64.hash(plain)
      forged.replaceSubrange(start..<plainStart, with: frame.encoded())
      let file = try TemporaryFile(forged)
      var reader = try TraceReader(path: file.path)
      do {
        // Times and masks only steer the search; everything else is proved.
        let frames = try reader.index().entries
        #expect(frames.map(\.firstOrdinal) == [0, 30])
        try reader.seek(toOrdinal: 45)
        #expect(try SampleTrace.rest(of: &reader) == Array(events[45...]))
      } catch let error as TraceError {
        #expect(error.kind == .malformed, "byte \(index): \(error)")
      }
    }
  }
}
