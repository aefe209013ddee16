import EventModel
import TestSupport
import Testing

@testable import TraceFormat

@Suite struct RoundTripTests {
  private func expectRoundTrip(
    _ events: [TraceEvent], _ options: TraceWriter.Options, batch: Int = 97
  ) throws {
    let file = try TemporaryFile(SampleTrace.bytes(events, options))
    #expect(try SampleTrace.read(file.path, batch: batch) == events)
  }

  @Test(arguments: TraceCodec.allCases, [1, 2, 3, 100, 65_536])
  func aMixedTraceComesBack(codec: TraceCodec, frame: Int) throws {
    try expectRoundTrip(SampleTrace.events(), SampleTrace.options(codec, frame: frame))
  }

  @Test(arguments: 1...40)
  func everySmallLengthAndEveryBatchSizeComesBack(count: Int) throws {
    let events = SampleTrace.events(count)
    for batch in [1, 2, 3, 7, 41] {
      try expectRoundTrip(events, SampleTrace.options(.none, frame: 9), batch: batch)
    }
  }

  @Test(arguments: TraceCodec.allCases, 1...6)
  func recordsOfRandomBitsComeBack(codec: TraceCodec, seed: Int) throws {
    let records = SampleTrace.randomRecords(3000, seed: UInt64(seed))
    try expectRoundTrip(records, SampleTrace.options(codec, level: 1, frame: 1000))
  }

  /// Few values per field, so that slots, strides and chains all meet.
  @Test(arguments: 1...8)
  func recordsOfFewValuesComeBack(seed: Int) throws {
    var random = SeededGenerator(seed: UInt64(seed))
    let edges: [UInt64] = [0, 1, 64, 0xFFF, 0x1000, .max, .max - 63, 1 << 63]
    let records = (0..<20_000).map { _ in
      var record = SampleTrace.randomRecords(1, seed: random.next() % 5)[0]
      record.time = edges[Int(random.next() % 8)] &+ random.next() % 3
      record.word0 = edges[Int(random.next() % 8)] &+ random.next() % 40 * 64
      record.word1 = random.next() % 3 == 0 ? 0 : record.word0 &+ random.next() % 3 * 0x5000
      return record
    }
    try expectRoundTrip(records, SampleTrace.options(.zstd, level: 1))
  }

  /// More slots than a code of one byte can name.
  @Test func moreSlotsThanCodesComeBack() throws {
    let events = (0..<9000).map { index in
      TraceEvent.dma(
        time: UInt64(index), streamID: 1, iova: UInt64(index % 1500) << 20, outcome: .translated)
    }
    try expectRoundTrip(events, SampleTrace.options(.lz4))
  }

  @Test(arguments: [1, 1000, 999_983, 1 << 40])
  func timesOfAnyResolutionComeBack(step: UInt64) throws {
    let events = (0..<600).map { index in
      TraceEvent(time: 3 &+ UInt64(index * index % 700) &* step, kind: .mark)
    }
    try expectRoundTrip(events, SampleTrace.options(.zstd))
  }

  @Test func aTraceWithoutEventsIsValid() throws {
    let file = try TemporaryFile(SampleTrace.bytes([], SampleTrace.options(.zstd)))
    #expect(try SampleTrace.read(file.path).isEmpty)
    var reader = try TraceReader(path: file.path)
    #expect(try reader.index().entries.isEmpty)
    let totals = reader.totals
    #expect(totals?.events == 0)
  }

  @Test func expectedAddressesBehindAMappingCostNoLiteral() throws {
    var events: [TraceEvent] = []
    for page: UInt64 in 1...200 {
      events.append(
        .map(
          time: page, streamID: 8, asid: 1, iova: page << 12, outputAddress: page * 77 << 12,
          log2SizeBytes: 12, level: 3, granule: .kib4, descriptor: 3))
      events.append(
        .dma(
          time: page, streamID: 8, iova: page << 12 | 0x123,
          expectedAddress: page * 77 << 12 | 0x123,
          outcome: .translated))
    }
    let payload = FrameEncoder.payload(of: events)
    let header = try payload.bytes.cursor { (cursor) throws(TraceError) in
      try EventPayloadHeader(&cursor, eventCount: events.count)
    }
    #expect(header.slots == 400)
    #expect(header.literalWords == 200)
  }

  @Test func aQueueThatIsWalkedTakesTwoSlots() throws {
    let events = (0..<500).map { index in
      TraceEvent.dma(
        time: UInt64(index), streamID: 8, iova: 0x10_0000 + UInt64(index) * 64,
        expectedAddress: 0x90_0000 + UInt64(index) * 64, outcome: .translated)
    }
    var model = SlotModel()
    // Safety: the pointer is used within the call only.
    model.begin(capacity: events.count)
    unsafe events.withUnsafeBufferPointer { unsafe model.add($0) }
    let slots = model.slotCount
    #expect(slots == 2)
  }

  @Test func theWriterRefusesAnUnknownKind() throws {
    let file = try TemporaryFile()
    var writer = try TraceWriter(
      path: file.path, description: TraceDescription(), options: SampleTrace.options(.none))
    try writer.append(TraceEvent(time: 0, kind: EventKind(rawValue: 0xEE)))
    let error = #expect(throws: TraceError.self) { try writer.flush() }
    #expect(error?.kind == .unknownKind)
  }
}
