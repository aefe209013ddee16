public import EventModel

/// The guest's page-table stores: real descriptors in real tables.
///
/// A leaf replaces whatever stood in its place, a table below it included. Tables that run empty
/// stay, as in Linux, where unmapping pages frees no table (drivers/iommu/io-pgtable-arm.c): a
/// leaf-only invalidation may therefore leave a cached pointer to them. They go when the address
/// space gets a new root or a block takes their place.
extension SMMUCore {
  /// Stores the leaves of a record: one, or up to a table full. O(levels) for the first leaf of a
  /// table, else O(1) each.
  @inlinable
  @inline(__always)
  package mutating func map(_ event: TraceEvent) {
    map(event.word0, event.word1, event.word2, event.word3, event.flags.rawValue)
  }

  /// Removes every leaf of the range; a block that reaches beyond it is split first. O(1) for one
  /// page; for a range, linear in the tables that hold leaves there.
  @inlinable
  @inline(__always)
  package mutating func unmap(_ event: TraceEvent) {
    unmap(event.word0, event.word2, event.word3)
  }

  /// The words of a map record: IOVA, output address, owner, geometry and attributes.
  ///
  /// The commonest record first: one page of the stage 1 that the record before was about, in a table
  /// that holds leaves and took one of late, with an output that needs nothing in stage 2.
  @usableFromInline
  @inline(never)
  mutating func map(
    _ address: UInt64, _ output: UInt64, _ owner: UInt64, _ geometry: UInt64, _ flags: UInt8
  ) {
    // Safety: the number found last is that of a space; 0 has no geometry. `table` is a table of the
    // space at level 3, and `pageOffset` lies inside it.
    let space = unsafe spaces.last
    if owner &>> 32 == spaces.lastKey, geometry & Self.contiguousInGeometry == 0,
      unsafe UInt32(truncatingIfNeeded: geometry & 0x3_FFFF) == space.pointee.pageGeometry,
      unsafe (address | output) & space.pointee.pageMask == 0, isBacked(output),
      geometry & 0xFFF &<< 32 != 0
    {
      let table = unsafe leafTables.find(
        address, space.pointee.tableShift, space: spaces.lastNumber)
      let live = unsafe liveCounts + Int(truncatingIfNeeded: table &>> 12)
      if unsafe live.pointee != 0 {
        let slot = unsafe table &+ space.pointee.pageOffset(address)
        if arena.load(slot) == 0 { unsafe live.pointee &+= 1 }
        arena.store(slot, output | Self.leafAttributes(geometry) | Descriptor.tableOrPage)
        counters.descriptorWrites &+= 1
        return
      }
    }
    mapAny(address, output, owner, geometry, flags)
  }

  @inline(never)
  private mutating func mapAny(
    _ address: UInt64, _ output: UInt64, _ owner: UInt64, _ geometry: UInt64, _ flags: UInt8
  ) {
    let number = spaceNumber(owner, geometry)
    if number == 0 {
      refusals.unknownAddressSpace += 1
      return
    }
    // Safety: a number that the table gave is an index of `spaces`.
    let space = unsafe spaces.spaces + number
    guard let (level, shift) = unsafe leafGeometry(geometry, &space.pointee) else {
      refusals.badGeometry += 1
      return
    }
    let attributes = Self.leafAttributes(geometry)
    let type = level == 3 ? Descriptor.tableOrPage : Descriptor.block
    guard geometry & 0xFF == shift, attributes & Descriptor.contiguous == 0, attributes != 0,
      (address | output) & (1 &<< shift &- 1) == 0, output < 1 << 48,
      unsafe address < space.pointee.shape.inputLimit
    else {
      unsafe mapRun(
        address, output, attributes, geometry & 0xFF, EventFlags(rawValue: flags), level, shift,
        type, in: space)
      return
    }
    unsafe store(leaf: output | attributes & ~3 | type, at: address, level: level, in: space)
    if !isBacked(output) { unsafe back(output, shift, space.pointee) }
  }

  /// Where `Descriptor.contiguous` stands in a map record's last word.
  private static var contiguousInGeometry: UInt64 { 1 << 50 }

  /// Descriptor bits 11:0 and 63:50 from a map record's last word: `TraceEvent.leafAttributes`.
  @inline(__always)
  private static func leafAttributes(_ geometry: UInt64) -> UInt64 {
    (geometry &>> 32) & 0xFFF | ((geometry &>> 48) & 0x3FFF) &<< 50
  }

