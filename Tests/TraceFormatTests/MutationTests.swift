import EventModel
import TestSupport
import Testing

@testable import TraceFormat

/// Random damage behind right checksums, as a hostile or defective writer would leave it: readers
/// may refuse it with an error, and nothing else.
@Suite struct MutationTests {
  private static func disturb(_ bytes: inout [UInt8], _ random: inout SeededGenerator) {
    let edges: [UInt8] = [0, 1, 0x7F, 0x80, 0xFE, 0xFF]
    for _ in 0...random.next() % 4 {
      let place = Int(random.next() % UInt64(bytes.count))
      let run = min(Int(random.next() % 8) + 1, bytes.count - place)
      let value = edges[Int(random.next() % 6)]
      for index in place..<(place + run) {
        bytes[index] = random.next() % 2 == 0 ? value : UInt8(truncatingIfNeeded: random.next())
      }
    }
  }

  private static func disturb(_ header: inout FrameHeader, _ random: inout SeededGenerator) {
    let value = random.next() % 3 == 0 ? UInt64.max - random.next() % 3 : random.next() % 300
    switch random.next() % 6 {
    case 0: header.count = UInt32(truncatingIfNeeded: value)
    case 1: header.firstOrdinal = value
    case 2: header.number = value
    case 3: header.part = UInt32(truncatingIfNeeded: value)
    case 4: header.kind = [.events, .snapshot, .note, .index][Int(value % 4)]
    default: header.kinds = []
    }
  }

  @Test(arguments: 1...4)
  func sealedDamageIsRefusedOrRead(seed: Int) throws {
    var random = SeededGenerator(seed: UInt64(seed))
    let options = SampleTrace.options(.none, frame: 40)
    let intact = try TracePieces(
      SampleTrace.bytes(SampleTrace.events(120), options, snapshotAt: 60))
    for _ in 0..<250 {
      var pieces = intact
      let frame = Int(random.next() % UInt64(pieces.frames.count))
      switch random.next() % 8 {
      case 0: Self.disturb(&pieces.frames[frame].header, &random)
      case 1: Self.disturb(&pieces.trailer, &random)
      case 2: pieces.frames.swapAt(0, frame)
      case 3: pieces.frames.insert(pieces.frames[frame], at: 0)
      default: Self.disturb(&pieces.frames[frame].plain, &random)
      }
      let bytes = pieces.sealed()
      expectOnlyTraceErrors {
        var reader = try TraceReader(bytes: bytes, name: "mutation")
        let read = try SampleTrace.rest(of: &reader)
        #expect(read.count == 120)
      }
      expectOnlyTraceErrors {
        var reader = try TraceReader(bytes: bytes, name: "mutation")
        try reader.seek(toOrdinal: 77)
        _ = try SampleTrace.rest(of: &reader)
        _ = try reader.snapshot(before: 99)
        _ = try reader.verify()
      }
      expectOnlyTraceErrors {
        var scanner = try TraceScanner(bytes: bytes, name: "mutation")
        while let finding = try scanner.next() {
          if case .frame = finding { _ = scanner.events() }
        }
      }
    }
  }

  private func expectOnlyTraceErrors(_ body: () throws -> Void) {
    do {
      try body()
    } catch {
      #expect(error is TraceError)
    }
  }
}
