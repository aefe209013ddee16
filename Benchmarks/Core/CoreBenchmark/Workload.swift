import EventModel
import TraceFormat

/// Events in the order of their arrival, cut where set-up begins and ends.
struct Workload {
  let name: String
  let geometry: TableGeometry
  /// Configuration and first mappings: replayed once, untimed.
  let preparation: [TraceEvent]
  /// Replayed again and again.
  let events: [TraceEvent]
  let pieces: [Piece]

  struct Piece {
    var range: Range<Int>
    /// Interrupt set-up or vCPU life, which is not timed; else traffic and SMMU maintenance.
    var isSetUp: Bool
  }

  init(
    name: String, geometry: TableGeometry = TableGeometry(), preparation: [TraceEvent] = [],
    events: [TraceEvent]
  ) {
    self.name = name
    self.geometry = geometry
    self.preparation = preparation
    self.events = events
    var pieces: [Piece] = []
    for (index, event) in events.enumerated() {
      let isSetUp = event.kind.isSetUp || event.kind.isVCPU
      if let last = pieces.last, last.isSetUp == isSetUp {
        pieces[pieces.count - 1].range = last.range.lowerBound..<index + 1
      } else {
        pieces.append(Piece(range: index..<index + 1, isSetUp: isSetUp))
      }
    }
    self.pieces = pieces
  }

  var timedCount: Int { pieces.reduce(0) { $0 + ($1.isSetUp ? 0 : $1.range.count) } }
}

extension Workload {
  private static let readWrite: UInt64 = 0xF47

  private static func stream(_ streamID: UInt32, asid: UInt16) -> TraceEvent {
    var configuration = StreamConfiguration()
    configuration.asid = asid
    configuration.ttb0 = UInt64(asid) << 12
    return configuration.event(time: 0, streamID: streamID)
  }

  private static func page(_ iova: UInt64, asid: UInt16, to output: UInt64) -> TraceEvent {
    .map(
      time: 0, streamID: 0, asid: asid, iova: iova, outputAddress: output, log2SizeBytes: 12,
      level: 3, granule: .kib4, descriptor: readWrite)
  }

  /// Eight devices with 32 pages each: after the first round every access hits the TLB.
  static func hot(count: Int) -> Workload {
    var random = SplitMix64(seed: 1)
    var preparation: [TraceEvent] = []
    for device in 0..<UInt32(8) {
      preparation.append(stream(device, asid: UInt16(device + 1)))
      for page in 0..<UInt64(32) {
        preparation.append(
          Self.page(
            0xFFFF_0000 - page << 12, asid: UInt16(device + 1),
            to: 0x4000_0000 + UInt64(device) << 20 + page << 12))
      }
    }
    let events = (0..<count).map { _ -> TraceEvent in
      let pick = random.next()
      return .dma(
        time: 0, streamID: UInt32(pick & 7), iova: 0xFFFF_0000 - (pick >> 8 & 31) << 12,
        flags: pick >> 16 & 1 == 0 ? .read : .write)
    }
    return Workload(name: "hot", preparation: preparation, events: events)
  }

  /// One busy device as the NVMe recording shows it: a page is mapped, used about six times among
  /// others, unmapped, invalidated with one TLBI by address and a SYNC. About 15 % of the accesses
  /// miss.
  static func churn(count: Int) -> Workload {
    var random = SplitMix64(seed: 2)
    let preparation = [stream(8, asid: 1)]
    var events: [TraceEvent] = []
    var live: [UInt64] = []
    var next: UInt64 = 0
    while events.count < count {
      if live.count < 32 {
        let iova = 0xFFFF_F000 - (next & 255) << 12
        next += 1
        events.append(page(iova, asid: 1, to: 0x4000_0000 + (random.next() & 0xFFFFF) << 12))
        live.append(iova)
      }
      for _ in 0..<6 {
        let pick = random.next()
        events.append(
          .dma(
            time: 0, streamID: 8, iova: live[Int(pick & 0xFFFF) % live.count] + pick >> 32 & 0xFFC,
            flags: pick >> 20 & 1 == 0 ? .read : .write))
      }
      if live.count == 32 { retire(live.removeFirst(), &events) }
    }
    for iova in live { retire(iova, &events) }
    return Workload(name: "churn", preparation: preparation, events: events)
  }

  private static func retire(_ iova: UInt64, _ events: inout [TraceEvent]) {
    events.append(
      .unmap(
        time: 0, streamID: 8, asid: 1, iova: iova, log2SizeBytes: 12, level: 3, granule: .kib4))
    events.append(.smmuCommand(time: 0, 0x12 | 1 << 48, iova | 1 << 10 | 3 << 8 | 1))
    events.append(.smmuCommand(time: 0, 0x46, 0))
  }

  /// 64 devices over 65,536 pages each in turn: the TLB holds a small part.
  static func thrash(count: Int) -> Workload {
    var random = SplitMix64(seed: 3)
    var preparation: [TraceEvent] = []
    for device in 0..<UInt32(64) {
      preparation.append(stream(device, asid: UInt16(device + 1)))
      for page in 0..<UInt64(2048) {
        preparation.append(
          Self.page(
            page << 12, asid: UInt16(device + 1),
            to: 0x4000_0000 + UInt64(device) << 24 + page << 12))
      }
    }
    let events = (0..<count).map { _ -> TraceEvent in
      let pick = random.next()
      return .dma(
        time: 0, streamID: UInt32(pick & 63), iova: (pick >> 8 & 2047) << 12, flags: .read)
    }
    return Workload(name: "thrash", preparation: preparation, events: events)
  }

  /// All events of a trace.
  static func trace(path: String) throws(TraceError) -> Workload {
    var reader = try TraceReader(path: path)
    var events: [TraceEvent] = []
    let batch = UnsafeMutableBufferPointer<TraceEvent>.allocate(capacity: 4096)
    defer { unsafe batch.deallocate() }
    while true {
      // Safety: `decode` writes the first `count` records, and only those are read.
      let count = unsafe try reader.decode(into: batch)
      if count == 0 { break }
      unsafe events.append(contentsOf: batch[..<count])
    }
    let name = String(path.split(separator: "/").last ?? "trace")
    return Workload(
      name: name, geometry: reader.header.description.geometry, events: events)
  }
}
