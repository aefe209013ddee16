package import EventModel

/// An interrupt that a view shows.
struct Sighting: Hashable {
  var time: UInt64
  /// Sightings of one interrupt have the same key in both views.
  var key: UInt64
}

/// The interrupts of a view, by which it can be matched with another.
package struct InterruptSightings: Sendable {
  /// What two views can have in common, the most telling first.
  enum Key: CaseIterable {
    /// The INTID and the CPU that acknowledged it.
    case interrupt
    /// The CPU alone: one view has INTIDs, the other Linux's numbers.
    case processor
    /// Nothing but the times.
    case none
  }

  /// Sightings kept of each kind, 16 bytes each: a million interrupts tell an offset, and the drift as
  /// far as they reach.
  private static var limit: Int { 1 << 20 }

  /// Times from here on are no times: 73 years. Sums and differences of the others fit 64 bits.
  private static var timeLimit: UInt64 { 1 << 61 }

  /// Keys: the INTID, and the CPU in the upper half.
  private var acknowledges: [Sighting] = []
  /// Keys: the CPU in the upper half.
  private var marks: [Sighting] = []
  private var messages: [Sighting] = []

  package init() {}

  /// Takes what the next events of the view show. They come in the order of time.
  package mutating func note(_ events: Span<TraceEvent>) {
    for index in events.indices { note(events[index]) }
  }

  package mutating func note(_ event: TraceEvent) {
    guard event.time < Self.timeLimit else { return }
    let processor = UInt64(event.target.rawValue) << 32
    switch event.kind {
    case .acknowledge where acknowledges.count < Self.limit:
      acknowledges.append(Sighting(time: event.time, key: processor | UInt64(event.intid)))
    case .mark where marks.count < Self.limit:
      marks.append(Sighting(time: event.time, key: processor))
    case .msi where messages.count < Self.limit:
      messages.append(Sighting(time: event.time, key: 0))
    default: return
    }
  }

  /// Empty if the view does not show interrupts by this key.
  func sightings(_ key: Key) -> [Sighting] {
    switch key {
    case .interrupt: return acknowledges
    case .processor:
      return (acknowledges.isEmpty ? marks : acknowledges).map {
        Sighting(time: $0.time, key: $0.key >> 32)
      }
    case .none:
      let shown = [acknowledges, marks, messages].first { !$0.isEmpty } ?? []
      return shown.map { Sighting(time: $0.time, key: 0) }
    }
  }
}