  /// The general case: several leaves, the contiguous bit (which promises a whole run), attributes
  /// that the recording does not know, and everything that is wrong with a record.
  @inline(never)
  private mutating func mapRun(
    _ address: UInt64, _ output: UInt64, _ recorded: UInt64, _ recordedLog2: UInt64,
    _ flags: EventFlags, _ level: UInt8, _ shift: UInt64, _ type: UInt64,
    in space: UnsafeMutablePointer<AddressSpace>
  ) {
    // Safety: as `map`.
    let shape = unsafe space.pointee.shape
    var attributes = recorded
    if attributes == 0 {
      let readOnly = flags.contains(.readable) && !flags.contains(.writable)
      attributes = Descriptor.linuxMemory | (readOnly ? Descriptor.readOnly : 0)
    }
    var (log2, address, output) = (recordedLog2, address, output)
    if attributes & Descriptor.contiguous != 0 {
      log2 = max(log2, shift + shape.contiguousLog2(level))
      address &= ~0 << log2
      output &= ~0 << log2
    }
    let size = UInt64(1) << log2
    guard log2 <= shift + UInt64(shape.bitsPerLevel) else {
      refusals.badGeometry += 1
      return
    }
    guard (address | output) & (1 << shift - 1) == 0 else {
      refusals.misaligned += 1
      return
    }
    guard address < shape.inputLimit, size <= shape.inputLimit - address, output < 1 << 48,
      size <= 1 << 48 - output
    else {
      refusals.addressOutOfRange += 1
      return
    }
    for offset in stride(from: 0, to: size, by: 1 << shift) {
      unsafe store(
        leaf: (output + offset) | attributes & ~3 | type, at: address + offset, level: level,
        in: space)
    }
    if !isBacked(output) { unsafe back(output, log2, space.pointee) }
  }

  /// The words of an unmap record; the commonest first, as in `map`.
  @usableFromInline
  @inline(never)
  mutating func unmap(_ address: UInt64, _ owner: UInt64, _ geometry: UInt64) {
    // Safety: as `map`; a number other than 0 goes with the key that found it.
    let space = unsafe spaces.last
    if owner &>> 32 == spaces.lastKey,
      unsafe geometry & 0x3_00FF == 1 << 16 | UInt64(space.pointee.shape.granuleShift),
      unsafe clearPage(address, in: space, spaces.lastNumber)
    {
      return
    }
    unmapAny(address, owner, geometry)
  }

  @inline(never)
  private mutating func unmapAny(_ address: UInt64, _ owner: UInt64, _ geometry: UInt64) {
    let number = spaceNumber(owner, geometry)
    if number == 0 {
      refusals.unknownAddressSpace += 1
      return
    }
    // Safety: as `map`.
    let space = unsafe spaces.spaces + number
    let shape = unsafe space.pointee.shape
    guard address < shape.inputLimit else {
      refusals.addressOutOfRange += 1
      return
    }
    // Whole granules only: no leaf is smaller.
    let log2 = max(geometry & 0xFF, UInt64(shape.granuleShift))
    let first = address & (~0 << UInt64(shape.granuleShift))
    let rest = shape.inputLimit - 1 - first
    let last = first + (log2 < 64 ? min(1 << log2 - 1, rest) : rest)
    let root = unsafe space.pointee.root
    _ = unsafe clear(table: root, shape.startLevel, first, last, space)
  }

  /// The space that a record's owner word (VMID, ASID in its upper half) and stage name; 0 if it
  /// has no tables.
  @inline(__always)
  private mutating func spaceNumber(_ owner: UInt64, _ geometry: UInt64) -> Int {
    let stage = (geometry &>> 16) & 3
    // The upper half of the owner word is the stage-1 key as it stands.
    let key = owner &>> 32
    let number = spaces.number(
      of: stage == 2 ? AddressSpace.stage2(vmid: UInt16(truncatingIfNeeded: key &>> 16)) : key)
    // Safety: as `map`; number 0 is a space without tables.
    return unsafe (stage == 1 || stage == 2) && spaces.spaces[number].root != 0 ? number : 0
  }

  /// Level and log2 size of the leaf that the record describes, if the space's tables can hold it.
  @inline(__always)
  private func leafGeometry(
    _ word: UInt64, _ space: inout AddressSpace
  ) -> (level: UInt8, shift: UInt64)? {
    // Size, level and granule: bits 15:0. Bit 16 tells that the value was checked.
    let geometry = UInt32(truncatingIfNeeded: word & 0xFFFF) | 1 << 16
    if geometry != space.knownGeometry {
      let level = UInt8(truncatingIfNeeded: (word >> 8) & 0xF)
      guard level <= 3, level >= space.shape.startLevel, space.shape.allowsLeaf(level),
        word & 0xFF >= space.shape.shift(level), word & 0xFF <= 48,
        (word >> 12 & 0xF) * 2 + 10 == UInt64(space.shape.granuleShift)
      else { return nil }
      space.knownGeometry = geometry
      space.leafLevel = level
      space.leafShift = UInt8(space.shape.shift(level))
      if level == 3, word & 0xFF == UInt64(space.shape.granuleShift) {
        space.pageGeometry = geometry
      }
    }
    return (space.leafLevel, UInt64(space.leafShift))
  }

