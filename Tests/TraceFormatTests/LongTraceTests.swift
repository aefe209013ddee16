import EventModel
import Testing

@testable import TraceFormat

/// A trace of more than 2³² events, put together from one frame: ordinals, counts and places behind
/// that are found and exact. How long such a trace takes to decode, `Benchmarks/TraceDecode/soak` says.
@Suite struct LongTraceTests {
  private static let perFrame = TraceLimits.eventsPerFrame
  private static let frames = (1 << 32) / perFrame + 4

  private static func event(_ place: Int) -> TraceEvent {
    TraceEvent(time: UInt64(place), kind: .mark)
  }

  /// Frame 0 again and again: each says its own number and ordinal, and has an index entry.
  private static func bytes() throws -> [UInt8] {
    let one = (0..<perFrame).map(event)
    var pieces = try TracePieces(
      SampleTrace.bytes(one, SampleTrace.options(.none, frame: perFrame)))
    pieces.frames[0].header.codec = .zstd
    var compressor = Compressor(codec: .zstd, level: 1)
    let stored = compressor.compress(pieces.frames[0].plain).bytes
    var header = pieces.frames[0].header
    header.storedSize = UInt32(stored.count)
    var bytes = pieces.head
    var entries: [UInt8] = []
    for frame in 0..<frames {
      header.number = UInt64(frame)
      header.firstOrdinal = UInt64(frame * perFrame)
      IndexEntry(header, offset: UInt64(bytes.count)).encode(to: &entries)
      bytes += header.encoded()
      bytes += stored
    }
    let indexOffset = UInt64(bytes.count)
    let limit = TraceLimits.entriesPerIndexFrame * IndexEntry.sizeBytes
    for (part, start) in stride(from: 0, to: entries.count, by: limit).enumerated() {
      let plain = Array(entries[start..<min(start + limit, entries.count)])
      var index = FrameHeader(
        kind: .index, count: plain.count / IndexEntry.sizeBytes,
        firstOrdinal: UInt64(start / IndexEntry.sizeBytes), number: UInt64(frames + part),
        fileID: header.fileID)
      index.plainSize = UInt32(plain.count)
      index.storedSize = index.plainSize
      index.plainHash = XXH64.hash(plain)
      bytes += index.encoded()
      bytes += plain
    }
    var totals = TraceTotals()
    totals.events = UInt64(frames * perFrame)
    totals.frames = UInt64(frames)
    totals.latestTime = UInt64(perFrame - 1)
    var head = try TraceReader(bytes: pieces.head, name: "head").header
    head.totals = totals
    bytes.replaceSubrange(
      ..<TraceHeader.fixedSize, with: try head.encoded().prefix(TraceHeader.fixedSize))
    let trailer = TraceTrailer(
      indexOffset: indexOffset, indexFrames: 2, totals: totals, fileID: header.fileID,
      fileSize: UInt64(bytes.count + TraceTrailer.size))
    return bytes + trailer.encoded()
  }

  @Test func ordinalsBeyond32BitsAreFound() throws {
    var reader = try TraceReader(bytes: Self.bytes(), name: "long")
    let index = try reader.index()
    #expect(index.entries.count == Self.frames)
    let count = UInt64(Self.frames * Self.perFrame)
    #expect(index.entries.last?.endOrdinal == count && count > 1 << 32)
    let ordinals: [UInt64] = [UInt64(UInt32.max), 1 << 32, 1 << 32 | 70_000, count - 1]
    for ordinal in ordinals {
      try reader.seek(toOrdinal: ordinal)
      #expect(reader.ordinal == ordinal)
      var one = [TraceEvent(time: 0, kind: .loss)]
      // Safety: the pointer is used within the call only.
      let got = unsafe try one.withUnsafeMutableBufferPointer { unsafe try reader.decode(into: $0) }
      #expect(got == 1 && one[0] == Self.event(Int(ordinal) % Self.perFrame))
      #expect(reader.frame?.number == ordinal / UInt64(Self.perFrame))
    }
    try reader.seek(toOrdinal: count - 3)
    #expect(try SampleTrace.rest(of: &reader).count == 3)
    #expect(reader.ordinal == count)
  }
}
