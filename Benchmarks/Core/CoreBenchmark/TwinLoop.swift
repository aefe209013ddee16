import Backends
import CoreTwin
import EventModel
import Replay
import TranslationCore

/// The C twin behind the same face as `SwiftLoop`.
///
/// Interrupt set-up is not part of the comparison. A second backend, whose interrupt tables the twin
/// uses, takes those events; the twin sees its own copy of every stream configuration.
@safe
struct TwinLoop: ~Copyable {
  private let twin: OpaquePointer
  private var setUp: DirectLoop

  /// Nil without memory.
  init?(geometry: TableGeometry) {
    setUp = DirectLoop(geometry: geometry)
    let doorbell = setUp.physicalAddress(ofIntermediate: geometry.doorbell)
    // Safety: the tables live as long as `setUp`, which this value owns.
    let tables = unsafe setUp.interruptTables
    let interrupts = unsafe CoreTwinInterrupts(tables, doorbell: doorbell)
    guard let twin = unsafe CoreTwin_create(true, interrupts) else { return nil }
    unsafe self.twin = twin
    unsafe CoreTwin_map_stage2(twin, geometry.itsTranslationPage, doorbell & ~0xFFF, 12)
  }

  // Safety: created by `init`, destroyed once.
  deinit { unsafe CoreTwin_destroy(twin) }

  mutating func run(_ events: UnsafeBufferPointer<TraceEvent>) {
    guard let first = events.baseAddress else { return }
    // Safety: `CoreTwinEvent` has the layout of `TraceEvent`, 48 bytes without padding.
    unsafe first.withMemoryRebound(to: CoreTwinEvent.self, capacity: events.count) {
      unsafe CoreTwin_run(twin, $0, events.count)
    }
  }

  /// Interrupt set-up and stream configurations: in the tables' owner and in the twin.
  mutating func prepare(_ events: UnsafeBufferPointer<TraceEvent>) {
    var ignored = PassTally()
    // Safety: the buffer is the caller's for the time of the calls.
    unsafe setUp.run(events, &ignored)
    unsafe CoreTwin_enable_interrupts(twin, setUp.interruptTables.isEnabled)
    unsafe run(events)
  }

  var tally: PassTally {
    // Safety: `twin` is live.
    let t = unsafe CoreTwin_tally(twin)
    var tally = PassTally()
    tally.accesses = t.accesses
    tally.interrupts = t.interrupts
    tally.acknowledges = t.acknowledges
    tally.delivered = t.delivered
    tally.coalesced = t.coalesced
    tally.masked = t.masked
    tally.lost = t.lost
    tally.digest = t.digest
    return tally
  }

  /// The twin's, with the commands of the set-up that it was spared.
  var counters: WorkCounters {
    // Safety: as above.
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
    counters.interruptsOffered = c.interrupts_offered
    counters.deviceTableReads = c.device_reads
    counters.ittReads = c.entry_reads
    counters.vPETableReads = c.vpe_reads
    counters.pendingBitsSet = c.pending_bits_set
    counters.doorbellsRaised = c.doorbells
    let prepared = setUp.counters
    counters.itsCommands = prepared.itsCommands
    counters.commandTraps = prepared.commandTraps
    counters.configurationTraps = prepared.configurationTraps
    counters.pendingBitsSet += prepared.pendingBitsSet
    counters.doorbellsRaised += prepared.doorbellsRaised
    return counters
  }

  /// Work that the twin does not do: a comparison needs this to be 0.
  var refused: UInt64 { unsafe CoreTwin_counters(twin).refused }
}

extension CoreTwinInterrupts {
  init(_ tables: ITSCore.Tables, doorbell: UInt64) {
    // Safety: the C structures have the layouts that `ITSCore.Tables` names.
    unsafe self.init(
      devices: tables.devices.assumingMemoryBound(to: CoreTwinDevice.self),
      entries: tables.entries.assumingMemoryBound(to: CoreTwinEntry.self),
      gates: tables.gates.assumingMemoryBound(to: CoreTwinGate.self),
      places: tables.places.assumingMemoryBound(to: CoreTwinPlace.self),
      states: tables.states, configurations: tables.configurations,
      known_places: tables.knownPlaces.assumingMemoryBound(to: Int64.self),
      device_count: tables.deviceCount, interrupt_count: tables.interruptCount, doorbell: doorbell)
  }
}
