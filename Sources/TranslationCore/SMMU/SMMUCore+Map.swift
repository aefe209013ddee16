public import EventModel

/// The guest's page-table stores: real descriptors in real tables.
///
/// A leaf replaces whatever stood in its place, a table below it included.
extension SMMUCore {
  /// Stores the leaves of a record: one, or up to a table full. O(levels) for the first leaf of a
  /// table, else O(1) each.
  @inlinable
  @inline(__always)
  package mutating func map(_ event: TraceEvent) {
    map(event.word0, event.word1, event.word2, event.word3, event.flags.rawValue)
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
    // An output of more than 48 bits is rare, and stands in a descriptor in two parts.
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
    let outputLimit: UInt64 = shape.isWide ? 1 << 52 : 1 << 48
    guard address < shape.inputLimit, size <= shape.inputLimit - address, output < outputLimit,
      size <= outputLimit - output
    else {
      refusals.addressOutOfRange += 1
      return
    }
    for offset in stride(from: 0, to: size, by: 1 << shift) {
      unsafe store(
        leaf: shape.field(output + offset) | attributes & ~3 | type,
        at: address + offset, level: level, in: space)
    }
    if !isBacked(output) { unsafe back(output, log2, space.pointee) }
  }

  /// The space that a record's owner word (VMID, ASID in its upper half) and stage name; 0 if it
  /// has no tables.
  @inline(__always)
  mutating func spaceNumber(_ owner: UInt64, _ geometry: UInt64) -> Int {
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
}
