import EventModel

/// Stores of which the last in each place counts, in the order in which those last ones came.
struct LastStores: Sendable {
  struct Place: Hashable, Sendable {
    private var words: SIMD4<UInt64>
    init(_ a: UInt64, _ b: UInt64, _ c: UInt64, _ d: UInt64) { words = SIMD4(a, b, c, d) }
  }

  private struct Store: Sendable {
    var number: UInt64
    var event: TraceEvent
  }

  private var stores: [Place: Store] = [:]
  private var next: UInt64 = 0

  /// An event may stand in several places; it is given out once, as long as one of them is its own.
  mutating func store(_ event: TraceEvent, at place: Place) {
    var event = event
    event.time = 0
    stores[place] = Store(number: next, event: event)
    next += 1
  }

  /// Every store that still counts, oldest first.
  var events: [TraceEvent] {
    var events: [TraceEvent] = []
    for store in stores.values.sorted(by: { $0.number < $1.number }) {
      if events.last != store.event { events.append(store.event) }
    }
    return events
  }
}
