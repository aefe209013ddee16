import EventModel
import Replay
import TraceFormat

/// A trace file as a source of events: decoded straight into the caller's buffer.
struct TraceFileSource: EventSource, ~Copyable, @unchecked Sendable {
  // Safety of `@unchecked Sendable`: it cannot be copied, so whoever it was moved to is alone with it.
  private var reader: TraceReader

  init(path: String) throws { reader = try TraceReader(path: path) }

  var header: TraceHeader { reader.header }
  var totals: TraceTotals? { reader.totals }

  mutating func fill(_ buffer: UnsafeMutableBufferPointer<TraceEvent>) throws -> Int {
    // Safety: the buffer is the caller's for the time of the call.
    unsafe try reader.decode(into: buffer)
  }

  mutating func rewind() throws { try reader.rewind() }
}

extension TraceFileSource {
  /// The first `limit` events.
  mutating func events(limit: Int) throws -> [TraceEvent] {
    var events: [TraceEvent] = []
    var batch = [TraceEvent](repeating: TraceEvent(time: 0, kind: .mark), count: 8_192)
    while events.count < limit {
      // Safety: the pointer is used during the call only.
      let count = unsafe try batch.withUnsafeMutableBufferPointer { unsafe try fill($0) }
      if count == 0 { break }
      events += batch[0..<min(count, limit - events.count)]
    }
    return events
  }

  /// Decodes everything, for its checks.
  mutating func readToEnd() throws {
    var batch = [TraceEvent](repeating: TraceEvent(time: 0, kind: .mark), count: 8_192)
    // Safety: the pointer is used during the call only.
    while unsafe try batch.withUnsafeMutableBufferPointer({ unsafe try fill($0) }) > 0 {}
  }
}
