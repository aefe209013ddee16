package import EventModel

/// The fast ITS of GICv5: tables in memory that software edits, invalidation registers, no command
/// queue. Its device and translation tables are proved equal to `ReferenceModel.GICv5ITS`.
///
///   device table entry        as the header's L2 entry: Valid 0 · ITT place 55:3 · EventID bits 63:59
///   translation table entry   LPI 23:0 · Virtual 30 · Valid 31 · VM 47:32
///
/// Pending and enabled bits, which are the interrupt state table's, are in `pending`; its routing is the
/// caller's.
///
/// Sources: Linux include/linux/irqchip/arm-gic-v5.h, drivers/irqchip/irq-gic-v5-its.c. UNVERIFIED, since
/// Arm AES 0070 was not read, and no figure may rest on it alone:
///
/// - a virtual entry names a VM (the header says so); that its vPE is a property of the interrupt's
///   state in the VM's IST, so that moving a vLPI stores one IST entry and touches no ITS table;
/// - that an event which finds no valid entry is dropped without a trace;
/// - that an entry which is not valid is never cached, so that making one valid needs no invalidation.
///   Linux invalidates all the same, and so does a caller of this core;
/// - what the unit caches, and how much: here every entry that was read, until it is invalidated.
///
/// One thread uses it, but for `pending`. Nothing allocates on the heap in `translate`.
@safe
@usableFromInline
package struct GICv5Core: ~Copyable {
  /// Entries as software stored them, and as the unit last read them (0: not read).
  @usableFromInline let devices: UnsafeMutablePointer<UInt64>
  @usableFromInline let cachedDevices: UnsafeMutablePointer<UInt64>
  @usableFromInline let entries: UnsafeMutablePointer<UInt64>
  @usableFromInline let cachedEntries: UnsafeMutablePointer<UInt64>
  @usableFromInline let deviceCount: UInt32
  @usableFromInline package let pending: PendingTable
  private let eventIDBits: UInt32
  private var arena: ITTArena
  private let devicePages: ZeroedPages
  private let entryPages: ZeroedPages

  @usableFromInline package internal(set) var tableReads: UInt64 = 0
  package private(set) var tableStores: UInt64 = 0
  package private(set) var invalidations: UInt64 = 0
  /// Reads of STATUSR.IDLE: one after each invalidation or synchronisation at least.
  package private(set) var polls: UInt64 = 0

  package static let entryLimit = 1 << 26
  @usableFromInline static var valid: UInt64 { 1 << 31 }
  @usableFromInline static var virtual: UInt64 { 1 << 30 }

  package init(geometry: TableGeometry) {
    deviceCount = 1 << UInt32(min(geometry.deviceIDBits, 20))
    eventIDBits = UInt32(min(max(geometry.eventIDBits, 1), 16))
    pending = PendingTable(intidBits: geometry.intidBits)
    arena = ITTArena(capacity: Self.entryLimit)
    devicePages = ZeroedPages(byteCount: Int(deviceCount) * 16)
    entryPages = ZeroedPages(byteCount: Self.entryLimit * 16)
    // Safety: two tables fill each of the two mappings, which live as long as the core.
    unsafe devices = devicePages.table(of: UInt64.self)
    unsafe cachedDevices = devices + Int(deviceCount)
    unsafe entries = entryPages.table(of: UInt64.self)
    unsafe cachedEntries = entries + Self.entryLimit
  }

  /// What an entry says.
  @frozen
  @usableFromInline
  package enum Found: Hashable, Sendable {
    case physical(lpi: UInt32)
    case virtual(vm: UInt16, lpi: UInt32)
    case unmappedDevice
    case eventIDOutOfRange
    case unmappedEvent
  }

  /// Device table, then translation table.
  @inlinable
  package mutating func translate(device: UInt32, event: UInt32) -> Found {
    guard device < deviceCount else { return .unmappedDevice }
    // Safety: the device was checked; a valid device entry's place and bits lie in the arena, and the
    // event is below them.
    var deviceEntry = unsafe cachedDevices[Int(device)]
    if deviceEntry == 0 {
      tableReads &+= 1
      deviceEntry = unsafe devices[Int(device)]
      guard deviceEntry & 1 == 1 else { return .unmappedDevice }
      unsafe cachedDevices[Int(device)] = deviceEntry
    }
    guard event &>> UInt32(truncatingIfNeeded: deviceEntry &>> 59) == 0 else {
      return .eventIDOutOfRange
    }
    let place = Int(deviceEntry &>> 3 & 0x1F_FFFF_FFFF_FFFF) &+ Int(event)
    var entry = unsafe cachedEntries[place]
    if entry == 0 {
      tableReads &+= 1
      entry = unsafe entries[place]
      guard entry & Self.valid != 0 else { return .unmappedEvent }
      unsafe cachedEntries[place] = entry
    }
    let lpi = UInt32(truncatingIfNeeded: entry) & 0xFF_FFFF
    return entry & Self.virtual != 0
      ? .virtual(vm: UInt16(truncatingIfNeeded: entry &>> 32), lpi: lpi) : .physical(lpi: lpi)
  }

  // What software does. A store is not seen before its invalidation if the old entry was cached.

  /// Stores a device's entry and invalidates the device, so that a translation table can be taken back;
  /// the new one is fresh. False if there is no room.
  package mutating func storeDevice(_ device: UInt32, log2Events: UInt32, isValid: Bool) -> Bool {
    guard device < deviceCount, !isValid || log2Events <= eventIDBits else { return false }
    // Safety: checked above; an entry's run lies in the arena.
    let old = unsafe devices[Int(device)]
    tableStores += 1
    if old & 1 == 1 {
      let first = Int(old >> 3 & 0x1F_FFFF_FFFF_FFFF)
      let bits = UInt32(old >> 59)
      unsafe (entries + first).update(repeating: 0, count: 1 << bits)
      invalidateDevice(device)
      arena.release(UInt32(first), log2Count: bits)
    }
    unsafe devices[Int(device)] = 0
    guard isValid else { return true }
    guard let first = arena.allocate(log2Count: log2Events) else { return false }
    unsafe devices[Int(device)] = 1 | UInt64(first) << 3 | UInt64(log2Events) << 59
    if old & 1 == 0 { invalidateDevice(device) }
    return true
  }

  private func place(_ device: UInt32, _ event: UInt32) -> Int? {
    guard device < deviceCount else { return nil }
    // Safety: checked above.
    let entry = unsafe devices[Int(device)]
    guard entry & 1 == 1, event >> UInt32(entry >> 59) == 0 else { return nil }
    return Int(entry >> 3 & 0x1F_FFFF_FFFF_FFFF) + Int(event)
  }

  /// EventIDs of a device, 0 if it has no table.
  package func eventCount(of device: UInt32) -> UInt32 {
    guard device < deviceCount else { return 0 }
    // Safety: checked above.
    let entry = unsafe devices[Int(device)]
    return entry & 1 == 1 ? 1 << UInt32(entry >> 59) : 0
  }

  /// Stores an entry as the table holds it. False if the device has no such event.
  package mutating func storeEvent(_ event: UInt32, of device: UInt32, word: UInt64) -> Bool {
    guard let place = place(device, event) else { return false }
    // Safety: `place` gives an index within the device's run.
    unsafe entries[place] = word
    tableStores += 1
    return true
  }

  /// The entry as software reads it back; 0 if there is none.
  package func storedEvent(_ event: UInt32, of device: UInt32) -> UInt64 {
    guard let place = place(device, event) else { return 0 }
    // Safety: `place` gives an index within the device's run.
    return unsafe entries[place]
  }

  /// A store to the interrupt state table, which this core does not hold: counted.
  package mutating func countStateStore() { tableStores += 1 }

  /// DIDR, EIDR, then INV_EVENTR; poll STATUSR.
  package mutating func invalidateEvent(device: UInt32, event: UInt32) {
    invalidations += 1
    polls += 1
    guard let place = place(device, event & 0xFFFF) else { return }
    // Safety: `place` gives an index within the device's run.
    unsafe cachedEntries[place] = 0
  }

  /// DIDR, then INV_DEVICER: the device's entry and all its events; poll STATUSR.
  package mutating func invalidateDevice(_ device: UInt32) {
    invalidations += 1
    polls += 1
    guard device < deviceCount else { return }
    // Safety: checked above; an entry's run lies in the arena.
    unsafe cachedDevices[Int(device)] = 0
    let entry = unsafe devices[Int(device)]
    guard entry & 1 == 1 else { return }
    unsafe (cachedEntries + Int(entry >> 3 & 0x1F_FFFF_FFFF_FFFF))
      .update(repeating: 0, count: 1 << Int(entry >> 59))
  }
}
