extension SMMUCore {
  /// Reads STE and CD into the configuration cache; the event number if one of them is bad.
  ///
  /// What is bad is not cached: each access reads it again, so a repaired entry works at once.
  mutating func fetchConfiguration(_ streamID: UInt32) -> UInt8 {
    counters.configurationMisses &+= 1
    var entry = streamTable
    if streamSplit == 0 {
      entry += UInt64(streamID) << StreamTableEntry.log2Bytes
    } else {
      counters.steReads &+= 1
      let descriptor = arena.load(streamTable + UInt64(streamID >> streamSplit) * 8)
      let index = UInt64(streamID & (1 << streamSplit - 1))
      let span = descriptor & 0x1F
      if span == 0 || index >> (span - 1) != 0 { return SMMUEvent.badStreamID }
      let table = (descriptor & StreamTableEntry.contextPointerMask) &- arenaPhysical
      entry = table + index << StreamTableEntry.log2Bytes
    }
    counters.steReads &+= 1
    let dword0 = arena.load(entry)
    guard dword0 & StreamTableEntry.valid != 0 else { return SMMUEvent.badSTE }

    var context = StreamContext.absent
    let config = StreamTableEntry.config(dword0)
    context.kind = Self.kind(config: config)
    let dword2 = arena.load(entry + 16)
    context.vmid = UInt16(truncatingIfNeeded: dword2)
    if config & 4 != 0, config & 2 != 0 {
      guard decodeStage2(dword2, arena.load(entry + 24), &context) else {
        return SMMUEvent.badSTE
      }
    }
    if config & 4 != 0, config & 1 != 0 {
      let fault = fetchContextDescriptor(
        dword0 & StreamTableEntry.contextPointerMask, &context)
      if fault != 0 { return fault }
    }
    cache(context, streamID)
    return 0
  }

  private static func kind(config: UInt64) -> UInt8 {
    switch config {
    case 4: StreamContext.Kind.bypass
    case 5: StreamContext.Kind.stage1
    case 6: StreamContext.Kind.stage2
    case 7: StreamContext.Kind.nested
    default: StreamContext.Kind.abort
    }
  }

  private mutating func decodeStage2(
    _ dword2: UInt64, _ dword3: UInt64, _ context: inout StreamContext
  ) -> Bool {
    let field = UInt8(dword2 >> 38 & 3)
    guard let granule = AddressField.granuleShift(dword2 >> 46),
      let bits = AddressField.inputBits(size: dword2 >> 32), bits <= outputBits,
      let level = StreamTableEntry.startLevel(field: field, granuleShift: granule),
      let shape = TableShape(stage2GranuleShift: granule, inputBits: bits, startLevel: level)
    else { return false }
    context.stage2 = shape
    context.outputBits2 = min(AddressField.bits(dword2 >> 48), outputBits)
    context.root2 = dword3 & 0x000F_FFFF_FFFF_FFF0
    context.limit = shape.inputLimit
    context.space = UInt16(spaces.number(of: AddressSpace.stage2(vmid: context.vmid)))
    return true
  }

  private mutating func fetchContextDescriptor(
    _ pointer: UInt64, _ context: inout StreamContext
  ) -> UInt8 {
    var location = pointer
    if context.kind == StreamContext.Kind.nested {
      let physical = unsafe withUnsafeMutablePointer(to: &context) { unsafe stage2(pointer, $0) }
      if physical.fault != 0 { return physical.fault }
      if physical.permissions & 1 == 0 { return SMMUEvent.permission }
      location = physical.address
    }
    counters.cdReads &+= 1
    guard let dword0 = read(physical: location), let dword1 = read(physical: location &+ 8) else {
      return SMMUEvent.walkExternalAbort
    }
    guard dword0 & ContextDescriptor.valid != 0,
      let granule = AddressField.granuleShift(dword0 >> 6),
      let bits = AddressField.inputBits(size: dword0)
    else { return SMMUEvent.badCD }
    let shape = TableShape(granuleShift: granule, inputBits: bits)
    context.stage1 = shape
    context.outputBits1 = min(AddressField.bits(dword0 >> 32), outputBits)
    context.root1 = dword1 & 0x000F_FFFF_FFFF_FFF0
    context.limit = shape.inputLimit
    let asid = UInt16(truncatingIfNeeded: dword0 >> 48)
    context.space = UInt16(
      spaces.number(of: AddressSpace.stage1(vmid: context.vmid, asid: asid)))
    return 0
  }

  private mutating func cache(_ context: StreamContext, _ streamID: UInt32) {
    // Safety: the caller checked the StreamID.
    let slot = unsafe contexts + Int(streamID)
    unsafe slot.pointee = context
    if context.kind == StreamContext.Kind.nested, context.stage1.granuleShift == 12,
      tlb.isDirectMapped, stage2TLB.isDirectMapped, walkCache.isDirectMapped
    {
      unsafe slot.pointee.prepareForPages()
    }
    cachedStreams.lower = min(cachedStreams.lower, streamID)
    cachedStreams.upper = max(cachedStreams.upper, streamID)
    if context.limit != 0 { unsafe prefer(12, lookups + Int(streamID), slot) }
  }

  /// Forgets the configuration of StreamIDs `first`…`last`. O(streams cached so far).
  mutating func forgetConfiguration(_ first: UInt32, _ last: UInt32) {
    let lower = max(first, cachedStreams.lower)
    let upper = min(last, cachedStreams.upper)
    guard lower <= upper else { return }
    for streamID in Int(lower)...Int(upper) {
      // Safety: only StreamIDs of the table enter `cachedStreams`.
      unsafe contexts[streamID].kind = StreamContext.Kind.none
      unsafe lookups[streamID].limit = 0
    }
    if lower == cachedStreams.lower, upper == cachedStreams.upper { cachedStreams = (.max, 0) }
  }
}
