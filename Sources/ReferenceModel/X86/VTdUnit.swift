// An Intel interrupt-remapping unit: table, interrupt entry cache, processing (VT-d spec, ch. 5).

/// One remapping hardware unit. The table belongs to the unit, not to a device.
package struct VTdUnit: Sendable {
  /// IRTA.Size: the table holds 2^(size + 1) entries of 16 bytes. Linux uses 15.
  package let tableSize: UInt8
  /// IRTA.EIME: destinations are 32-bit x2APIC IDs, and compatibility messages are blocked.
  package var extendedMode: Bool
  /// GSTS.CFIS: compatibility-format messages pass.
  package var compatibilityPasses: Bool
  package var isEnabled = true

  private var table: [UInt32: VTdEntry] = [:]
  /// The interrupt entry cache: what the unit last read, until it is invalidated.
  private var entryCache: [UInt32: VTdEntry] = [:]
  private var descriptors: [UInt64: PostedInterruptDescriptor] = [:]

  package private(set) var entryReads: UInt64 = 0
  package private(set) var entryCacheHits: UInt64 = 0
  package private(set) var invalidations: UInt64 = 0
  package private(set) var faults: [InterruptRemappingFault: UInt64] = [:]

  package init(tableSize: UInt8 = 15, extendedMode: Bool = true, compatibilityPasses: Bool = false)
  {
    precondition(tableSize <= 15)
    self.tableSize = tableSize
    self.extendedMode = extendedMode
    self.compatibilityPasses = compatibilityPasses
  }

  package var entryCount: UInt32 { 1 << (UInt32(tableSize) + 1) }

  package enum Result: Hashable, Sendable {
    /// Sent on unchanged, or as the IRTE says.
    case interrupt(vector: UInt8, destination: UInt32)
    case posted(descriptor: UInt64, vector: UInt8, PostedInterruptDescriptor.Post)
    case fault(InterruptRemappingFault)
  }

  /// Stores an entry, as software does. The cache keeps the old one until `invalidate`.
  package mutating func write(_ entry: VTdEntry, at index: UInt32) {
    precondition(index < entryCount)
    table[index] = entry
  }

  /// Interrupt entry cache invalidation (queued invalidation descriptor type 4): selective with an
  /// index mask (2^mask entries, aligned), or global (index nil).
  package mutating func invalidate(index: UInt32?, mask: UInt8 = 0) {
    invalidations += 1
    guard let index else {
      entryCache.removeAll()
      return
    }
    let size = UInt32(1) << UInt32(min(mask, 31))
    let first = index & ~(size - 1)
    entryCache = entryCache.filter { $0.key < first || $0.key - first >= size }
  }

  /// The descriptor at `address`; a fresh one if software stored none.
  package subscript(descriptor address: UInt64) -> PostedInterruptDescriptor {
    get { descriptors[address] ?? PostedInterruptDescriptor() }
    set { descriptors[address] = newValue }
  }

  /// One interrupt request from `requester` (bus 15:8, device 7:3, function 2:0).
  package mutating func request(_ message: X86Message, requester: UInt16) -> Result {
    guard isEnabled else {
      return .interrupt(vector: message.vector, destination: message.destinationID)
    }
    guard message.isRemappable else {
      guard compatibilityPasses && !extendedMode else { return fail(.compatibilityBlocked) }
      return .interrupt(vector: message.vector, destination: message.destinationID)
    }
    if message.subhandleValid && message.data >> 16 != 0 { return fail(.reservedFieldInRequest) }
    let index = message.interruptIndex
    guard index < entryCount else { return fail(.indexOutOfRange) }
    let entry = fetch(index)
    guard entry.isPresent else { return fail(.notPresent, of: entry) }
    guard entry.reservedBitsAreClear, entry.validation != nil else {
      return fail(.reservedFieldInEntry, of: entry)
    }
    guard entry.accepts(requester: requester) else { return fail(.sourceIDMismatch, of: entry) }
    guard entry.isPosted else {
      let destination = extendedMode ? entry.destination : entry.destination >> 8 & 0xFF
      return .interrupt(vector: entry.vector, destination: destination)
    }
    let address = entry.descriptorAddress
    let post = self[descriptor: address].postByHardware(
      vector: entry.vector, urgent: entry.isUrgent)
    return .posted(descriptor: address, vector: entry.vector, post)
  }

  private mutating func fetch(_ index: UInt32) -> VTdEntry {
    if let cached = entryCache[index] {
      entryCacheHits += 1
      return cached
    }
    entryReads += 1
    let entry = table[index] ?? VTdEntry()
    // An entry that is not present may not be cached (VT-d spec, §6.1.1).
    if entry.isPresent { entryCache[index] = entry }
    return entry
  }

  /// Faulted requests are dropped; they are recorded unless the entry's FPD says not to.
  private mutating func fail(_ fault: InterruptRemappingFault, of entry: VTdEntry? = nil) -> Result
  {
    if entry?.faultProcessingDisabled != true { faults[fault, default: 0] += 1 }
    return .fault(fault)
  }
}
