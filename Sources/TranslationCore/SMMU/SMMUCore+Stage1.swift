/// Stage 1: VA → IPA, or VA → PA if stage 2 does not translate (Arm ARM DDI 0487, D8.2; IHI 0070,
/// §5.4).
extension SMMUCore {
  /// From the last-level table where its place is known, else from a remembered table or the root.
  @inline(__always)
  mutating func walkStage1(
    _ address: UInt64, _ stream: Stream, _ context: Context
  ) -> Stage1Result {
    // Safety: the pointers are to stream and context of the access.
    // A table that hardware writes to is walked down to, so that stage 2 sees the write.
    if walkCache.isEnabled,
      unsafe context.pointee.flags.isDisjoint(with: [.updatesAccessFlag, .walksDisabled]),
      unsafe address < context.pointee.limit, let descriptor = unsafe readPiece(address, context)
    {
      guard descriptor & 3 == Descriptor.tableOrPage else {
        return Stage1Result(fault: fail(SMMUEvent.translation))
      }
      return unsafe stage1Leaf(descriptor, 3, at: 0, limits: 0, address, stream, context)
    }
    return unsafe walkStage1FromTable(address, stream, context)
  }

  @inline(never)
  private mutating func walkStage1FromTable(
    _ address: UInt64, _ stream: Stream, _ context: Context
  ) -> Stage1Result {
    // Safety: as `walkStage1`.
    let shape = unsafe context.pointee.shape
    let isNested = unsafe stream.pointee.kind == StreamContext.Kind.nested
    // An upper-half address (bit 55 set) fails here too: TTB1 is disabled.
    guard address < shape.inputLimit, unsafe !context.pointee.flags.contains(.walksDisabled) else {
      return Stage1Result(fault: fail(SMMUEvent.translation))
    }
    var level = shape.startLevel
    var table = unsafe context.pointee.root
    var limits: UInt64 = 0
    if stage1Tables.isEnabled {
      unsafe startStage1(address, context, &level, &table, &limits)
    }
    while true {
      let place = table &+ shape.descriptorOffset(address, level)
      var physical = place
      if isNested {
        let found = unsafe translateStage2(place, .descriptor, 1, stream)
        if found.fault != 0 { return Stage1Result(fault: found.fault) }
        physical = found.address
      }
      guard let descriptor = read(physical: physical) else {
        return Stage1Result(fault: fail(SMMUEvent.walkExternalAbort, reading: physical))
      }
      counters.stage1Reads &+= 1
      let type = descriptor & 3
      if level < 3, type == Descriptor.tableOrPage {
        table = shape.address(in: descriptor, from: UInt64(shape.granuleShift))
        if unsafe table &>> UInt64(context.pointee.outputBits) != 0, !ownsTables {
          return Stage1Result(fault: fail(SMMUEvent.addressSize))
        }
        if unsafe !context.pointee.flags.contains(.ignoresLimits) {
          limits |= Stage1Permissions.limits(table: descriptor)
        }
        if stage1Tables.isEnabled { unsafe rememberStage1(table, limits, level, address, context) }
        level += 1
        continue
      }
      let isLeaf = level == 3 ? type == Descriptor.tableOrPage : type == Descriptor.block
      guard isLeaf, shape.allowsLeaf(level) else {
        return Stage1Result(fault: fail(SMMUEvent.translation))
      }
      if level == 3, limits == 0 { unsafe rememberPiece(address, physical, context) }
      return unsafe stage1Leaf(
        descriptor, level, at: place, limits: limits, address, stream, context)
    }
  }

  // MARK: Remembered tables

  private mutating func startStage1(
    _ address: UInt64, _ context: Context, _ level: inout UInt8, _ table: inout UInt64,
    _ limits: inout UInt64
  ) {
    // Safety: as `walkStage1`; a line that was found is one of the buffer.
    guard let line = unsafe stage1Tables.findSmallest(address, space: UInt64(context.pointee.space))
    else {
      counters.stage1TableMisses &+= 1
      return
    }
    counters.stage1TableHits &+= 1
    let detail = unsafe stage1Tables.detail(of: line)
    table = detail.address
    limits = detail.limits
    level = unsafe UInt8(truncatingIfNeeded: detail.level(line.pointee.shift)) + 1
  }

  private mutating func rememberStage1(
    _ table: UInt64, _ limits: UInt64, _ level: UInt8, _ address: UInt64, _ context: Context
  ) {
    // Safety: as `walkStage1`.
    let (space, shape) = unsafe (UInt64(context.pointee.space), context.pointee.shape)
    guard space != 0 else { return }
    let shift = shape.shift(level)
    stage1Tables.insert(
      address, space: space, shift: shift, leafShift: shift, output: 0, low: 0,
      detail: TranslationDetail(
        nextTable: table, limits: limits, granuleShift: shape.granuleShift))
  }

  /// The page descriptor of an address whose last-level table is known by its physical address.
  @inline(__always)
  private mutating func readPiece(_ address: UInt64, _ context: Context) -> UInt64? {
    // Safety: as `walkStage1`.
    guard let table = unsafe walkCache.findNear(address, space: UInt64(context.pointee.space))
    else {
      counters.walkCacheMisses &+= 1
      return nil
    }
    let piece = table.input &+ (table.data & ~0xFFF)
    let index = unsafe (address &>> UInt64(context.pointee.shape.granuleShift)) & 511
    guard let descriptor = read(physical: piece | index &<< 3) else { return nil }
    counters.walkCacheHits &+= 1
    counters.stage1Reads &+= 1
    return descriptor
  }

  /// Keeps the 4 KiB piece of a table around a descriptor: 512 entries, whole in stage 2 too.
  @inline(__always)
  private mutating func rememberPiece(
    _ address: UInt64, _ physical: UInt64, _ context: Context
  ) {
    // Safety: as `walkStage1`.
    let shape = unsafe context.pointee.shape
    guard walkCache.isEnabled, shape.startLevel < 3, unsafe context.pointee.space != 0,
      unsafe !context.pointee.flags.contains(.updatesAccessFlag)
    else { return }
    let shift = UInt64(shape.granuleShift) + 9
    unsafe walkCache.insert(
      address & (~0 &<< shift), space: UInt64(context.pointee.space), shift: shift,
      leafShift: shift, output: physical & ~0xFFF, low: 0, detail: TranslationDetail(word: 0))
  }
}
