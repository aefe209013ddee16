import EventModel
import Testing

@testable import TraceFormat

/// Traces that a hostile or defective writer would make, with right checksums. Each is refused with an
/// error that names file, frame, byte, what was expected and what was found; none is believed.
///
/// The format has no floating-point numbers, so there is no time that is not a number. The nearest are
/// a frame whose earliest time is after its latest, and times that the events contradict.
@Suite struct HostileTests {
  private static let events = SampleTrace.events(120)

  private static func pieces(_ frame: Int = 40) throws -> TracePieces {
    try TracePieces(
      SampleTrace.bytes(events, SampleTrace.options(.none, frame: frame), snapshotAt: 60))
  }

  private enum Way { case read, seek, verify, snapshot }

  private func go(_ way: Way, _ path: String) throws {
    var reader = try TraceReader(path: path)
    switch way {
    case .read: _ = try SampleTrace.rest(of: &reader)
    case .seek: try reader.seek(toOrdinal: 77)
    case .verify: _ = try reader.verify()
    case .snapshot: _ = try reader.snapshot(before: 99)
    }
  }

  /// Expects a complete error from one way into the file.
  private func expect(
    _ way: Way, _ bytes: [UInt8], _ subject: String, kind: TraceError.Kind = .malformed,
    frame: UInt64?, expected: String? = nil, found: String? = nil
  ) throws {
    let file = try TemporaryFile(bytes)
    let error = try #require(#expect(throws: TraceError.self) { try go(way, file.path) })
    #expect(error.kind == kind)
    #expect(error.subject == subject)
    #expect(error.path == file.path)
    #expect(error.frame == frame)
    if frame != nil { #expect(error.byteOffset.map { $0 < UInt64(bytes.count) } == true) }
    if let expected { #expect(error.expected == expected) }
    if let found { #expect(error.found == found) }
    #expect(!error.expected.isEmpty && !error.found.isEmpty)
    #expect(error.description.hasPrefix("\(file.path): "))
    #expect(error.description.contains("expected \(error.expected), found \(error.found)"))
  }

  // MARK: Bombs and counts

  @Test(arguments: [TraceCodec.zstd, .lz4])
  func aPayloadThatInflatesBeyondItsSizeIsRefused(codec: TraceCodec) throws {
    var bytes = try Self.pieces().sealed(upTo: 1)
    let zeros = [UInt8](repeating: 0, count: 12 << 20)
    let packed = Compressor(codec: codec, level: 1).compress(zeros).bytes
    var header = try Self.pieces().frames[1].header
    (header.codec, header.storedSize) = (codec, UInt32(packed.count))
    header.plainSize = UInt32(packed.count + 1000)
    bytes += header.encoded() + packed
    try expect(
      .read, bytes, "\(codec) payload", kind: .damaged, frame: 1,
      expected: "\(packed.count + 1000) bytes")
  }

  @Test func aPayloadOfAbsurdSizeIsNotAllocated() throws {
    var pieces = try Self.pieces()
    for (plain, stored) in [(UInt32.max, UInt32.max), (16 << 20 + 1, 10), (0, 0), (10, 11)] {
      pieces.frames[1].header.plainSize = plain
      pieces.frames[1].header.storedSize = stored
      try expect(
        .read, pieces.sealed(keepingSizesOf: 1), "payload sizes", frame: 1,
        expected: "0 < stored ≤ plain ≤ 16777216", found: "\(stored) and \(plain)")
    }
  }

  @Test func absurdCountsAreRefused() throws {
    for count: UInt32 in [0, 65_537, .max] {
      var pieces = try Self.pieces()
      pieces.frames[0].header.count = count
      try expect(
        .read, pieces.sealed(), "frame count", frame: 0, expected: "1…65536", found: "\(count)")
    }
    var pieces = try Self.pieces()
    pieces.frames[0].header.kinds[0].count += 1
    try expect(.read, pieces.sealed(), "counts per kind", frame: 0, found: "41")
    // Slots, shapes and the lists of exceptions, each by its place in the payload's header.
    for (offset, name) in [
      (16, "slot count"), (20, "shape count"), (24, "literal word count"),
      (28, "extended slot count"), (32, "late tick count"), (36, "time width"),
    ] {
      var pieces = try Self.pieces()
      pieces.frames[0].plain.replace(number: UInt32.max, at: offset)
      try expect(.read, pieces.sealed(), name, frame: 0, found: "4294967295")
    }
  }

  /// 65,536 entries cost nothing in a compressed index, but each is a frame of 97 bytes at least.
  @Test func anIndexOfFramesThatHaveNoRoomIsRefused() throws {
    var pieces = try Self.pieces()
    let last = pieces.frames.count - 1
    pieces.frames[last].plain.replace(number: UInt32(96), at: 44)
    try expect(.seek, pieces.sealed(), "index entry", frame: UInt64(last))
    pieces = try Self.pieces()
    pieces.frames[last].plain.replace(number: UInt32(1 << 20), at: 44)
    try expect(.seek, pieces.sealed(), "index entry 0", frame: UInt64(last))
  }

  // MARK: Order

  @Test func overlappingIndexEntriesAreRefused() throws {
    var pieces = try Self.pieces()
    let last = pieces.frames.count - 1
    let entry = 2 * IndexEntry.sizeBytes
    let offset = pieces.frames[last].plain[entry]
    pieces.frames[last].plain[entry] = offset &- 8
    try expect(.seek, pieces.sealed(), "index entry 2", frame: UInt64(last))
  }

  @Test func duplicateOrdinalsAreRefused() throws {
    var pieces = try Self.pieces()
    pieces.frames[1].header.firstOrdinal = 0
    try expect(
      .read, pieces.sealed(), "first ordinal", frame: 1, expected: "40", found: "0")
    pieces = try Self.pieces()
    let last = pieces.frames.count - 1
    pieces.frames[last].plain.replace(number: UInt64(0), at: IndexEntry.sizeBytes + 8)
    try expect(
      .seek, pieces.sealed(), "index entry 1", frame: UInt64(last), expected: "ordinal 40",
      found: "0")
    pieces = try Self.pieces()
    pieces.frames.insert(pieces.frames[0], at: 1)
    try expect(
      .read, pieces.sealed(), "frame number", kind: .damaged, frame: 1, expected: "1", found: "0")
  }

  /// An index that leads to itself, and a trailer whose index is a frame of events or the trailer.
  @Test func cyclicOffsetsAreRefused() throws {
    let intact = try Self.pieces()
    let last = intact.frames.count - 1
    let trailer = try TraceTrailer(decoding: intact.trailer)
    var pieces = intact
    pieces.frames[last].plain.replace(number: trailer.indexOffset, at: 0)
    try expect(.seek, pieces.sealed(), "index entry 0", frame: UInt64(last))
    pieces = intact
    pieces.trailer.replace(number: UInt64(pieces.head.count), at: 8)
    try expect(
      .seek, pieces.sealed(), "index", frame: trailer.totals.frames,
      expected: "an index frame of this file", found: "events")
    pieces.trailer.replace(number: trailer.fileSize - UInt64(TraceTrailer.size), at: 8)
    try expect(
      .seek, pieces.sealed(), "index", frame: trailer.totals.frames, expected: "an index frame",
      found: "the end")
    pieces.trailer.replace(number: UInt64.max, at: 8)
    try expect(.seek, pieces.sealed(), "trailer", frame: nil)
    // More index frames than there are.
    pieces = intact
    pieces.trailer.replace(number: UInt64(2), at: 16)
    try expect(.seek, pieces.sealed(), "index", frame: trailer.totals.frames + 1)
  }

  // MARK: Times

  @Test func timesThatContradictThemselvesAreRefused() throws {
    var pieces = try Self.pieces()
    (pieces.frames[0].header.earliestTime, pieces.frames[0].header.latestTime) = (9, 8)
    try expect(.read, pieces.sealed(), "counts per kind", frame: 0)
    pieces = try Self.pieces()
    pieces.frames[0].header.latestTime = .max
    try expect(.verify, pieces.sealed(), "times", frame: 0)
  }

  @Test func aSnapshotInTheWrongPartIsRefused() throws {
    var pieces = try Self.pieces()
    let place = try #require(pieces.frames.firstIndex { $0.header.kind == .snapshot })
    pieces.frames[place].header.part = 7
    try expect(.snapshot, pieces.sealed(), "snapshot", frame: UInt64(place))
  }
}
