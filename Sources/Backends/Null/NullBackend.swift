import EventModel
import Replay

/// Does nothing at all: what it costs is what the harness costs.
struct NullBackend: TranslationBackend, ~Copyable {
  var counters: WorkCounters { WorkCounters() }
  var deliversThroughEventfd: Bool { false }

  mutating func configure(_ event: TraceEvent) {}
  mutating func maintain(_ event: TraceEvent) {}
  mutating func acknowledge(_ event: TraceEvent) {}

  /// A fixed outcome of the right kind, so that the accounts hold.
  mutating func translate(_ event: TraceEvent) -> Outcome {
    Outcome(outcome: event.kind == .msi ? .delivered : .translated)
  }

  mutating func signal(_ event: TraceEvent) -> Signal { Signal(outcome: translate(event)) }
  mutating func inject(route: UInt32) -> Outcome { Outcome(outcome: .delivered) }
  func physicalAddress(ofIntermediate intermediate: UInt64) -> UInt64 { intermediate }
}
