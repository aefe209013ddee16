import EventModel

// Walking the tables (IHI 0069, §5.2.3). A flat table is an array. A two-level table's first level
// holds page addresses; a clear V bit there means that the identifiers of that page are not mapped.

extension ITS {
  typealias Condition = ITSError.Condition

  package var deviceIDLimit: UInt64 {
    min(1 << UInt64(configuration.deviceIDBits), registers.deviceTable.capacity)
  }
  package var collectionIDLimit: UInt64 {
    min(1 << UInt64(configuration.collectionIDBits), registers.collectionTable.capacity)
  }
  package var vPEIDLimit: UInt64 {
    min(1 << UInt64(configuration.vPEIDBits), registers.vPETable.capacity)
  }

  /// The address of an entry, or nil if level 1 has no page for it.
  private mutating func address(
    of id: UInt64, in base: TableBase, level1: TableRead.Table
  ) throws(Condition) -> UInt64? {
    guard base.isIndirect else { return base.address + id * base.entrySizeBytes }
    let address =
      base.address + id / base.entriesPerPage * TableBase.level1EntrySizeBytes
    let entry = try load(address, level1)
    guard entry.bit(63) else { return nil }
    let page = entry & .field(~0 as UInt64, 51, 12)
    return page + id % base.entriesPerPage * base.entrySizeBytes
  }

  /// One read of an entry's first doubleword, remembered and counted.
  private mutating func load(
    _ address: UInt64, _ table: TableRead.Table
  ) throws(Condition) -> UInt64 {
    guard memory.isAccessible(address, sizeBytes: 8) else { throw .memoryAborted }
    let value = memory.load(UInt64.self, at: address)
    lastReads.append(TableRead(table: table, address: address, value: value))
    return value
  }

  // MARK: Devices

  /// The entry of a mapped device.
  mutating func device(_ id: DeviceID) throws(Condition) -> DeviceTableEntry {
    guard UInt64(id.rawValue) < deviceIDLimit else { throw .deviceIDOutOfRange }
    let address = try address(
      of: UInt64(id.rawValue), in: registers.deviceTable, level1: .deviceLevel1)
    guard let address else { throw .unmappedDevice }
    let entry = DeviceTableEntry(try load(address, .device))
    guard entry.valid else { throw .unmappedDevice }
    return entry
  }

  mutating func storeDevice(_ id: DeviceID, _ entry: DeviceTableEntry) throws(Condition) {
    guard UInt64(id.rawValue) < deviceIDLimit else { throw .deviceIDOutOfRange }
    let address = try address(
      of: UInt64(id.rawValue), in: registers.deviceTable, level1: .deviceLevel1)
    guard let address else { throw .deviceIDOutOfRange }
    memory.store(entry.word, at: address)
  }

  // MARK: Events

  /// The entry of an event, mapped or not.
  mutating func entry(
    _ event: EventID, of device: DeviceTableEntry
  ) throws(Condition) -> InterruptTranslationEntry {
    guard UInt64(event.rawValue) < device.eventCount else { throw .eventIDOutOfRange }
    let address = Self.entryAddress(event, of: device)
    let low = try load(address, .itt)
    return InterruptTranslationEntry(low: low, high: memory.load(at: address + 8))
  }

  /// The entry of a mapped event: device table, then translation table.
  mutating func mappedEntry(
    _ id: DeviceID, _ event: EventID
  ) throws(Condition) -> (device: DeviceTableEntry, entry: InterruptTranslationEntry) {
    let device = try device(id)
    let entry = try entry(event, of: device)
    guard entry.valid else { throw .unmappedInterrupt }
    return (device, entry)
  }

  mutating func storeEntry(
    _ event: EventID, of device: DeviceTableEntry, _ entry: InterruptTranslationEntry
  ) {
    let address = Self.entryAddress(event, of: device)
    memory.store(entry.low, at: address)
    memory.store(entry.high, at: address + 8)
  }

  private static func entryAddress(_ event: EventID, of device: DeviceTableEntry) -> UInt64 {
    device.ittAddress + UInt64(event.rawValue) * InterruptTranslationEntry.sizeBytes
  }

  // MARK: Collections

  /// The redistributor of a mapped collection.
  mutating func target(ofCollection icid: UInt16) throws(Condition) -> UInt16 {
    guard UInt64(icid) < collectionIDLimit else { throw .collectionOutOfRange }
    let address = try address(
      of: UInt64(icid), in: registers.collectionTable, level1: .collectionLevel1)
    guard let address else { throw .unmappedCollection }
    let entry = CollectionTableEntry(try load(address, .collection))
    guard entry.valid, entry.processor < configuration.peCount else { throw .unmappedCollection }
    return entry.processor
  }

  mutating func storeCollection(_ icid: UInt16, _ entry: CollectionTableEntry) throws(Condition) {
    guard UInt64(icid) < collectionIDLimit else { throw .collectionOutOfRange }
    let address = try address(
      of: UInt64(icid), in: registers.collectionTable, level1: .collectionLevel1)
    guard let address else { throw .collectionOutOfRange }
    memory.store(entry.word, at: address)
  }

  // MARK: vPEs

  /// The entry of a mapped vPE.
  mutating func vPE(_ vPEID: UInt16) throws(Condition) -> VPETableEntry {
    guard UInt64(vPEID) < vPEIDLimit else { throw .vPEIDOutOfRange }
    let address = try address(of: UInt64(vPEID), in: registers.vPETable, level1: .vPELevel1)
    guard let address else { throw .unmappedVPE }
    var words = [try load(address, .vPE)]
    if configuration.version == .v4_1 {
      words += [memory.load(at: address + 8), memory.load(at: address + 16)]
    }
    let entry = VPETableEntry(words)
    guard entry.valid, entry.processor < configuration.peCount else { throw .unmappedVPE }
    return entry
  }

  mutating func storeVPE(_ vPEID: UInt16, _ entry: VPETableEntry) throws(Condition) {
    guard UInt64(vPEID) < vPEIDLimit else { throw .vPEIDOutOfRange }
    let address = try address(of: UInt64(vPEID), in: registers.vPETable, level1: .vPELevel1)
    guard let address else { throw .vPEIDOutOfRange }
    memory.store(entry.words[0], at: address)
    if configuration.version == .v4_1 {
      memory.store(entry.words[1], at: address + 8)
      memory.store(entry.words[2], at: address + 16)
    }
  }
}
