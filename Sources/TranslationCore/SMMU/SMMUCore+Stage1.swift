/// The answer of stage 1 for one input address.
struct Stage1Result: BitwiseCopyable {
  var address: UInt64 = 0
  /// log2 of the bytes of the leaf, or of the contiguous run that it belongs to.
  var shift: UInt64 = 0
  var permissions = Stage1Permissions(bits: 0)
  /// A write has to reach the descriptor first, to mark the page dirty.
  var isClean = false
  var isGlobal = false
  /// An event number; `syndrome` has the rest.
  var fault: UInt8 = 0
}

/// Stage 1: VA → IPA, or VA → PA if stage 2 does not translate (Arm ARM DDI 0487, D8.2; IHI 0070,
/// §5.4).
extension SMMUCore {
  mutating func walkStage1(
    _ address: UInt64, _ request: SMMURequest, _ stream: UnsafeMutablePointer<StreamContext>,
    _ context: ContextEntry
  ) -> Stage1Result {
    // Safety: the pointer is to the stream of the access.
    let shape = context.shape
    let isNested = unsafe stream.pointee.kind == StreamContext.Kind.nested
    // An upper-half address (bit 55 set) fails here too: TTB1 is disabled.
    guard address < context.limit, !context.flags.contains(.walksDisabled) else {
      return Stage1Result(fault: fail(SMMUEvent.translation))
    }
    // A table that hardware writes to is walked down to, so that stage 2 sees the write.
    let usesPieces = walkCache.isEnabled && !context.flags.contains(.updatesAccessFlag)
    if usesPieces, let descriptor = readPiece(address, context) {
      return unsafe stage1Leaf(
        descriptor, level: 3, at: 0, limits: 0, address, request, stream, context)
    }

    var level = shape.startLevel
    var table = context.root
    var limits: UInt64 = 0
    if stage1Tables.isEnabled {
      if let line = unsafe stage1Tables.find(address, space: UInt64(context.space)) {
        counters.stage1TableHits &+= 1
        let detail = unsafe stage1Tables.detail(of: line)
        table = detail.address
        limits = detail.limits
        level = unsafe UInt8(truncatingIfNeeded: detail.level(line.pointee.shift)) + 1
      } else {
        counters.stage1TableMisses &+= 1
      }
    }
    while true {
      let place = table &+ shape.descriptorOffset(address, level)
      var physical = place
      if isNested {
        let found = unsafe translateStage2(place, .descriptor, 1, instruction: false, stream)
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
        if table &>> UInt64(context.outputBits) != 0, !ownsTables {
          return Stage1Result(fault: fail(SMMUEvent.addressSize))
        }
        if !context.flags.contains(.ignoresLimits) {
          limits |= Stage1Permissions.limits(table: descriptor)
        }
        rememberStage1(table, limits, level, address, context)
        level += 1
        continue
      }
      let isLeaf = level == 3 ? type == Descriptor.tableOrPage : type == Descriptor.block
      guard isLeaf, shape.allowsLeaf(level) else {
        return Stage1Result(fault: fail(SMMUEvent.translation))
      }
      if usesPieces, level == 3, shape.startLevel < 3, limits == 0 {
        rememberPiece(address, physical, context)
      }
      return unsafe stage1Leaf(
        descriptor, level: level, at: place, limits: limits, address, request, stream, context)
    }
  }

  private mutating func rememberStage1(
    _ table: UInt64, _ limits: UInt64, _ level: UInt8, _ address: UInt64, _ context: ContextEntry
  ) {
    guard stage1Tables.isEnabled, context.space != 0 else { return }
    let shift = context.shape.shift(level)
    stage1Tables.insert(
      address, space: UInt64(context.space), shift: shift, leafShift: shift, output: 0, denied: 0,
      detail: TranslationDetail(
        nextTable: table, limits: limits, granuleShift: context.shape.granuleShift))
  }

  // MARK: Last-level tables by physical address

  /// The page descriptor of an address whose last-level table is known.
  @inline(__always)
  private mutating func readPiece(_ address: UInt64, _ context: ContextEntry) -> UInt64? {
    guard let table = walkCache.findNear(address, space: UInt64(context.space)) else {
      counters.walkCacheMisses &+= 1
      return nil
    }
    let piece = table.input &+ (table.data & ~0xFFF)
    let index = (address &>> UInt64(context.shape.granuleShift)) & 511
    guard let descriptor = read(physical: piece | index &<< 3) else { return nil }
    counters.walkCacheHits &+= 1
    counters.stage1Reads &+= 1
    return descriptor
  }