  // MARK: Stores

  /// Stores a leaf whose place was checked; refuses it when the arena has no room for its tables.
  @inline(__always)
  mutating func store(
    leaf: UInt64, at address: UInt64, level: UInt8, in space: UnsafeMutablePointer<AddressSpace>
  ) {
    // Safety: the callers pass a pointer into `spaces`; `find` gives a table of this space at level 3
    // (or 0, which is no table and has no leaves), and `pageOffset` lies inside it.
    let number = unsafe space - spaces.spaces
    if level == 3 {
      let table = unsafe leafTables.find(address, space.pointee.tableShift, space: number)
      let live = unsafe liveCounts + Int(truncatingIfNeeded: table &>> 12)
      if unsafe live.pointee != 0 {
        let slot = unsafe table &+ space.pointee.pageOffset(address)
        if arena.load(slot) == 0 { unsafe live.pointee &+= 1 }
        arena.store(slot, leaf)
        counters.descriptorWrites &+= 1
        return
      }
    }
    unsafe descend(toStore: leaf, at: address, level: level, in: space)
  }

  @inline(never)
  private mutating func descend(
    toStore leaf: UInt64, at address: UInt64, level: UInt8,
    in space: UnsafeMutablePointer<AddressSpace>
  ) {
    // Safety: as `store`.
    let shape = unsafe space.pointee.shape
    let base = unsafe space.pointee.tableBase
    var path = InlineArray<4, UInt64>(repeating: 0)
    var table = unsafe space.pointee.root
    var current = shape.startLevel
    path[Int(current)] = table
    while current < level {
      let slot = table + shape.descriptorOffset(address, current)
      let descriptor = arena.load(slot)
      if descriptor & 3 == Descriptor.tableOrPage {
        table = (descriptor & Descriptor.addressMask) - base
      } else {
        guard let made = arena.allocate(log2Bytes: shape.granuleShift) else {
          refusals.arenaFull += 1
          return
        }
        // A block that stood here no longer counts as a leaf of this table; the new one will.
        if descriptor != 0 { unsafe liveCounts[Int(table >> 12)] -= 1 }
        arena.store(slot, (base + made) | Descriptor.tableOrPage)
        counters.descriptorWrites &+= 1
        table = made
      }
      current += 1
      path[Int(current)] = table
    }
    let slot = table + shape.descriptorOffset(address, level)
    let old = arena.load(slot)
    if level < 3, old & 3 == Descriptor.tableOrPage {
      let child = (old & Descriptor.addressMask) - base
      let wasLive = unsafe liveCounts[Int(child >> 12)] != 0
      unsafe release(tree: child, level + 1, space.pointee)
      leafTables.forgetAll()
      if !wasLive { addLeaf(path, level, shape.startLevel) }
    } else if old == 0 {
      addLeaf(path, level, shape.startLevel)
    }
    arena.store(slot, leaf)
    counters.descriptorWrites &+= 1
    if level == 3 {
      unsafe leafTables.insert(
        table, address, space.pointee.tableShift, space: space - spaces.spaces)
    }
  }

  /// Counts a new leaf in its table and, where a table was empty so far, in the tables above.
  private func addLeaf(_ path: InlineArray<4, UInt64>, _ level: UInt8, _ startLevel: UInt8) {
    var level = Int(level)
    while true {
      // Safety: the path holds offsets of tables, so the index is below the arena's page count.
      let count = unsafe liveCounts + Int(path[level] >> 12)
      unsafe count.pointee += 1
      if unsafe count.pointee > 1 || level == Int(startLevel) { return }
      level -= 1
    }
  }

  /// Clears one page through a table that took a leaf of late; false if none is known, or if the page
  /// is the table's last leaf, which changes the counts above it, too.
  @inline(__always)
  private mutating func clearPage(
    _ address: UInt64, in space: UnsafeMutablePointer<AddressSpace>, _ number: Int
  ) -> Bool {
    // Safety: as `store`.
    let table = unsafe leafTables.find(address, space.pointee.tableShift, space: number)
    let live = unsafe liveCounts + Int(truncatingIfNeeded: table &>> 12)
    guard unsafe live.pointee > 1 else { return false }
    let slot = unsafe table &+ space.pointee.pageOffset(address)
    if arena.load(slot) == 0 { return true }
    unsafe live.pointee &-= 1
    arena.store(slot, 0)
    counters.descriptorWrites &+= 1
    return true
  }

