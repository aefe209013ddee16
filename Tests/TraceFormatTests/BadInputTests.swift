import EventModel
import Testing

@testable import TraceFormat

@Suite struct BadInputTests {
  private func error(_ bytes: [UInt8]) throws -> TraceError {
    let file = try TemporaryFile(bytes)
    let error = #expect(throws: TraceError.self) { _ = try SampleTrace.read(file.path) }
    return try #require(error)
  }

  @Test func aMissingFileIsNamed() {
    let error = #expect(throws: TraceError.self) {
      _ = try TraceReader(path: "/nowhere/at.dbtrace")
    }
    #expect(error?.kind == .system)
    #expect(error?.description.hasPrefix("/nowhere/at.dbtrace: open: expected success") == true)
  }

  @Test func anEmptyFileIsEmptyNotForeign() throws {
    #expect(try error([]).kind == .empty)
    let file = try TemporaryFile([])
    #expect(throws: TraceError.self) { _ = try TraceScanner(path: file.path) }
  }

  @Test func aForeignFileIsForeign() throws {
    #expect(try error(Array("11731@1795443124.2:gicv3_its_cmd".utf8)).kind == .foreign)
    #expect(try error([0x89, 0x50, 0x4E, 0x47]).kind == .foreign)
    #expect(try error([UInt8](repeating: 0, count: 4096)).kind == .foreign)
  }

  @Test func aFolderIsRefused() {
    #expect(throws: TraceError.self) { _ = try TraceReader(path: "/tmp") }
  }

  @Test func aNewerVersionIsRefusedByName() throws {
    var bytes = try SampleTrace.bytes([], SampleTrace.options(.none))
    bytes[8] = 2
    let error = try error(bytes)
    #expect(error.kind == .unsupported)
    #expect(error.description.contains("expected 1 (160), found 2 (160)"))
  }

  @Test func bytesBehindTheTrailerAreAnError() throws {
    let bytes = try SampleTrace.bytes(SampleTrace.events(30), SampleTrace.options(.none))
    #expect(try error(bytes + [0]).subject == "file size")
    #expect(try error(bytes + bytes).subject == "file size")
  }

  /// The message has path, frame, byte, expected, found and advice.
  @Test func aDamagedPayloadIsDescribedInFull() throws {
    var bytes = try SampleTrace.bytes(
      SampleTrace.events(), SampleTrace.options(.none, frame: 200))
    let start = try #require(
      bytes.indices.dropLast(8).last { bytes[$0..<($0 + 8)].elementsEqual(FrameHeader.marker) })
    bytes[start - 1] ^= 1
    let file = try TemporaryFile(bytes)
    let error = #expect(throws: TraceError.self) { _ = try SampleTrace.read(file.path) }
    let text = try #require(error?.description)
    #expect(text.hasPrefix("\(file.path): frame 1 at byte "))
    #expect(text.contains("payload checksum: expected 0x"))
    #expect(text.hasSuffix("save the whole frames with 'doorbell recover'"))
  }

  /// A frame made by hand around `plain`, with right checksums.
  private func handMade(
    _ plain: [UInt8], stored: [UInt8]? = nil, codec: TraceCodec = .none, count: Int = 1,
    change: (inout FrameHeader) -> Void = { _ in }
  ) throws -> [UInt8] {
    var bytes = try TraceHeader(codec: .none, description: TraceDescription()).encoded()
    let fileID = try TraceHeader.decodeFixed(bytes).header.fileID
    var frame = FrameHeader(
      kind: .events, count: count, firstOrdinal: 0, number: 0, fileID: fileID)
    frame.kinds = [FrameHeader.KindCount(kind: .mark, count: UInt32(count))]
    frame.codec = codec
    frame.plainSize = UInt32(plain.count)
    frame.storedSize = UInt32(stored?.count ?? plain.count)
    frame.plainHash = XXH64.hash(plain)
    change(&frame)
    bytes += frame.encoded() + (stored ?? plain)
    return bytes
  }

  @Test func absurdSizesAreRefusedBeforeTheyAreAllocated() throws {
    for size: UInt32 in [0, .max, UInt32(TraceLimits.payloadSizeBytes) + 1] {
      let error = try error(handMade([1]) { ($0.plainSize, $0.storedSize) = (size, size) })
      #expect(error.subject == "payload sizes")
    }
    #expect(try error(handMade([1]) { ($0.count, $0.kinds) = (.max, []) }).subject == "frame count")
    #expect(try error(handMade([1]) { $0.firstOrdinal = .max }).subject == "first ordinal")
    #expect(try error(handMade([1]) { $0.kinds[0].count = 5 }).subject == "counts per kind")
  }

  /// 12 MiB of zeros compress to about 1 KiB; the header says 1,000 bytes.
  @Test func aDecompressionBombIsNotInflated() throws {
    let zeros = [UInt8](repeating: 0, count: 12 << 20)
    for codec in [TraceCodec.zstd, .lz4] {
      var compressor = Compressor(codec: codec, level: 1)
      let packed = compressor.compress(zeros).bytes
      let plain = [UInt8](repeating: 0, count: max(1000, packed.count))
      #expect(try error(handMade(plain, stored: packed, codec: codec)).kind == .damaged)
    }
  }

  @Test func payloadsThatLieAreMalformed() throws {
    let events = SampleTrace.events(64)
    let honest = FrameEncoder.payload(of: events).bytes
    for index in honest.indices {
      for value: UInt8 in [0, 1, 0x7F, 0xFF] where honest[index] != value {
        var plain = honest
        plain[index] = value
        // The checksum is right, so only the checks of the content stand between this and memory.
        let file = try TemporaryFile(handMade(plain, count: events.count))
        var reader = try TraceReader(path: file.path)
        do {
          #expect(try SampleTrace.next(100, of: &reader).count == events.count)
        } catch let error as TraceError {
          #expect(error.kind == .malformed || error.kind == .unknownKind, "byte \(index)")
        }
      }
    }
  }

  @Test func anUnknownKindIsNamedWithFrameAndOrdinal() throws {
    var events = [TraceEvent](repeating: TraceEvent(time: 1, kind: .mark), count: 10)
    events[7] = TraceEvent(time: 1, kind: EventKind(rawValue: 0xEE))
    let plain = FrameEncoder.payload(of: events).bytes
    let error = try error(handMade(plain, count: 10))
    #expect(error.kind == .unknownKind)
    #expect(error.frame == 0)
    #expect(error.ordinal == 7)
    #expect(error.found == "kind-238")
  }

  @Test func aCodeWithoutSlotIsNotAnEvent() throws {
    // One event that names slot 1 of a table of one.
    var plain: [UInt8] = []
    EventPayloadHeader(
      baseTime: 0, nanosecondsPerTick: 1, slots: 1, shapes: 1, literalWords: 1, extendedSlots: 0,
      lateTicks: 0, timeWidth: 1
    ).encode(to: &plain)
    ColumnHeader(.constant, count: 1, base: 1).encode(to: &plain)
    for (count, base) in [(1, 0), (0, 0), (0, 0), (0, 0), (0, 0), (1, 1)]
      + [(Int, UInt64)](repeating: (1, 0), count: 9)
    {
      ColumnHeader(.constant, count: count, base: base).encode(to: &plain)
    }
    let error = try error(handMade(plain))
    #expect(error.kind == .malformed)
    #expect(error.subject == "slot code")
  }
}
