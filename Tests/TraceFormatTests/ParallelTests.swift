import EventModel
import TestSupport
import Testing

@testable import TraceFormat

/// The parallel reader gives what the plain one gives, the same errors at the same places, and ends
/// whenever it is told to.
@Suite struct ParallelTests {
  private static let events = SampleTrace.events(3000, seed: 7)

  private static func bytes(_ codec: TraceCodec, frame: Int) throws -> [UInt8] {
    try SampleTrace.bytes(events, SampleTrace.options(codec, frame: frame), snapshotAt: 1000)
  }

  private func copy(_ reader: inout ParallelTraceReader, _ batch: Int) throws -> [TraceEvent] {
    let buffer = UnsafeMutableBufferPointer<TraceEvent>.allocate(capacity: batch)
    defer { unsafe buffer.deallocate() }
    // Safety: `decode` writes the first `got` records, and only those are copied.
    let got = unsafe try reader.decode(into: buffer)
    return unsafe Array(buffer[..<got])
  }

  private func rest(_ reader: inout ParallelTraceReader, batch: Int) throws -> [TraceEvent] {
    var events: [TraceEvent] = []
    while true {
      let some = try copy(&reader, batch)
      if some.isEmpty { return events }
      events += some
    }
  }

  @Test(arguments: [1, 2, 3, 7])
  func everyThreadCountGivesTheSameEvents(threads: Int) throws {
    for (frame, batch) in [(7, 1), (100, 97), (1000, 1000), (65_536, 4096)] {
      let bytes = try Self.bytes(.lz4, frame: frame)
      var reader = try ParallelTraceReader(
        TraceReader(bytes: bytes, name: "parallel"), threads: threads)
      let all = try rest(&reader, batch: batch)
      #expect(all == Self.events)
      let end = reader.ordinal
      #expect(end == UInt64(Self.events.count))
      let more = try copy(&reader, 5)
      #expect(more.isEmpty)
      let events = reader.totals?.events
      #expect(events == UInt64(Self.events.count))
    }
  }

  @Test func framesComeInPlace() throws {
    let bytes = try Self.bytes(.zstd, frame: 300)
    var reader = try ParallelTraceReader(TraceReader(bytes: bytes, name: "in place"), threads: 2)
    var events: [TraceEvent] = []
    while true {
      // Safety: copied before the next call.
      let frame = unsafe try Array(reader.next())
      if frame.isEmpty { break }
      events += frame
      let ordinal = reader.ordinal
      #expect(ordinal == UInt64(events.count))
    }
    #expect(events == Self.events)
  }

  @Test func itGoesOnWhereAReaderStands() throws {
    let bytes = try Self.bytes(.lz4, frame: 100)
    for start: UInt64 in [0, 1, 99, 100, 1234, 2999, 3000] {
      var plain = try TraceReader(bytes: bytes, name: "start")
      try plain.seek(toOrdinal: start)
      var reader = try ParallelTraceReader(plain, threads: 2)
      let first = reader.ordinal
      #expect(first == start)
      let some = try copy(&reader, 10)
      #expect(some == Array(Self.events[Int(start)...].prefix(10)))
      let all = try rest(&reader, batch: 64)
      #expect(some + all == Array(Self.events[Int(start)...]))
      try reader.rewind()
      let again = try rest(&reader, batch: 500)
      #expect(again == Self.events)
    }
  }

  /// Flip a byte of each frame in turn.
  @Test func anErrorComesAfterEverythingBeforeItAndStays() throws {
    let intact = try Self.bytes(.zstd, frame: 100)
    var random = SeededGenerator(seed: 3)
    for _ in 0..<60 {
      var bytes = intact
      bytes[Int(random.next() % UInt64(bytes.count))] ^= 0x10
      guard var plain = try? TraceReader(bytes: bytes, name: "damaged") else { continue }
      var expected: [TraceEvent] = []
      var plainError: TraceError?
      while plainError == nil {
        do {
          let some = try SampleTrace.next(50, of: &plain)
          if some.isEmpty { break }
          expected += some
        } catch let error as TraceError { plainError = error }
      }
      var reader = try ParallelTraceReader(
        TraceReader(bytes: bytes, name: "damaged"), threads: 3)
      var found: [TraceEvent] = []
      var errors: [TraceError] = []
      while errors.count < 2 {
        do {
          let some = try copy(&reader, 50)
          if some.isEmpty { break }
          found += some
        } catch let failure as TraceError { errors.append(failure) }
      }
      #expect(found == expected)
      #expect(errors.first == plainError)
      #expect(errors.last == plainError)
    }
  }

  /// Workers that wait for a free slot, that read and that decode, all end.
  @Test func itMayGoAwayAtAnyMoment() throws {
    let bytes = try Self.bytes(.zstd, frame: 40)
    for taken in 0..<40 {
      var reader = try ParallelTraceReader(TraceReader(bytes: bytes, name: "early"), threads: 4)
      for _ in 0..<taken { _ = unsafe try reader.next() }
    }
  }

  @Test func memoryIsThatOfTheSlots() throws {
    let bytes = try Self.bytes(.none, frame: 10)
    let pipeline = DecodePipeline(try TraceReader(bytes: bytes, name: "slots"), slotCount: 4)
    #expect(pipeline.slotCount == 4)
    let threads = try DecodeThreads(2, onCPUs: [], pipeline)
    // Nobody takes: the workers fill four slots and wait.
    for frame in 0..<4 {
      let count = unsafe pipeline.take(frame).pointee.count
      #expect(count == 10)
    }
    threads.stop()
    #expect(pipeline.reader.frames.input.offset < UInt64(bytes.count / 2))
  }
}
