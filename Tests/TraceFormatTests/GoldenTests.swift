import CLZ4
import CZstd
import EventModel
import Testing

@testable import TraceFormat

/// Small traces of each version, kept for good: they must be read forever, and written again to the
/// byte as long as their version is the current one.
@Suite struct GoldenTests {
  /// The events of the golden files, from literals only: no generator may change them.
  static let events: [TraceEvent] = {
    var events: [TraceEvent] = [
      .itsCommand(
        time: 1000, 0x0000_0008_0000_0008, 0, 0x8000_0000_42E0_C000, 0, origin: .emulator),
      .itsCommand(time: 2000, 0x0000_0008_0000_000A, 0x2000_0000_0000, 0, 0, origin: .emulator),
      .msixTableWrite(
        time: 3000, streamID: 8, deviceID: 8, gpa: 0x1040_0000, offset: 0, value: 0xFFFF_F040,
        origin: .emulator),
      .map(
        time: 9_000_000, streamID: 8, asid: 1, iova: 0xFFFF_B000, outputAddress: 0x4367_8000,
        log2SizeBytes: 12, level: 3, granule: .kib4, descriptor: 0x60_0000_4367_8FC7,
        origin: .emulator),
    ]
    var time: UInt64 = 9_000_000
    for round: UInt64 in 0..<20 {
      for (step, iova) in [(4, 0xFFFF_B020), (7, 0xFFF8_4000 + round * 64)] as [(UInt64, UInt64)] {
        time += step * 1000
        events.append(
          .dma(
            time: time, streamID: 8, iova: iova, flags: [.readable, .writable, .addressRecorded],
            expectedAddress: iova & 0xFFF | (iova >= 0xFFFF_0000 ? 0x4367_8000 : 0x4D50_7000),
            outcome: .translated, origin: .emulator))
      }
      time += round * 50_000
      events.append(
        .msi(
          time: time, streamID: 8, deviceID: 8, address: 0xFFFF_F040, data: 4, vector: 4,
          flags: [.write, .addressRecorded, .interruptRecorded], expectedAddress: 0x0809_0040,
          expectedINTID: 8196, expectedTarget: .pe(3), outcome: .delivered, origin: .emulator))
      events.append(.acknowledge(time: time + 1000, target: .pe(3), intid: 8196, origin: .guest))
      // The guest's clock stands behind the emulator's.
      events.append(.endOfInterrupt(time: time - 500, target: .pe(3), intid: 8196, origin: .guest))
    }
    for (index, kind) in EventKind.all.enumerated() {
      let word = 0x0123_4567_89AB_CDEF &* UInt64(index + 1)
      events.append(
        TraceEvent(
          time: .max - word, kind: kind, word0: word, word1: ~word, word2: word >> 7,
          word3: word << 3, target: .vpe(UInt16(index)), vector: 0xFFFF,
          flags: EventFlags(rawValue: UInt8(index)), outcome: OutcomeClass(rawValue: 0x50),
          origin: .synthetic))
    }
    return events
  }()

  static func path(_ codec: TraceCodec) -> String {
    let folder = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast()
    return folder.joined(separator: "/") + "/Golden/version-1-\(codec).dbtrace"
  }

  static func bytes(_ codec: TraceCodec) throws -> [UInt8] {
    var description = SampleTrace.description()
    description.provenance = [
      ProvenanceEntry("tool", "doorbell"), ProvenanceEntry("note", "golden file of version 1"),
    ]
    var options = SampleTrace.options(codec, frame: 50)
    options.framesPerDecision = 1
    return try SampleTrace.bytes(
      events, options, description: description, snapshotAt: 60)
  }

  @Test(arguments: TraceCodec.allCases)
  func versionOneIsReadForever(codec: TraceCodec) throws {
    var reader = try TraceReader(path: Self.path(codec))
    let header = reader.header
    #expect(header.codec == codec)
    #expect(header.description.provenance.last?.value == "golden file of version 1")
    #expect(header.totals?.events == UInt64(Self.events.count))
    #expect(try SampleTrace.rest(of: &reader) == Self.events)
    let snapshot = try reader.snapshot(before: 70)
    #expect(snapshot?.ordinal == 60)
    #expect(snapshot?.records == Array(Self.events.prefix(5)))
  }

  /// What a codec makes of the same payload depends on its version; everything else is ours.
  @Test(arguments: TraceCodec.allCases)
  func versionOneIsWrittenToTheByte(codec: TraceCodec) throws {
    if codec == .zstd, ZSTD_versionNumber() != 10504 { return }
    if codec == .lz4, LZ4_versionNumber() != 10904 { return }
    let golden = try TemporaryFile.read(Self.path(codec))
    #expect(try Self.bytes(codec) == golden)
  }
}
