import EventModel

/// When a writer makes key frames, and what they hold.
///
/// A key frame is due after `interval` events. It waits for a moment at which nothing is without its
/// invalidation, for as many events again at most: some recordings hold no invalidations at all.
struct KeyFrameSchedule {
  private let interval: UInt64
  private var state: ConfigurationState
  private var sinceLast: UInt64 = 0
  private var time: UInt64 = 0

  init(interval: Int, geometry: TableGeometry) {
    precondition(interval > 0)
    self.interval = UInt64(interval)
    state = ConfigurationState(geometry: geometry)
  }

  /// The records of a key frame before the next event, if one is due.
  mutating func dueRecords() -> [TraceEvent]? {
    guard sinceLast >= interval, state.isSettled || sinceLast / 2 >= interval else { return nil }
    sinceLast = 0
    let records = state.records(at: time)
    // More than a reader takes: the state is too large for a key frame, and replays start earlier.
    return records.count <= TraceLimits.snapshotEvents ? records : nil
  }

  mutating func follow(_ event: TraceEvent) {
    state.apply(event)
    time = event.time
    sinceLast += 1
  }

  /// Goes on from a snapshot that somebody else made.
  mutating func restart(from records: [TraceEvent]) {
    state = ConfigurationState(geometry: state.geometry)
    for record in records { state.apply(record) }
    sinceLast = 0
  }
}
