package import EventModel

/// The fast ITS: (DeviceID, EventID) → target and INTID over flat tables. Proved equal to the
/// reference model's `ITS`.
///
/// | Table | Index | Entry |
/// |---|---|---|
/// | device table | DeviceID | 8 bytes: first entry of the ITT 31:0, number of its EventIDs 63:32 (0: unmapped) |
/// | ITTs | ITT base + EventID | 8 bytes: valid 0, virtual 1, INTID 31:8, ICID or vPEID 47:32 |
/// | collection table | ICID | 4 bytes: PE 15:0, LPIs enabled 30, valid 31 |
/// | vPE table | vPEID | 4 bytes: bits of the vINTID 4:0, resident 29, doorbell wanted 30, valid 31 |
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
  @usableFromInline let collections: UnsafeMutablePointer<UInt32>
  @usableFromInline let vpes: UnsafeMutablePointer<UInt32>
  @usableFromInline let deviceCount: UInt32
  @usableFromInline package let pending: PendingTable
  /// GITS_CTLR.Enabled.
  @usableFromInline package var isEnabled: Bool
  /// What is OR-ed into a vPEID to give the target: 0x8000 where vPEIDs are vPEs of the trace, 0 where
  /// a design numbers its vPEs by `InterruptTarget`.
  @usableFromInline let vPETargetBits: UInt16
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
  private let collectionPages: ZeroedPages
  private let vpePages: ZeroedPages
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
    isEnabled = startsEnabled
    pending = PendingTable(intidBits: geometry.intidBits)
    arena = ITTArena(capacity: Self.ittEntryLimit)
    devicePages = ZeroedPages(byteCount: Int(deviceCount) * 8)
    ittPages = ZeroedPages(byteCount: Self.ittEntryLimit * 8)
    doorbellPages = ZeroedPages(byteCount: Self.ittEntryLimit * 4)
    collectionPages = ZeroedPages(byteCount: Int(collectionCount) * 4)
    vpePages = ZeroedPages(byteCount: Int(vpeCount) * 4)
    unsafe devices = devicePages.table(of: UInt64.self)
    unsafe itts = ittPages.table(of: UInt64.self)
    unsafe doorbells = doorbellPages.table(of: UInt32.self)
    unsafe collections = collectionPages.table(of: UInt32.self)
    unsafe vpes = vpePages.table(of: UInt32.self)
  }

  // Entry bits.
  @usableFromInline static var valid: UInt32 { 1 << 31 }
  @usableFromInline static var lpisEnabled: UInt32 { 1 << 30 }
  @usableFromInline static var doorbellWanted: UInt32 { 1 << 30 }
  @usableFromInline static var resident: UInt32 { 1 << 29 }
  @usableFromInline static var log2INTIDs: UInt32 { 0x1F }

  package func addCounters(to work: inout WorkCounters) {
    work.interruptsOffered += counters.translations
    work.deviceTableReads += counters.translations - counters.notLookedUp
    work.ittReads += counters.translations - counters.notLookedUp - counters.noDevice
    let entries =
      counters.translations - counters.notLookedUp - counters.noDevice - counters.noEvent
    work.collectionTableReads += entries - counters.virtualEntries
    work.vPETableReads += counters.virtualEntries
    work.itsCommands += counters.commands
    work.pendingBitsSet += counters.pendingBitsSet
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
  @usableFromInline var pendingBitsSet: UInt64 = 0
  @usableFromInline var doorbells: UInt64 = 0
  var commands: UInt64 = 0
}
