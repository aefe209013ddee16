/// The trees that leaves stand in: descending, making tables on the way, giving them back.
extension SMMUCore {
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
      unsafe release(tree: child, level + 1, space)
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
  private mutating func addLeaf(_ path: InlineArray<4, UInt64>, _ level: UInt8, _ startLevel: UInt8)
  {
    var level = Int(level)
    while true {
      // Safety: the path holds offsets of tables, so the index is below the arena's page count.
      let count = unsafe liveCounts + Int(path[level] >> 12)
      unsafe count.pointee += 1
      if unsafe count.pointee > 1 || level == Int(startLevel) { return }
      level -= 1
    }
  }

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
      unsafe release(tree: space.pointee.root, space.pointee.shape.startLevel, space)
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
  @inline(never)
  mutating func release(
    tree table: UInt64, _ level: UInt8, _ space: UnsafeMutablePointer<AddressSpace>
  ) {
    // Safety: as `store`.
    let shape = unsafe space.pointee.shape
    let isRoot = unsafe table == space.pointee.root
    let log2 = isRoot ? shape.rootLog2Bytes : shape.granuleShift
    if level < 3 {
      for slot in stride(from: table, to: table + 1 << UInt64(log2), by: 8) {
        let descriptor = arena.load(slot)
        if descriptor & 3 == Descriptor.tableOrPage {
          let child = unsafe (descriptor & Descriptor.addressMask) - space.pointee.tableBase
          unsafe release(tree: child, level + 1, space)
        }
      }
    }
    // Safety: `table` is the offset of a table.
    unsafe liveCounts[Int(table >> 12)] = 0
    arena.release(table, log2Bytes: log2)
  }
}
