package import EventModel

/// The fast ITS: (DeviceID, EventID) → target and INTID over flat tables. Proved equal to the
/// reference model's `ITS`.
///
/// | Table | Index | Entry |
/// |---|---|---|
/// | device table | DeviceID | 8 bytes: see `ITSDevice` |
/// | ITTs | ITT base + EventID | 8 bytes: see `ITSEntry` |
/// | gates | `ITSEntry.gate` | 16 bytes: see `ITSGate` |
/// | places | the same | 8 bytes: see `ITSPlace` |
///
/// Collection and vPE table are one table of places, which the kind bit of an ITT entry divides: the
/// way from an entry to a target is the same for both. A gate is closed unless an interrupt may be
/// raised at its place without asking further; those of entries that are not valid are closed always.
/// So an MSI on the fast path, `ITSPath`, loads device, entry and gate and the interrupt's two bytes;
/// every other one, and every loss, goes through `translateByEveryRule`, which asks the place.
///
/// ITTs lie in one arena of reserved address space; a page of it costs memory when it is touched. What
/// a trace may ask for is bounded by the geometry and by `ittEntryLimit`; a MAPD that asks for more is
/// refused and counted.
///
/// With `ITSRules` it is the ITS of a GIC with its redistributors and vPEs: each has a plane of `pending`
/// of its own, by VPT for vPEs, and a place's gate leads to the plane of its target, so that being exact
/// costs an MSI nothing. An LPI may be pending at several redistributors at once; MOVI, MOVALL and VMOVI
/// move bits from plane to plane. Without rules it is a host's own, which the host's software edits
/// (`ITSCore+Host.swift`); an interrupt then has one place, whatever its target.
///
/// One thread uses it, but for `pending`: see there. Nothing allocates on the heap in `translate`.
@safe
@usableFromInline
package struct ITSCore: ~Copyable {
  @usableFromInline let path: ITSPath
  /// Number of DeviceIDs, or 0 while the ITS is disabled.
  @usableFromInline var enabledDeviceCount: UInt32
  @usableFromInline package let pending: PendingTable
  let places: UnsafeMutablePointer<ITSPlace>
  let deviceCount: UInt32
  /// What is OR-ed into a vPEID to give the target: 0x8000 where vPEIDs are vPEs of the trace, 0 where
  /// a design numbers its vPEs by `InterruptTarget`.
  let vPETargetBits: UInt16
  @usableFromInline var counters = ITSCounters()
  /// Commands that had no effect, by opcode and condition.
  package internal(set) var errors: [ITSError: UInt64] = [:]

  let rules: ITSRules?
  let eventIDBits: UInt32
  let collectionCount: UInt32
  let vPECount: UInt32
  /// Doorbell INTIDs of virtual entries, in parallel to `itts`. Cold.
  let doorbells: UnsafeMutablePointer<UInt32>
  var arena: ITTArena
  private let devicePages: ZeroedPages
  private let ittPages: ZeroedPages
  private let doorbellPages: ZeroedPages
  private let placePages: ZeroedPages
  private let gatePages: ZeroedPages
  private let recordPages: ZeroedPages
  private let sgiPages: ZeroedPages
  /// By vPEID.
  let vPERecords: UnsafeMutablePointer<VPERecord>
  /// By plane.
  let virtualSGIs: UnsafeMutablePointer<VirtualSGIs>
  var redistributors: [RedistributorRecord]
  var memory: ITSMemoryMap
  /// The highest INTIDs that may be pending: how far a search goes.
  var highestLPI: UInt32 = 0
  var highestVirtualLPI: UInt32 = 0

  /// ITT entries of all devices together: 2²⁷, as many as 65,536 devices of 2,048 events.
  package static let ittEntryLimit = 1 << 27

  /// - Parameter startsEnabled: recordings that begin after the ITS was enabled hold no such store.
  /// - Parameter rules: nil for a host's own ITS. Else redistributors have their LPIs enabled, and
  ///   nothing is mapped: as the reference model's `ITS.provisioned`.
  /// - Parameter hasHugePages: the tables that an MSI reads lie in pages of 2 MiB where the system has
  ///   them.
  package init(
    geometry: TableGeometry, vPETargetBits: UInt16 = 0x8000, startsEnabled: Bool = true,
    rules: ITSRules? = nil, hasHugePages: Bool = false
  ) {
    self.rules = rules
    deviceCount = 1 << UInt32(min(geometry.deviceIDBits, 20))
    eventIDBits = UInt32(min(max(geometry.eventIDBits, 1), 20))
    collectionCount = 1 << UInt32(min(geometry.collectionIDBits, 16))
    vPECount = 1 << (rules == nil ? 16 : UInt32(min(geometry.vPEIDBits, 16)))
    // Numbers that an `InterruptTarget` has room for.
    let peCount = Int(min(max(geometry.peCount, 1), 0x8000))
    redistributors = Array(repeating: RedistributorRecord(), count: peCount)
    self.vPETargetBits = vPETargetBits
    enabledDeviceCount = startsEnabled ? deviceCount : 0
    let planeCount = rules == nil ? 2 : peCount + Self.vptLimit(intidBits: geometry.intidBits)
    pending = PendingTable(
      intidBits: geometry.intidBits, planeCount: planeCount,
      unstored: rules?.lpisEnabledByDefault == false ? 0 : PendingTable.defaultConfiguration,
      hasHugePages: hasHugePages)
    memory = ITSMemoryMap(firstPlane: peCount + 1, planeCount: planeCount)
    recordPages = ZeroedPages(byteCount: Int(vPECount) * MemoryLayout<VPERecord>.stride)
    sgiPages = ZeroedPages(byteCount: (planeCount + 1) * MemoryLayout<VirtualSGIs>.stride)
    unsafe vPERecords = recordPages.table(of: VPERecord.self)
    unsafe virtualSGIs = sgiPages.table(of: VirtualSGIs.self)
    arena = ITTArena(capacity: Self.ittEntryLimit)
    devicePages = ZeroedPages(byteCount: Int(deviceCount) * 8, isHuge: hasHugePages)
    ittPages = ZeroedPages(byteCount: Self.ittEntryLimit * 8, isHuge: hasHugePages)
    doorbellPages = ZeroedPages(byteCount: Self.ittEntryLimit * 4)
    placePages = ZeroedPages(byteCount: ITSPlace.count * MemoryLayout<ITSPlace>.stride)
    gatePages = ZeroedPages(
      byteCount: ITSPlace.count * MemoryLayout<ITSGate>.stride, isHuge: hasHugePages)
    // Safety: the pages live as long as `self`, and `path` is not handed out without it.
    path = unsafe ITSPath(
      devices: devicePages.table(of: ITSDevice.self), itts: ittPages.table(of: ITSEntry.self),
      gates: gatePages.table(of: ITSGate.self), states: pending.states)
    unsafe doorbells = doorbellPages.table(of: UInt32.self)
    unsafe places = placePages.table(of: ITSPlace.self)
    // Redistributors share one configuration table.
    if rules != nil { for pe in 1...peCount { pending.bind(plane: pe, toConfiguration: 0) } }
  }

  /// VPTs that can be told apart: 65,536, or as many as 64 GiB of address space hold. A VMAPP with one
  /// more is refused.
  private static func vptLimit(intidBits: UInt8) -> Int {
    min(1 << 16, (1 << 36) / (3 << Int(min(max(intidBits, 14), 24))))
  }

  /// GITS_CTLR.Enabled.
  package var isEnabled: Bool {
    get { enabledDeviceCount != 0 }
    set { enabledDeviceCount = newValue ? deviceCount : 0 }
  }

  /// Changes a place and its gate. What entries name there stays what it is.
  func store(_ place: ITSPlace, at index: Int) {
    precondition(index < ITSPlace.count)
    // Safety: just checked.
    var place = place
    unsafe place.note(places[index].highestINTID)
    unsafe places[index] = place
    unsafe path.gates[index] =
      place.isOpen ? ITSGate(states: plane(of: place, at: index), target: place.target) : .closed
  }

  /// Where the pending states of a place's target begin, in bytes.
  private func plane(of place: ITSPlace, at index: Int) -> Int {
    guard rules != nil else { return pending.plane(place.target) }
    return place.target.isVPE
      ? pending.plane(number: vPERecord(UInt16(truncatingIfNeeded: index)).plane)
      : pending.plane(number: plane(ofPE: Int(place.target.number)))
  }

  package func addCounters(to work: inout WorkCounters) {
    // An MSI on the short way read one entry of each table.
    let translations = counters.raised + counters.takenByHost + counters.others
    work.interruptsOffered += translations
    work.deviceTableReads += translations - counters.notLookedUp
    work.ittReads += translations - counters.notLookedUp - counters.noDevice
    let entries = translations - counters.notLookedUp - counters.noDevice - counters.noEvent
    let virtual = counters.raised - counters.raisedPhysical + counters.virtualOthers
    work.collectionTableReads += entries - virtual
    work.vPETableReads += virtual
    work.itsCommands += counters.commands
    work.pendingBitsSet += counters.raised - counters.wasPending + counters.pendingBitsSet
    work.doorbellsRaised += counters.doorbells
  }
}

/// The ITS's share of `WorkCounters`. The short way adds to two or three numbers; the rest is derived.
@frozen
@usableFromInline
struct ITSCounters: BitwiseCopyable {
  /// Interrupts raised on the short way; those of physical entries; those that were pending already.
  @usableFromInline var raised: UInt64 = 0
  @usableFromInline var raisedPhysical: UInt64 = 0
  @usableFromInline var wasPending: UInt64 = 0
  /// Physical ones that were the host's own.
  @usableFromInline var takenByHost: UInt64 = 0
  /// MSIs on every other path.
  var others: UInt64 = 0
  /// Ended before the device table: ITS disabled, DeviceID out of range.
  var notLookedUp: UInt64 = 0
  /// Ended after the device table: unmapped device, EventID out of range.
  var noDevice: UInt64 = 0
  var noEvent: UInt64 = 0
  var virtualOthers: UInt64 = 0
  var pendingBitsSet: UInt64 = 0
  var doorbells: UInt64 = 0
  var commands: UInt64 = 0

  mutating func add(_ run: ITSPath.Run) {
    let count = UInt64(run.count)
    raised += count
    raisedPhysical += count - run.virtual
    wasPending += run.classes - 2 * count
  }
}
