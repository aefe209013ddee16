import EventModel

/// What a frame's header says about its events.
struct EventSummary {
  private(set) var earliestTime = UInt64.max
  private(set) var latestTime: UInt64 = 0
  /// By kind, twice: neighbours count apart, so that a kind twice in a row does not wait for its own
  /// store.
  private var counts = [UInt32](repeating: 0, count: 512)

  mutating func add(_ events: UnsafeBufferPointer<TraceEvent>) {
    var (earliest, latest) = (earliestTime, latestTime)
    // Safety: indices of the buffer; a kind is a byte.
    unsafe counts.withUnsafeMutableBufferPointer { counts in
      for index in events.indices {
        let (time, kind) = unsafe (events[index].time, events[index].kind)
        unsafe counts[Int(kind.rawValue) | (index & 1) &<< 8] &+= 1
        earliest = min(earliest, time)
        latest = max(latest, time)
      }
    }
    (earliestTime, latestTime) = (earliest, latest)
  }

  func count(of kind: EventKind) -> UInt32 {
    counts[Int(kind.rawValue)] + counts[Int(kind.rawValue) | 256]
  }

  /// Ascending by kind.
  var kinds: [FrameHeader.KindCount] {
    (0..<256).map { EventKind(rawValue: UInt8($0)) }.filter { count(of: $0) > 0 }
      .map { FrameHeader.KindCount(kind: $0, count: count(of: $0)) }
  }
}
