package import EventModel
import ReferenceModel
import Replay

/// The guest's own machine, slow and readable, as the judge of every design: whatever a host does, the
/// guest must see what its own SMMU and ITS would have given it.
package struct ReferenceOracle: OutcomeOracle {
  private var machine: ReferenceMachine

  package init(geometry: TableGeometry) { machine = ReferenceMachine(geometry) }

  package mutating func apply(_ event: TraceEvent) -> Outcome? { machine.apply(event) }

  package func describe(_ event: TraceEvent) -> String {
    guard event.kind == .msi else { return "      tables: stage 1 of StreamID \(event.streamID)" }
    let device = machine.its.devices.filter { $0.id.rawValue == event.deviceID }
    let mapping = machine.its.mappings.filter {
      $0.deviceID.rawValue == event.deviceID && $0.eventID.rawValue == event.data
    }
    return """
            device table: \(device.map { "\($0)" }.joined(separator: "; "))
            translation table: \(mapping.map { "\($0)" }.joined(separator: "; "))
            collections: \(machine.its.collections.map { "\($0)" }.joined(separator: "; "))
      """
  }
}

/// What the reference model says about each event of a trace: asked once, however many designs are held
/// against it.
package struct ReferenceAnswers: Sendable {
  package let events: [TraceEvent]
  let geometry: TableGeometry
  let outcomes: [Outcome?]

  package init(_ events: [TraceEvent], geometry: TableGeometry) {
    self.events = events
    self.geometry = geometry
    var oracle = ReferenceOracle(geometry: geometry)
    outcomes = events.map { oracle.apply($0) }
  }
}

/// Reads the answers aloud, in order.
struct AnsweredOracle: OutcomeOracle {
  private let answers: ReferenceAnswers
  private var next = 0

  init(_ answers: ReferenceAnswers) { self.answers = answers }

  mutating func apply(_ event: TraceEvent) -> Outcome? {
    defer { next += 1 }
    return answers.outcomes[next]
  }

  /// Brings a model to where the reading stands, since the answers hold no tables.
  func describe(_ event: TraceEvent) -> String {
    var oracle = ReferenceOracle(geometry: answers.geometry)
    for event in answers.events[..<next] { _ = oracle.apply(event) }
    return oracle.describe(event)
  }
}
