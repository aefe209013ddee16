import Backends
import EventModel
import Replay
import TranslationCore

/// Doorbell's own loop of the design `direct`, and what it added up.
struct SwiftLoop: ~Copyable {
  private var loop: DirectLoop
  private(set) var tally = PassTally()

  init(geometry: TableGeometry) { loop = DirectLoop(geometry: geometry) }

  mutating func run(_ events: UnsafeBufferPointer<TraceEvent>) {
    // Safety: the buffer is the caller's for the time of the call.
    unsafe loop.run(events, &tally)
  }

  var counters: WorkCounters { loop.counters }
  var refused: UInt64 { loop.smmuRefusals.total }
}