  /// Clears the leaves in `first`…`last`; true if the table is empty afterwards.
  private mutating func clear(
    table: UInt64, _ level: UInt8, _ first: UInt64, _ last: UInt64,
    _ space: UnsafeMutablePointer<AddressSpace>
  ) -> Bool {
    // Safety: as `store`; `table` is the offset of a table of this space.
    let shape = unsafe space.pointee.shape
    let base = unsafe space.pointee.tableBase
    let shift = shape.shift(level)
    let live = unsafe liveCounts + Int(table >> 12)
    var address = first
    var slot = table + shape.descriptorOffset(first, level)
    while unsafe live.pointee != 0 {
      let end = min(address | (1 << shift - 1), last)
      var descriptor = arena.load(slot)
      if descriptor & 3 == Descriptor.block, end - address != 1 << shift - 1,
        let smaller = unsafe split(descriptor, level, space)
      {
        descriptor = (base + smaller) | Descriptor.tableOrPage
        arena.store(slot, descriptor)
        counters.descriptorWrites &+= 1
      }
      if level < 3, descriptor & 3 == Descriptor.tableOrPage {
        let child = (descriptor & Descriptor.addressMask) - base
        if unsafe liveCounts[Int(child >> 12)] != 0,
          unsafe clear(table: child, level + 1, address, end, space)
        {
          unsafe live.pointee -= 1
        }
      } else if descriptor != 0 {
        arena.store(slot, 0)
        counters.descriptorWrites &+= 1
        unsafe live.pointee -= 1
      }
      if end == last { break }
      address = end + 1
      slot += 8
    }
    return unsafe live.pointee == 0
  }

  /// A table of smaller leaves that map what the block maps. Nil, with the refusal counted, when
  /// the arena is full: the block then goes as a whole.
  private mutating func split(
    _ block: UInt64, _ level: UInt8, _ space: UnsafeMutablePointer<AddressSpace>
  ) -> UInt64? {
    // Safety: as `store`.
    let shape = unsafe space.pointee.shape
    guard let table = arena.allocate(log2Bytes: shape.granuleShift) else {
      refusals.arenaFull += 1
      return nil
    }
    let count = UInt64(1) << UInt64(shape.bitsPerLevel)
    let type = level + 1 == 3 ? Descriptor.tableOrPage : Descriptor.block
    let template = block & ~3 & ~Descriptor.contiguous | type
    for index in 0..<count {
      arena.store(table + index << 3, template + index << shape.shift(level + 1))
    }
    counters.descriptorWrites &+= count
    unsafe liveCounts[Int(table >> 12)] = UInt32(count)
    return table
  }

  // MARK: Trees

  /// The root of a space with this form and recorded base: the present one if both are the same,
  /// else a new, empty tree. 0, with the refusal counted, at the arena's limit.
  mutating func makeRoot(
    _ number: Int, _ shape: TableShape, recordedBase: UInt64, tableBase: UInt64
  ) -> UInt64 {
    // Safety: a number that the table gave is an index of `spaces`.
    let space = unsafe spaces.spaces + number
    if unsafe space.pointee.root != 0, unsafe space.pointee.shape == shape,
      unsafe space.pointee.recordedBase == recordedBase
    {
      return unsafe space.pointee.root
    }
    if unsafe space.pointee.root != 0 {
      unsafe release(tree: space.pointee.root, space.pointee.shape.startLevel, space.pointee)
      leafTables.forgetAll()
      unsafe space.pointee.root = 0
    }
    unsafe space.pointee.forgetGeometry()
    guard let root = arena.allocate(log2Bytes: shape.rootLog2Bytes) else {
      refusals.arenaFull += 1
      return 0
    }
    unsafe space.pointee.setShape(shape)
    unsafe space.pointee.recordedBase = recordedBase
    unsafe space.pointee.tableBase = tableBase
    unsafe space.pointee.root = root
    return root
  }

  /// Gives a table and all tables below it back to the arena. The caller then forgets `leafTables`.
  private mutating func release(tree table: UInt64, _ level: UInt8, _ space: AddressSpace) {
    let isRoot = table == space.root
    let log2 = isRoot ? space.shape.rootLog2Bytes : space.shape.granuleShift
    if level < 3 {
      for slot in stride(from: table, to: table + 1 << UInt64(log2), by: 8) {
        let descriptor = arena.load(slot)
        if descriptor & 3 == Descriptor.tableOrPage {
          release(tree: (descriptor & Descriptor.addressMask) - space.tableBase, level + 1, space)
        }
      }
    }
    // Safety: `table` is the offset of a table.
    unsafe liveCounts[Int(table >> 12)] = 0
    arena.release(table, log2Bytes: log2)
  }
}
