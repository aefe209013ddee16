import EventModel
import TranslationCore

/// A host whose ITS is GICv5's: what others do by command is a store to a table in memory, and an
/// invalidation by register where the ITS may have cached the entry.
///
/// A virtual entry names a VM and an LPI of it; where that goes is the VM's interrupt state table's to
/// say. The guest is VM 1, a recorded hypervisor's guest VM 2. What of this is inference is listed at
/// `GICv5Core`.
struct GICv5Host: HostInterruptController, ~Copyable {
  private var core: GICv5Core
  /// Routing in the interrupt state tables of both VMs; `nowhere` if an LPI has none.
  private var targets: [UInt32]
  private var vpes: [UInt8]
  var isEnabled = true

  private var offered: UInt64 = 0
  private var pendingBitsSet: UInt64 = 0
  private var doorbells: UInt64 = 0

  private static let nowhere: UInt32 = 0xFFFF_FFFF
  // Bits of `vpes`.
  private static let known: UInt8 = 1
  private static let resident: UInt8 = 2
  private static let doorbellWanted: UInt8 = 4

  init(geometry: TableGeometry) {
    core = GICv5Core(geometry: geometry)
    targets = Array(repeating: Self.nowhere, count: Int(core.pending.count) * 2)
    vpes = Array(repeating: 0, count: 1 << 16)
  }

  static var hasCommandQueue: Bool { false }
  var intidEnd: UInt32 { core.pending.count }

  private static func vm(_ target: InterruptTarget) -> UInt16 { target.isVPE ? 2 : 1 }

  @inline(__always)
  private func slot(_ vm: UInt16, _ lpi: UInt32) -> Int {
    Int(lpi) &+ (vm == 2 ? Int(core.pending.count) : 0)
  }

  // Tables.

  mutating func mapDevice(_ device: UInt32, log2Events: UInt32, isValid: Bool) {
    _ = core.storeDevice(device, log2Events: log2Events, isValid: isValid)
  }

  /// The host's own LPIs are routed by its interrupt state table, which no design asks.
  mutating func mapCollection(_ icid: UInt16, pe: UInt16, isValid: Bool) {}

  mutating func mapEvent(_ device: UInt32, _ event: UInt32, intid: UInt32, icid: UInt16) {
    store(1 << 31 | UInt64(intid & 0xFF_FFFF), device, event)
  }

  mutating func mapVirtualEvent(
    _ device: UInt32, _ event: UInt32, vpe: UInt16, intid: UInt32, doorbell: UInt32
  ) {
    guard intid < core.pending.count else { return }
    let target = InterruptTarget(rawValue: vpe)
    let vm = Self.vm(target)
    store(1 << 31 | 1 << 30 | UInt64(intid) | UInt64(vm) << 32, device, event)
    route(vm, intid, vpe)
  }

  private mutating func store(_ word: UInt64, _ device: UInt32, _ event: UInt32) {
    guard core.storeEvent(event, of: device, word: word) else { return }
    core.invalidateEvent(device: device, event: event)
  }

  private mutating func route(_ vm: UInt16, _ lpi: UInt32, _ vpe: UInt16) {
    targets[slot(vm, lpi)] = UInt32(vpe)
    core.countStateStore()
  }

  /// One store to the interrupt state table; the ITS is not told.
  mutating func moveVirtualEvent(
    _ device: UInt32, _ event: UInt32, vpe: UInt16, doorbell: UInt32?
  ) {
    guard let (vm, lpi) = virtualEntry(device, event) else { return }
    route(vm, lpi, vpe)
  }

  mutating func remove(_ device: UInt32, _ event: UInt32) { store(0, device, event) }

  func mapping(_ device: UInt32, _ event: UInt32)
    -> (intid: UInt32, isVirtual: Bool, place: UInt16)?
  {
    let word = core.storedEvent(event, of: device)
    guard word >> 31 & 1 == 1 else { return nil }
    return (
      UInt32(word & 0xFF_FFFF), word >> 30 & 1 == 1, UInt16(truncatingIfNeeded: word >> 32)
    )
  }

