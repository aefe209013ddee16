import EventModel
import Replay
import TraceFormat

/// A trace file as a source of events: decoded straight into the caller's buffer.
struct TraceFileSource: EventSource, ~Copyable, @unchecked Sendable {
  // Safety of `@unchecked Sendable`: it cannot be copied, so whoever it was moved to is alone with it.
  private var reader: TraceReader
  /// What a replay plays before the first event.
  private var opening: ArraySource
  let openingCount: Int

  /// - Parameters:
  ///   - path: a trace; "-" is standard input.
  ///   - forReplay: where the trace starts with a snapshot, give its records first, like events. Then
  ///     the source is read from its start only.
  init(path: String, forReplay: Bool = false) throws {
    var reader =
      try path == "-"
      ? TraceReader(descriptor: 0, name: "standard input") : TraceReader(path: path)
    let records = forReplay ? try reader.openingRecords() : []
    opening = ArraySource(records)
    openingCount = records.count
    self.reader = reader
  }

  init(_ reader: consuming TraceReader) {
    self.reader = reader
    opening = ArraySource([])
    openingCount = 0
  }

  var header: TraceHeader { reader.header }
  var totals: TraceTotals? { reader.totals }

  mutating func fill(_ buffer: UnsafeMutableBufferPointer<TraceEvent>) throws -> Int {
    // Safety: the buffer is the caller's for the time of the call.
    let count = unsafe opening.fill(buffer)
    if count > 0 { return count }
    return unsafe try reader.decode(into: buffer)
  }

  mutating func rewind() throws {
    opening.rewind()
    try reader.rewind()
  }
}

extension TraceFileSource {
  /// Goes near the first event that `selection` may take, and says its ordinal. A pipe, or a file
  /// whose index is damaged, is read from its start.
  mutating func start(at selection: EventSelection) throws -> UInt64 {
    guard reader.isSeekable, selection.first > 0 || selection.from != nil,
      let index = try? reader.index()
    else { return 0 }
    if selection.first > 0 {
      let end = index.entries.last?.endOrdinal ?? 0
      try reader.seek(toOrdinal: min(selection.first, end))
    } else if let from = selection.from {
      try reader.seek(toFrameOfTime: UInt64(from.nanoseconds))
    }
    return reader.ordinal
  }

  /// Goes to the last key frame before the first event that `selection` may take, and says its ordinal
  /// and what a replay knows there. A pipe, or a file whose index is damaged, is read from its start.
  mutating func start(
    withStateFor selection: EventSelection
  ) throws -> (start: SliceStart, ordinal: UInt64) {
    let geometry = header.description.geometry
    guard reader.isSeekable, selection.first > 0 || selection.from != nil,
      let index = try? reader.index()
    else { return (SliceStart(geometry, from: try reader.openingRecords(), time: 0), 0) }
    var target = selection.first
    if target == 0, let from = selection.from {
      target =
        index.position(ofTime: UInt64(from.nanoseconds)).map { index.entries[$0].firstOrdinal } ?? 0
    }
    let lead = UInt64(SliceStart.leadInEvents)
    let keyFrame = try reader.keyFrame(before: target - min(target, lead))
    let records = try reader.seek(toKeyFrame: keyFrame)
    return (SliceStart(geometry, from: records, time: keyFrame.time), keyFrame.ordinal)
  }

  /// Ordinals of the events that follow a key frame, but for the first of all; none where there is no index.
  mutating func keyFrameOrdinals() -> Set<UInt64> {
    guard reader.isSeekable, let found = try? reader.keyFrames() else { return [] }
    return Set(found.map(\.ordinal).filter { $0 > 0 })
  }

  /// What a replay knows before the first event.
  mutating func stateAtStart() throws -> ConfigurationState {
    var state = ConfigurationState(geometry: header.description.geometry)
    for record in try reader.openingRecords() { state.apply(record) }
    return state
  }

  /// Gives the rest of the events, some thousand at a time, until `body` answers false.
  mutating func forEachBatch(_ body: (ArraySlice<TraceEvent>) throws -> Bool) throws {
    var batch = [TraceEvent](repeating: TraceEvent(time: 0, kind: .mark), count: 8_192)
    while true {
      // Safety: the pointer is used during the call only.
      let count = unsafe try batch.withUnsafeMutableBufferPointer { unsafe try fill($0) }
      if count == 0 { return }
      guard try body(batch[..<count]) else { return }
    }
  }

  /// The first `limit` events.
  mutating func events(limit: Int) throws -> [TraceEvent] {
    let total = totals.map { min($0.events, UInt64(limit)) }
    var progress = Progress("read")
    defer { progress.finish() }
    var events: [TraceEvent] = []
    var batch = [TraceEvent](repeating: TraceEvent(time: 0, kind: .mark), count: 8_192)
    while events.count < limit {
      // Safety: the pointer is used during the call only.
      let count = unsafe try batch.withUnsafeMutableBufferPointer { unsafe try fill($0) }
      if count == 0 { break }
      events += batch[0..<min(count, limit - events.count)]
      progress.update(UInt64(events.count), of: total)
    }
    return events
  }

  /// Decodes everything, for its checks.
  ///
  /// - Parameter label: what this is to the user.
  mutating func readToEnd(saying label: String) throws {
    let total = totals?.events
    var progress = Progress(label)
    var done: UInt64 = 0
    try forEachBatch { batch in
      done += UInt64(batch.count)
      progress.update(done, of: total)
      return true
    }
    progress.finish()
  }
}
