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
      if unsafe event.pointee.kind.isAccess {
        let answer = unsafe smmu.translate(
          streamID: event.pointee.streamID, address: event.pointee.iova,
          need: SMMUCore.need(event.pointee.flags.rawValue))
        digest = digest &+ (answer.address ^ UInt64(answer.fault))
      } else {
        unsafe maintain(event)
      }
      unsafe event += 1
    }
    return digest
  }

  /// Out of line, so that the compiler keeps the branch between traffic and the rest; three cases,
  /// so that it compares instead of jumping through a table, which mispredicts more.
  @inline(never)
  private mutating func maintain(_ event: UnsafePointer<TraceEvent>) {
    // Safety: the caller's pointer is to a record of its buffer.
    switch unsafe event.pointee.kind {
    case .smmuCommand: unsafe smmu.command(event.pointee.word0, event.pointee.word1)
    case .map: unsafe smmu.map(event.pointee)
    case .unmap: unsafe smmu.unmap(event.pointee)
    default: unsafe configure(event)
    }
  }

  @inline(never)
  private mutating func configure(_ event: UnsafePointer<TraceEvent>) {
    // Safety: as `maintain`.
    if unsafe event.pointee.kind == .streamConfiguration {
      unsafe smmu.configureStream(event.pointee)
    }
  }

  var counters: WorkCounters {
    var counters = WorkCounters()
    smmu.addCounters(to: &counters)
    return counters
  }
}