  mutating func mapVPE(_ vpe: UInt16, isValid: Bool) {
    if !isValid {
      vpes[Int(vpe)] = 0
    } else if vpes[Int(vpe)] == 0 {
      vpes[Int(vpe)] = Self.known | Self.resident
    }
  }

  mutating func setResident(_ vpe: UInt16, _ isResident: Bool, wantsDoorbell: Bool) {
    guard vpes[Int(vpe)] != 0 else { return }
    vpes[Int(vpe)] =
      Self.known | (isResident ? Self.resident : 0) | (wantsDoorbell ? Self.doorbellWanted : 0)
  }

  // State of interrupts.

  private func virtualEntry(_ device: UInt32, _ event: UInt32) -> (vm: UInt16, lpi: UInt32)? {
    let word = core.storedEvent(event, of: device)
    guard word >> 30 & 3 == 3 else { return nil }
    return (UInt16(truncatingIfNeeded: word >> 32), UInt32(word & 0xFF_FFFF))
  }

  mutating func raise(_ intid: UInt32, _ target: InterruptTarget) {
    _ = deliver(Self.vm(target), intid)
  }

  func store(configuration: UInt8, _ intid: UInt32, _ target: InterruptTarget) {
    core.pending.store(configuration: configuration, intid, target)
  }
  func refresh(_ intid: UInt32, _ target: InterruptTarget) { core.pending.refresh(intid, target) }
  func refreshConfigurations() { core.pending.refreshConfigurations() }

  @inline(__always)
  func acknowledge(_ intid: UInt32, _ target: InterruptTarget) {
    core.pending.acknowledge(intid, target)
  }

  // Events.

  @inline(__always)
  mutating func translateOnHost(deviceID: UInt32, eventID: UInt32) -> Outcome {
    offered &+= 1
    guard isEnabled else { return Outcome(outcome: .itsDisabled) }
    switch core.translate(device: deviceID, event: eventID) {
    case .virtual(let vm, let lpi): return deliver(vm, lpi)
    case .physical(let lpi):
      return Outcome(intid: lpi, outcome: .delivered, flags: Outcome.takenByHost)
    case .unmappedDevice: return Outcome(outcome: .unmappedDevice)
    case .eventIDOutOfRange: return Outcome(outcome: .eventIDOutOfRange)
    case .unmappedEvent: return Outcome(outcome: .unmappedEvent)
    }
  }

  mutating func translateAgain(deviceID: UInt32, eventID: UInt32) -> Outcome {
    offered -= 1
    return translateOnHost(deviceID: deviceID, eventID: eventID)
  }

  /// The interrupt state table of the VM: where the LPI goes, then its pending bit.
  @inline(__always)
  private mutating func deliver(_ vm: UInt16, _ lpi: UInt32) -> Outcome {
    let word = targets[slot(vm, lpi)]
    guard word != Self.nowhere else { return Outcome(outcome: .unmappedVPE) }
    let target = InterruptTarget(rawValue: UInt16(truncatingIfNeeded: word))
    let vpe = vpes[Int(target.rawValue)]
    guard vpe != 0 else { return Outcome(outcome: .unmappedVPE) }
    let outcome = core.pending.raise(lpi, target)
    var flags: UInt8 = 0
    if outcome != .coalesced {
      pendingBitsSet &+= 1
      if vpe & (Self.resident | Self.doorbellWanted) == Self.doorbellWanted {
        doorbells &+= 1
        flags = Outcome.doorbellRaised
      }
    }
    return Outcome(intid: lpi, target: target, outcome: outcome, flags: flags)
  }

  func addCounters(to work: inout WorkCounters) {
    work.interruptsOffered += offered
    work.irteReads += core.tableReads
    work.tableStores += core.tableStores
    work.entryCacheInvalidations += core.invalidations
    work.pendingBitsSet += pendingBitsSet
    work.doorbellsRaised += doorbells
  }
}
