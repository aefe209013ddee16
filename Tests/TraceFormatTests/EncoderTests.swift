import EventModel
import TestSupport
import Testing

@testable import TraceFormat

@Suite struct EncoderTests {
  @Test func exactDivisionAgreesWithDivision() {
    var random = SeededGenerator(seed: 11)
    for divisor: UInt64 in Array(1...300) + [1000, 4096, 10_000_000, 1 << 62, .max >> 1] {
      let division = ExactDivision(by: divisor)
      for _ in 0..<50 {
        let value = random.next() >> (random.next() % 64)
        #expect(division.divides(value) == (value % divisor == 0), "\(value) by \(divisor)")
        let quotient = Int64(truncatingIfNeeded: value) / Int64(divisor)
        let dividend = quotient * Int64(divisor)
        #expect(division.quotient(dividend) == quotient)
      }
      #expect(division.divides(0))
    }
  }

  /// Frames that are unlike one another, while decisions hold: a column may have outgrown its form.
  @Test(arguments: [1, 2, 64])
  func decisionsThatNoLongerFitAreMadeAgain(frames: Int) throws {
    var random = SeededGenerator(seed: UInt64(frames))
    var events: [TraceEvent] = []
    for part in 0..<30 {
      let bits = [0, 3, 20, 55, 64][part % 5]
      for index in 0..<100 {
        let word = bits == 0 ? 7 : random.next() >> UInt64(64 - bits)
        events.append(
          .dma(
            time: UInt64(events.count * (part + 1)), streamID: UInt32(truncatingIfNeeded: word & 7),
            iova: part % 2 == 0 ? word : UInt64(index / 40), expectedAddress: word ^ 0xFFF))
      }
    }
    for codec in TraceCodec.allCases {
      var options = SampleTrace.options(codec, frame: 100)
      options.framesPerDecision = frames
      let file = try TemporaryFile(SampleTrace.bytes(events, options, snapshotAt: 1500))
      #expect(try SampleTrace.read(file.path) == events)
    }
  }

  @Test func theBusiestSlotsGetTheShortCodes() throws {
    // Slot n is used n + 1 times, so of 300 slots the first 44 are left over.
    var events: [TraceEvent] = []
    for slot in 0..<300 {
      for _ in 0...slot {
        events.append(TraceEvent(time: 0, kind: .mark, word0: UInt64(slot) << 20))
      }
    }
    var model = SlotModel()
    model.begin(capacity: events.count)
    // Safety: the pointer is used within the call only.
    unsafe events.withUnsafeBufferPointer { unsafe model.add($0) }
    var codes = SlotCodes()
    codes.number(model)
    #expect(codes.extended.count == (1...44).reduce(0, +))
    #expect(codes.directGaps == [45] + [UInt64](repeating: 1, count: 255))
  }

  @Test func aBufferOfAnyLengthIsWrittenLikeItsEvents() throws {
    let events = SampleTrace.events(1000)
    let expected = try SampleTrace.bytes(events, SampleTrace.options(.none, frame: 64))
    for piece in [1, 63, 64, 65, 200, 1000] {
      let file = try TemporaryFile()
      var writer = try TraceWriter(
        path: file.path, description: SampleTrace.description(),
        options: SampleTrace.options(.none, frame: 64))
      for start in stride(from: 0, to: events.count, by: piece) {
        // Safety: the pointer is used within the call only.
        try unsafe events[start..<min(start + piece, events.count)].withUnsafeBufferPointer {
          unsafe try writer.append(contentsOf: $0)
        }
      }
      _ = try writer.finish()
      #expect(try file.read() == expected)
    }
  }
}
