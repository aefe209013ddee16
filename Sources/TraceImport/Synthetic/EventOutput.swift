import EventModel

/// Hands events on until there are enough.
struct EventOutput {
  private let limit: UInt64
  private var count: UInt64 = 0
  private static let batch = 4_096

  init(limit: UInt64) { self.limit = limit }

  /// - Returns: whether more are wanted.
  mutating func take(
    _ events: inout [TraceEvent], _ sink: (Span<TraceEvent>) throws -> Void
  ) throws -> Bool {
    let room = limit - count
    if UInt64(events.count) > room { events.removeLast(events.count - Int(room)) }
    if !events.isEmpty { try sink(events.span) }
    count += UInt64(events.count)
    events.removeAll(keepingCapacity: true)
    return count < limit
  }

  /// The same where few events may wait.
  mutating func takeIfMany(
    _ events: inout [TraceEvent], _ sink: (Span<TraceEvent>) throws -> Void
  ) throws -> Bool {
    let isLast = UInt64(events.count) >= limit - count
    return events.count < Self.batch && !isLast ? true : try take(&events, sink)
  }
}
