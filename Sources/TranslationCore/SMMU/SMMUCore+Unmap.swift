public import EventModel

/// The guest's removal of mappings.
///
/// Tables that run empty stay, as in Linux, where unmapping pages frees no table
/// (drivers/iommu/io-pgtable-arm.c): a leaf-only invalidation may therefore leave a cached pointer to
/// them. They go when the address space gets a new root or a block takes their place.
extension SMMUCore {
  /// Removes every leaf of the range; a block that reaches beyond it is split first. O(1) for one
  /// page; for a range, linear in the tables that hold leaves there.
  @inlinable
  @inline(__always)
  package mutating func unmap(_ event: TraceEvent) {
    unmap(event.word0, event.word2, event.word3)
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
}
