import CPlatform
import CoreTwin
import EventModel
import TranslationCore

/// An ITS of `devices` × `events`, every event of which is mapped to a vPE, and a batch of MSIs.
///
/// Each event has an interrupt of its own as long as 24 bits of INTID last; 64 in a row go to one of 256
/// vPEs. All are known to be enabled and none is pending when it starts.
@safe
struct MappedITS: ~Copyable {
  private var core: ITSCore
  private let devices: UInt32
  private let events: UInt32
  private let twinTables: CoreTwinInterrupts
  private let requests: UnsafeMutablePointer<ITSRequest>
  private let outcomes: UnsafeMutablePointer<Outcome>
  private let capacity: Int
  private(set) var count = 0
  private var random = SplitMix64(seed: 1)
  private(set) var twinCounters = CoreTwinCounters()

  /// - Parameters:
  ///   - devices, events: powers of two.
  ///   - capacity: MSIs of a batch.
  init(devices: UInt32, events: UInt32, capacity: Int, hasHugePages: Bool = false) {
    var geometry = TableGeometry()
    geometry.intidBits = 24
    core = ITSCore(geometry: geometry, hasHugePages: hasHugePages)
    self.devices = devices
    self.events = events
    self.capacity = capacity
    // Safety: freed by `deinit`; `fill` writes before anything reads, `outcomes` is initialised here.
    unsafe requests = .allocate(capacity: capacity)
    unsafe outcomes = .allocate(capacity: capacity)
    unsafe outcomes.initialize(repeating: Outcome(outcome: .notRecorded), count: capacity)
    // Safety: the tables live as long as `core`.
    unsafe twinTables = CoreTwinInterrupts(core.tables)
    for vPE in 0..<256 as Range<UInt16> { core.mapVPE(vPE, log2INTIDs: 24, isValid: true) }
    let interrupts = UInt32(1) << 24 - INTID.firstLPI.rawValue
    var index: UInt32 = 0
    for device in 0..<devices {
      core.mapDevice(device, log2Events: max(1, UInt32(events.trailingZeroBitCount)), isValid: true)
      for event in 0..<events {
        core.mapVirtualEvent(
          device, event, vpe: UInt16(index >> 6 & 255), intid: INTID.firstLPI.rawValue + index,
          doorbell: INTID.spurious.rawValue)
        index = index + 1 == interrupts ? 0 : index + 1
      }
    }
    warm(min(Int(devices) * Int(events), Int(interrupts)))
  }

  deinit {
    // Safety: allocated by `init`.
    unsafe requests.deallocate()
    unsafe outcomes.deallocate()
  }

  private mutating func warm(_ interrupts: Int) {
    for index in 0..<interrupts {
      let outcome = core.translate(
        deviceID: UInt32(index / Int(events)), eventID: UInt32(index % Int(events)))
      core.pending.acknowledge(outcome.intid, outcome.target)
    }
  }

  /// Fills the batch with MSIs from anywhere in the table.
  mutating func fillAtRandom(limit: Int = .max) {
    count = min(limit, capacity)
    for index in 0..<count {
      let pick = random.next()
      // Safety: below the capacity.
      unsafe requests[index] = ITSRequest(
        deviceID: UInt32(truncatingIfNeeded: pick) & (devices - 1),
        eventID: UInt32(truncatingIfNeeded: pick >> 32) & (events - 1))
    }
  }

  /// Fills the batch with each event of the table once, neighbours apart, as far as there is room.
  mutating func fillWithEach() {
    let total = Int(devices) * Int(events)
    count = min(capacity, total)
    for index in 0..<count {
      let event = UInt32(truncatingIfNeeded: index &* 37 & (total - 1))
      // Safety: below the capacity.
      unsafe requests[index] = ITSRequest(
        deviceID: event % devices, eventID: event / devices)
    }
  }

  // One batch each. They are called, not inlined, like any batch of a design.

  @inline(never)
  mutating func oneByOne() {
    for index in 0..<count {
      // Safety: below the capacity.
      let request = unsafe requests[index]
      unsafe outcomes[index] = core.translate(
        deviceID: request.deviceID, eventID: request.eventID)
    }
  }

  @inline(never)
  mutating func batch(isFar: Bool = false) {
    // Safety: both buffers have room for `count`.
    unsafe core.translateBatch(requests, count: count, into: outcomes, isFar: isFar)
  }

  @inline(never)
  mutating func acknowledge() {
    for index in 0..<count {
      // Safety: below the capacity.
      let outcome = unsafe outcomes[index]
      core.pending.acknowledge(outcome.intid, outcome.target)
    }
  }

  @inline(never)
  mutating func batchInC() {
    // Safety: both types have the layout that their C like has; the tables are those of `core`.
    unsafe requests.withMemoryRebound(to: CoreTwinRequest.self, capacity: count) { requests in
      unsafe outcomes.withMemoryRebound(to: CoreTwinOutcome.self, capacity: count) { outcomes in
        unsafe withUnsafePointer(to: twinTables) { tables in
          unsafe CoreTwin_translate_batch(tables, requests, count, outcomes, &twinCounters)
        }
      }
    }
  }

  @inline(never)
  func acknowledgeInC() {
    // Safety: as above.
    unsafe outcomes.withMemoryRebound(to: CoreTwinOutcome.self, capacity: count) { outcomes in
      unsafe withUnsafePointer(to: twinTables) { tables in
        unsafe CoreTwin_acknowledge(tables, outcomes, count)
      }
    }
  }

  /// A number for all outcomes of the batch and their order.
  func digest() -> UInt64 {
    var digest: UInt64 = 0
    for index in 0..<count {
      // Safety: below the capacity.
      let outcome = unsafe outcomes[index]
      let word =
        UInt64(outcome.intid) | UInt64(outcome.target.rawValue) << 32
        | UInt64(outcome.outcome.rawValue) << 48 | UInt64(outcome.flags) << 56
      digest = (digest ^ word) &* 0x9E37_79B9_7F4A_7C15
      digest ^= digest >> 29
    }
    return digest
  }

  /// How many of the batch found their interrupt not pending and raised it.
  func delivered() -> Int {
    // Safety: below the capacity.
    (0..<count).count { unsafe outcomes[$0].outcome == .delivered }
  }
}

extension CoreTwinInterrupts {
  init(_ tables: ITSCore.Tables) {
    // Safety: the C structures have the layouts that `ITSCore.Tables` names.
    unsafe self.init(
      devices: tables.devices.assumingMemoryBound(to: CoreTwinDevice.self),
      entries: tables.entries.assumingMemoryBound(to: CoreTwinEntry.self),
      gates: tables.gates.assumingMemoryBound(to: CoreTwinGate.self),
      places: tables.places.assumingMemoryBound(to: CoreTwinPlace.self),
      states: tables.states, configurations: tables.configurations,
      known_places: tables.knownPlaces.assumingMemoryBound(to: Int64.self),
      device_count: tables.deviceCount, interrupt_count: tables.interruptCount, doorbell: 0)
  }
}