  /// Keeps the 4 KiB piece of a table around a descriptor: 512 entries, whole in stage 2 too.
  private mutating func rememberPiece(
    _ address: UInt64, _ physical: UInt64, _ context: ContextEntry
  ) {
    guard context.space != 0 else { return }
    let shift = UInt64(context.shape.granuleShift) + 9
    walkCache.insert(
      address & (~0 &<< shift), space: UInt64(context.space), shift: shift, leafShift: shift,
      output: physical & ~0xFFF, denied: 0,
      detail: TranslationDetail(
        nextTable: physical, limits: 0, granuleShift: context.shape.granuleShift))
  }

  // MARK: Leaves

  /// Output size, access flag and dirty state, permissions (DDI 0487, D8.3.1 and D8.4; IHI 0070,
  /// §3.13): an access flag fault comes before a permission fault, and hardware does not mark a page
  /// dirty for a write that is refused.
  ///
  /// - Parameter place: of the descriptor, an intermediate address when nested.
  @inline(__always)
  private mutating func stage1Leaf(
    _ read: UInt64, level: UInt8, at place: UInt64, limits: UInt64, _ address: UInt64,
    _ request: SMMURequest, _ stream: UnsafeMutablePointer<StreamContext>, _ context: ContextEntry
  ) -> Stage1Result {
    let shape = context.shape
    guard level < 3 || read & 3 == Descriptor.tableOrPage else {
      return Stage1Result(fault: fail(SMMUEvent.translation))
    }
    var shift = shape.shift(level)
    let output = shape.address(in: read, from: shift)
    if output &>> UInt64(context.outputBits) != 0 {
      return Stage1Result(fault: fail(SMMUEvent.addressSize))
    }
    var descriptor = read
    if descriptor & Descriptor.accessFlag == 0 {
      if context.flags.contains(.updatesAccessFlag) {
        descriptor |= Descriptor.accessFlag
      } else if !context.flags.contains(.noAccessFaults) {
        return Stage1Result(fault: fail(SMMUEvent.accessFlag))
      }
    }
    if request.writes, Self.isClean(descriptor, context) { descriptor &= ~Descriptor.readOnly }
    let permissions = Stage1Permissions(leaf: descriptor, limits: limits)
    // Safety: as `walkStage1`.
    guard unsafe permissions.allows(request, stream.pointee.world) else {
      return Stage1Result(fault: fail(SMMUEvent.permission))
    }
    if descriptor != read {
      let number = unsafe update(descriptor, at: place, stream)
      if number != 0 { return Stage1Result(fault: number) }
    }
    if descriptor & Descriptor.contiguous != 0 {
      shift = min(shift + shape.contiguousLog2(level), UInt64(shape.inputBits))
    }
    // Software keeps a contiguous run uniform, so any member gives its base.
    let mask = ~0 as UInt64 &<< shift
    return Stage1Result(
      address: output & mask | address & ~mask, shift: shift, permissions: permissions,
      isClean: Self.isClean(descriptor, context),
      isGlobal: descriptor & Descriptor.notGlobal == 0)
  }

  private static func isClean(_ descriptor: UInt64, _ context: ContextEntry) -> Bool {
    let clean = Descriptor.dirtyBitModifier | Descriptor.readOnly
    return context.flags.contains([.updatesAccessFlag, .updatesDirtyState])
      && descriptor & clean == clean
  }

  /// Hardware rewrites a stage-1 descriptor; 0, or the event of a stage 2 that forbids it.
  private mutating func update(
    _ descriptor: UInt64, at place: UInt64, _ stream: UnsafeMutablePointer<StreamContext>
  ) -> UInt8 {
    var physical = place
    // Safety: as `walkStage1`.
    if unsafe stream.pointee.kind == StreamContext.Kind.nested {
      let found = unsafe translateStage2(place, .descriptor, 2, instruction: false, stream)
      if found.fault != 0 { return found.fault }
      physical = found.address
    }
    guard write(descriptor, physical: physical) else {
      return fail(SMMUEvent.walkExternalAbort, reading: physical)
    }
    return 0
  }
}
