import EventModel

/// The MSI-X tables of the machine's devices: where each is, whose it is, and what it holds.
///
/// A table is known by the memory region that its writes name; its base is the page of its lowest
/// write, and its owner the function whose BAR holds that page. Writes are rare, so plain arrays do.
/// Bounded by `tableLimit` tables of at most 2048 entries (PCI 3.0, §6.8.2) and `barLimit` BARs.
struct MSIXTables {
  static var tableLimit: Int { 256 }
  static var barLimit: Int { 1024 }
  private static var tableBytes: UInt64 { 2048 * 16 }

  struct Entry: Equatable {
    var address: UInt64 = 0
    var data: UInt32 = 0
    var control: UInt32 = 1
  }

  private struct Table {
    var region: UInt64
    var base: UInt64
    var owner: UInt32
    var entries: [Entry] = []
  }

  private struct BAR {
    var function: UInt32
    var index: UInt64
    var base: UInt64
    var size: UInt64
  }

  private var tables: [Table] = []
  private var bars: [BAR] = []

  mutating func mapBAR(function: UInt32, index: UInt64, base: UInt64, size: UInt64) {
    unmapBAR(function: function, index: index)
    if bars.count < Self.barLimit {
      bars.append(BAR(function: function, index: index, base: base, size: size))
    }
  }

  mutating func unmapBAR(function: UInt32, index: UInt64) {
    bars.removeAll { $0.function == function && $0.index == index }
  }

  /// Stores a write of 4 or 8 bytes; returns the table's owner and the byte offset in the table.
  mutating func write(region: UInt64, address: UInt64, value: UInt64, sizeBytes: UInt64) -> (
    owner: UInt32, offset: UInt32
  ) {
    let page = address & ~0xFFF
    let owner =
      bars.first { address >= $0.base && address - $0.base < $0.size }?.function
      ?? TraceEvent.unknownDevice
    let index: Int
    if let known = tables.firstIndex(where: { $0.region == region }) {
      index = known
    } else {
      if tables.count >= Self.tableLimit { tables.removeFirst() }
      tables.append(Table(region: region, base: page, owner: owner))
      index = tables.count - 1
    }
    let base = tables[index].base
    // Below the base, or farther than a table is long: the BAR moved, or the first write was not to
    // the first page.
    if address < base || address - base >= Self.tableBytes { tables[index].base = page }
    tables[index].owner = owner
    let offset = UInt32(address - tables[index].base)
    store(&tables[index], offset: offset, value: value, sizeBytes: sizeBytes)
    return (owner, offset)
  }

  private func store(_ table: inout Table, offset: UInt32, value: UInt64, sizeBytes: UInt64) {
    let number = Int(offset / 16)
    while table.entries.count <= number { table.entries.append(Entry()) }
    var entry = table.entries[number]
    var word = offset & 12
    for part in 0..<(sizeBytes == 8 ? 2 : 1) {
      let value = UInt32(truncatingIfNeeded: value >> UInt64(32 * part))
      switch word {
      case 0: entry.address = entry.address & ~0xFFFF_FFFF | UInt64(value)
      case 4: entry.address = entry.address & 0xFFFF_FFFF | UInt64(value) << 32
      case 8: entry.data = value
      default: entry.control = value
      }
      word += 4
    }
    table.entries[number] = entry
  }

  /// The entry `vector` of the device's table, if a table of this device was written.
  func entry(owner: UInt32, vector: UInt16) -> Entry? {
    guard let table = tables.first(where: { $0.owner == owner }),
      Int(vector) < table.entries.count
    else { return nil }
    return table.entries[Int(vector)]
  }

  /// The first entry of the device's table that sends this message, unmasked ones first.
  func vector(owner: UInt32, address: UInt64, data: UInt32) -> UInt16? {
    guard let entries = tables.first(where: { $0.owner == owner })?.entries else { return nil }
    let candidates = entries.indices.filter {
      entries[$0].address == address && entries[$0].data == data
    }
    return (candidates.first { entries[$0].control & 1 == 0 } ?? candidates.first)
      .map { UInt16($0) }
  }
}
