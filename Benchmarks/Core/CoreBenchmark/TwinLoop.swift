import CoreTwin
import EventModel

/// The C twin behind the same face as `SwiftLoop`.
@safe
struct TwinLoop: ~Copyable {
  private let twin: OpaquePointer

  init?(nested: Bool) {
    guard let twin = unsafe CoreTwin_create(nested) else { return nil }
    unsafe self.twin = twin
    if nested { unsafe CoreTwin_map_stage2(twin, 0x0809_0000, 0x0809_0000, 16) }
  }

  // Safety: created by `init`, destroyed once.
  deinit { unsafe CoreTwin_destroy(twin) }

  /// - Returns: a digest of all answers.
  mutating func run(_ events: UnsafeBufferPointer<TraceEvent>) -> UInt64 {
    guard let first = events.baseAddress else { return 0 }
    // Safety: `CoreTwinEvent` has the layout of `TraceEvent`, 48 bytes without padding.
    return unsafe first.withMemoryRebound(to: CoreTwinEvent.self, capacity: events.count) {
      unsafe CoreTwin_run(twin, $0, events.count)
    }
  }

  var counters: WorkCounters {
    let c = unsafe CoreTwin_counters(twin)
    var counters = WorkCounters()
    counters.accesses = c.accesses
    counters.configurationCacheMisses = c.configuration_misses
    counters.steReads = c.ste_reads
    counters.cdReads = c.cd_reads
    counters.tlbMisses = c.tlb_misses
    counters.stage1DescriptorReads = c.stage1_reads
    counters.stage2DescriptorReads = c.stage2_reads
    counters.stage2TLBMisses = c.stage2_tlb_misses
    counters.smmuCommands = c.commands
    counters.smmuFaults = c.faults
    counters.descriptorWrites = c.descriptor_writes
    return counters
  }

  /// Work that the twin does not do: a comparison needs this to be 0.
  var refused: UInt64 { unsafe CoreTwin_counters(twin).refused }
}
