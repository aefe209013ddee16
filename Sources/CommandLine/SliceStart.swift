import EventModel
import TraceFormat

/// Follows a trace to the range of a slice, for what a replay must know there.
///
///     while !isCovered(next) { start.follow(next) }
///     let (records, leadIn) = start.finish()
///     write(snapshot: records); write(leadIn)
///
/// A snapshot does not hold what caches do. Where something waits for its invalidation at the start of
/// the range, a cache may still give what tables do not; then the slice begins some thousand events
/// earlier, so that its caches are warm.
struct SliceStart {
  /// A lead-in has at least so many events, where there are as many, and less than twice as many.
  static let leadInEvents = 1_024

  /// Before the first event of `recent`, and before the next one.
  private var place: ConfigurationState
  private var here: ConfigurationState
  private var placeTime: UInt64
  private var recent: [TraceEvent] = []
  /// Whether nothing waits for its invalidation after each of them.
  private var isSettled: [Bool] = []

  /// - Parameters:
  ///   - snapshot: what a replay knows where the following begins.
  ///   - time: of the event before.
  init(_ geometry: TableGeometry, from snapshot: [TraceEvent], time: UInt64) {
    place = ConfigurationState(geometry: geometry)
    for record in snapshot { place.apply(record) }
    here = place
    placeTime = time
  }

  mutating func follow(_ event: TraceEvent) {
    here.apply(event)
    recent.append(event)
    isSettled.append(here.isSettled)
    guard recent.count == 2 * Self.leadInEvents else { return }
    // Some recordings hold no invalidations: then it is any place.
    if !moveToLead() { move(over: Self.leadInEvents) }
  }

  /// To the last place with nothing to wait for that has a whole lead-in behind it, if there is one.
  private mutating func moveToLead() -> Bool {
    let spare = max(0, recent.count - Self.leadInEvents)
    guard let last = isSettled[..<spare].lastIndex(of: true) else { return false }
    move(over: last + 1)
    return true
  }

  private mutating func move(over count: Int) {
    guard count > 0 else { return }
    for event in recent[..<count] { place.apply(event) }
    placeTime = recent[count - 1].time
    recent.removeFirst(count)
    isSettled.removeFirst(count)
  }

  /// Records that lead from nothing to the place where the slice begins, and the events from there to the
  /// range.
  consuming func finish() -> (records: [TraceEvent], leadIn: [TraceEvent]) {
    if here.isSettled { move(over: recent.count) } else { _ = moveToLead() }
    return (place.records(at: placeTime), recent)
  }
}
