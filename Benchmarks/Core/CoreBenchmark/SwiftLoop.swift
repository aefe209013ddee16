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
    guard var event = events.baseAddress else { return 0 }
    // Safety: from the first to behind the last record of the buffer, which the caller keeps alive.
    let end = unsafe event + events.count
    while unsafe event < end {
      switch unsafe event.pointee.kind {
      case .dma, .msi:
        let answer = unsafe smmu.translate(
          streamID: event.pointee.streamID, address: event.pointee.iova,
          need: SMMUCore.need(event.pointee.flags.rawValue))
        digest = digest &+ (answer.address ^ UInt64(answer.fault))
      case .map: unsafe smmu.map(event.pointee)
      case .unmap: unsafe smmu.unmap(event.pointee)
      case .smmuCommand: unsafe smmu.command(event.pointee.word0, event.pointee.word1)
      case .streamConfiguration: unsafe smmu.configureStream(event.pointee)
      default: break
      }
      unsafe event += 1
    }
    return digest
  }

  var counters: WorkCounters {
    var counters = WorkCounters()
    smmu.addCounters(to: &counters)
    return counters
  }
}
