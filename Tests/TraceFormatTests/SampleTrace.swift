import EventModel
import TestSupport

@testable import TraceFormat

/// Events for tests, and short ways to write and read them.
enum SampleTrace {
  /// A small life of a device: every kind of event, queues with strides, polled addresses, mappings
  /// and the accesses behind them, late and backward times.
  static func events(_ count: Int = 400, seed: UInt64 = 1) -> [TraceEvent] {
    var random = SeededGenerator(seed: seed)
    var events: [TraceEvent] = []
    var time: UInt64 = 5_000
    for kind in EventKind.all {
      events.append(
        TraceEvent(
          time: time, kind: kind, word0: 7, word1: kind == .loss ? 0 : 9, word2: 11, word3: 13,
          target: .pe(3), vector: 5, outcome: .notRecorded, origin: .emulator))
    }
    var queue: UInt64 = 0
    while events.count < count {
      time += UInt64.random(in: 0..<40, using: &random) * 1000
      let page = UInt64.random(in: 0..<8, using: &random) << 12
      switch UInt64.random(in: 0..<12, using: &random) {
      case 0: time += 3_000_000
      case 1: time -= 2000
      case 2:
        events.append(
          .map(
            time: time, streamID: 8, asid: 1, iova: 0xFFFF_0000 + page,
            outputAddress: 0x4000_0000 + page * 5, log2SizeBytes: 12, level: 3, granule: .kib4,
            descriptor: 0xFC7))
      case 3:
        events.append(
          .dma(
            time: time, streamID: 8, iova: 0xFFFF_0000 + page, flags: [.write, .addressRecorded],
            expectedAddress: 0x4000_0000 + page * 5, outcome: .translated, origin: .emulator))
      case 4, 5, 6:
        queue = (queue + 64) & 0xFFF
        events.append(
          .dma(
            time: time, streamID: 8, iova: 0xFFF8_0000 + queue, flags: [.read, .addressRecorded],
            expectedAddress: 0x4D60_0000 + queue, outcome: .translated, origin: .emulator))
      default:
        events.append(
          .msi(
            time: time, streamID: 8, deviceID: 8, address: 0xFFFF_F040, data: 4,
            expectedAddress: 0x0809_0040, expectedINTID: 8196, expectedTarget: .pe(2),
            outcome: .delivered, origin: .emulator))
      }
    }
    return Array(events.prefix(count))
  }

  /// Records without any structure: random bits but for the kind.
  static func randomRecords(_ count: Int, seed: UInt64) -> [TraceEvent] {
    var random = SeededGenerator(seed: seed)
    return (0..<count).map { _ in
      let bits = random.next()
      return TraceEvent(
        time: random.next(), kind: EventKind.all[Int(bits >> 40) % EventKind.all.count],
        word0: random.next(), word1: random.next(), word2: random.next(), word3: random.next(),
        target: InterruptTarget(rawValue: UInt16(truncatingIfNeeded: bits)),
        vector: UInt16(truncatingIfNeeded: bits >> 16),
        flags: EventFlags(rawValue: UInt8(truncatingIfNeeded: bits >> 32)),
        outcome: OutcomeClass(rawValue: UInt8(truncatingIfNeeded: bits >> 48)),
        origin: EventOrigin(rawValue: UInt8(truncatingIfNeeded: bits >> 56)))
    }
  }

  static func description() -> TraceDescription {
    var description = TraceDescription()
    description.clockDomain = .emulator
    description.clockResolutionNanoseconds = 1000
    description.epochNanoseconds = 1_795_443_124_000_000_000
    description.clockOffsetNanoseconds = -17
    description.clockDriftPerTrillion = 3
    description.origins = 2
    description.geometry.peCount = 4
    description.geometry.vPECount = 2
    description.provenance = [
      ProvenanceEntry("tool", "doorbell"), ProvenanceEntry("note", "größer ≠ kleiner"),
    ]
    return description
  }

  static func options(
    _ codec: TraceCodec, level: Int = 3, frame: Int = TraceLimits.eventsPerFrame
  ) -> TraceWriter.Options {
    var options = TraceWriter.Options()
    options.codec = codec
    options.level = codec == .lz4 ? 1 : level
    options.eventsPerFrame = frame
    return options
  }

  /// The bytes of a trace of `events`.
  static func bytes(
    _ events: [TraceEvent], _ options: TraceWriter.Options,
    description: TraceDescription = description(), snapshotAt: Int? = nil
  ) throws -> [UInt8] {
    let file = try TemporaryFile()
    var writer = try TraceWriter(path: file.path, description: description, options: options)
    for (index, event) in events.enumerated() {
      if index == snapshotAt {
        try writer.appendSnapshot(Array(events.prefix(5)))
        try writer.appendNote([ProvenanceEntry("clock", "aligned here")])
      }
      try writer.append(event)
    }
    _ = try writer.finish()
    return try file.read()
  }

  /// All events of a trace file, in batches of `batch`.
  static func read(_ path: String, batch: Int = 97) throws -> [TraceEvent] {
    var reader = try TraceReader(path: path)
    return try rest(of: &reader, batch: batch)
  }

  static func rest(of reader: inout TraceReader, batch: Int = 97) throws -> [TraceEvent] {
    var events: [TraceEvent] = []
    while true {
      let some = try next(batch, of: &reader)
      if some.isEmpty { return events }
      events += some
    }
  }

  /// One call of `decode`.
  static func next(_ count: Int, of reader: inout TraceReader) throws -> [TraceEvent] {
    let buffer = UnsafeMutableBufferPointer<TraceEvent>.allocate(capacity: count)
    defer { unsafe buffer.deallocate() }
    // Safety: `decode` writes the first `got` records, and only those are copied.
    let got = unsafe try reader.decode(into: buffer)
    return unsafe Array(buffer[..<got])
  }
}

extension FrameEncoder {
  /// The payload of one frame without a codec.
  static func payload(of events: [TraceEvent]) -> Payload {
    var encoder = FrameEncoder(codec: .none, level: 0)
    encoder.encode(events)
    return encoder.payload
  }
}
