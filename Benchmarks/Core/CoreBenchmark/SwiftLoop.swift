import EventModel
import TranslationCore

/// The loop under test, in the shape that a backend gives it: one switch per event.
///
/// The interrupt controller's half joins at `.msi`, after a fault-free translation; the C twin has
/// its counterpart at the same place.
struct SwiftLoop: ~Copyable {
  var smmu: SMMUCore

  init(nested: Bool) {
    var options = SMMUOptions()
    options.nested = nested
    smmu = SMMUCore(geometry: TableGeometry(), options: options)
    smmu.mapStage2(ipa: 0x0809_0000, pa: 0x0809_0000, log2SizeBytes: 16)
  }

  /// - Returns: a digest of all answers.
  @inline(never)
  mutating func run(_ events: UnsafeBufferPointer<TraceEvent>) -> UInt64 {
    var digest: UInt64 = 0
    for index in events.indices {
      // Safety: an index of the buffer, which the caller keeps alive.
      let event = unsafe events[index]
      switch event.kind {
      case .dma, .msi:
        let flags = event.flags.rawValue
        let answer = smmu.translate(
          streamID: event.streamID, address: event.iova, write: flags & 2 != 0,
          read: flags & 1 != 0)
        digest = digest &+ (answer.address ^ UInt64(answer.fault))
      case .map: smmu.map(event)
      case .unmap: smmu.unmap(event)
      case .smmuCommand: smmu.command(event.word0, event.word1)
      case .streamConfiguration: smmu.configureStream(event)
      default: break
      }
    }
    return digest
  }

  var counters: WorkCounters {
    var counters = WorkCounters()
    smmu.addCounters(to: &counters)
    return counters
  }
}
