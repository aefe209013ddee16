package import EventModel

/// The fast ITS: (DeviceID, EventID) → target and INTID over flat tables. Proved equal to the
/// reference model's `ITS`.
///
/// | Table | Index | Entry |
/// |---|---|---|
/// | device table | DeviceID | 8 bytes: first entry of the ITT 31:0, number of its EventIDs 63:32 (0: unmapped) |
/// | ITTs | ITT base + EventID | 8 bytes: INTID 23:0, ICID or vPEID 47:32, virtual 48, valid 63 |
/// | places | bits 48:32 of that | 4 bytes: see `ITSPlace` |
///
/// Collection and vPE table are one table of places, which the kind bit of an ITT entry divides: the
/// way from an entry to a target is the same for both. An MSI whose place is `open` takes the fast
/// path; every other one, and every loss, goes through `translateByEveryRule`.
///
/// ITTs lie in one arena of reserved address space; a page of it costs memory when it is touched. What
/// a trace may ask for is bounded by the geometry and by `ittEntryLimit`; a MAPD that asks for more is
/// refused and counted.
///
/// One thread uses it, but for `pending`: see there. Nothing allocates on the heap in `translate`.
@safe
@usableFromInline
package struct ITSCore: ~Copyable {
  @usableFromInline let devices: UnsafeMutablePointer<UInt64>
  @usableFromInline let itts: UnsafeMutablePointer<UInt64>
  @usableFromInline let places: UnsafeMutablePointer<ITSPlace>
  /// Number of DeviceIDs, or 0 while the ITS is disabled.
  @usableFromInline var enabledDeviceCount: UInt32
  @usableFromInline package let pending: PendingTable
  let deviceCount: UInt32
  /// What is OR-ed into a vPEID to give the target: 0x8000 where vPEIDs are vPEs of the trace, 0 where
  /// a design numbers its vPEs by `InterruptTarget`.
  let vPETargetBits: UInt16
  @usableFromInline var counters = ITSCounters()
  /// Commands that were wrong, by error number (Linux include/linux/irqchip/arm-gic-v3.h).
  package internal(set) var commandErrors: [UInt32: UInt64] = [:]

  let eventIDBits: UInt32
  let collectionCount: UInt32
  let vpeCount: UInt32
  let peCount: UInt16
  /// Doorbell INTIDs of virtual entries, in parallel to `itts`. Cold.
  let doorbells: UnsafeMutablePointer<UInt32>
  var arena: ITTArena
  private let devicePages: ZeroedPages
  private let ittPages: ZeroedPages
  private let doorbellPages: ZeroedPages
  private let placePages: ZeroedPages
  /// PEs whose redistributor has GICR_CTLR.EnableLPIs = 0.
  var disabledPEs: Set<UInt16> = []

  /// ITT entries of all devices together: 2²⁷, as many as 65,536 devices of 2,048 events.
  package static let ittEntryLimit = 1 << 27

  /// - Parameter startsEnabled: recordings that begin after the ITS was enabled hold no such store.
  package init(geometry: TableGeometry, vPETargetBits: UInt16 = 0x8000, startsEnabled: Bool = true)
  {
    deviceCount = 1 << UInt32(min(geometry.deviceIDBits, 20))
    eventIDBits = UInt32(min(max(geometry.eventIDBits, 1), 20))
    collectionCount = 1 << UInt32(min(geometry.collectionIDBits, 16))
    vpeCount = 1 << 16
    peCount = max(geometry.peCount, 1)
    self.vPETargetBits = vPETargetBits
    enabledDeviceCount = startsEnabled ? deviceCount : 0
    pending = PendingTable(intidBits: geometry.intidBits)
    arena = ITTArena(capacity: Self.ittEntryLimit)
    devicePages = ZeroedPages(byteCount: Int(deviceCount) * 8)
    ittPages = ZeroedPages(byteCount: Self.ittEntryLimit * 8)
    doorbellPages = ZeroedPages(byteCount: Self.ittEntryLimit * 4)
    placePages = ZeroedPages(byteCount: ITSPlace.count * 4)
    unsafe devices = devicePages.table(of: UInt64.self)
    unsafe itts = ittPages.table(of: UInt64.self)
    unsafe doorbells = doorbellPages.table(of: UInt32.self)
    unsafe places = placePages.table(of: ITSPlace.self)
  }

  /// GITS_CTLR.Enabled.
  package var isEnabled: Bool {
    get { enabledDeviceCount != 0 }
    set { enabledDeviceCount = newValue ? deviceCount : 0 }
  }

  package func addCounters(to work: inout WorkCounters) {
    work.interruptsOffered += counters.translations
    work.deviceTableReads += counters.translations - counters.notLookedUp
    work.ittReads += counters.translations - counters.notLookedUp - counters.noDevice
    let entries =
      counters.translations - counters.notLookedUp - counters.noDevice - counters.noEvent
    work.collectionTableReads += entries - counters.virtualEntries
    work.vPETableReads += counters.virtualEntries
    work.itsCommands += counters.commands
    // Every MSI that reached an open place set its bit or met a set one.
    work.pendingBitsSet += counters.raised - counters.coalesced + counters.pendingBitsSet
    work.doorbellsRaised += counters.doorbells
  }
}

/// The ITS's share of `WorkCounters`. Reads that every translation makes are derived from the few that
/// did not get so far.
@frozen
@usableFromInline
struct ITSCounters: BitwiseCopyable {
  @usableFromInline var translations: UInt64 = 0
  /// Ended before the device table: ITS disabled, DeviceID out of range.
  @usableFromInline var notLookedUp: UInt64 = 0
  /// Ended after the device table: unmapped device, EventID out of range.
  @usableFromInline var noDevice: UInt64 = 0
  @usableFromInline var noEvent: UInt64 = 0
  @usableFromInline var virtualEntries: UInt64 = 0
  /// On the fast path: interrupts raised, and those of them that were pending.
  @usableFromInline var raised: UInt64 = 0
  @usableFromInline var coalesced: UInt64 = 0
  /// On every other path.
  var pendingBitsSet: UInt64 = 0
  var doorbells: UInt64 = 0
  var commands: UInt64 = 0
}
