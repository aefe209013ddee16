package import EventModel
package import Replay
package import TranslationCore

/// The loop of `direct` alone, piece by piece of a trace: for comparing it with its like in another
/// language. Measurements of designs go through `BackendRunner`.
package struct DirectLoop: ~Copyable {
  private var backend: ArmBackend<OwnedVLPI, ITSCore>

  package init(geometry: TableGeometry) {
    backend = ArmBackend(geometry: geometry, smmu: SMMUOptions())
  }

  @inline(never)
  package mutating func run(
    _ events: UnsafeBufferPointer<TraceEvent>, _ tally: inout PassTally
  ) {
    // Safety: the buffer is the caller's for the time of the call.
    unsafe replay(events, through: &backend, &tally)
  }

  package var counters: WorkCounters { backend.counters }

  /// Records and commands that the SMMU refused.
  package var smmuRefusals: SMMURefusals { backend.smmu.refusals }

  /// The tables that an MSI reads and writes. They live as long as this value.
  package var interruptTables: ITSCore.Tables { unsafe backend.its.tables }

  package func physicalAddress(ofIntermediate intermediate: UInt64) -> UInt64 {
    backend.physicalAddress(ofIntermediate: intermediate)
  }
}
