/// Where an address leads in one stage.
struct StageResult {
  var address: UInt64 = 0
  /// log2 of the bytes of the leaf.
  var shift: UInt64 = 0
  /// Bit 0 readable, bit 1 writable.
  var permissions: UInt64 = 0
  var fault: UInt8 = 0
}

/// Everything but the first TLB probe: configuration, other ways and page sizes, walks, faults.
///
/// Order of checks: StreamID, STE, CD, input range, stage-1 walk with output size, access flag and
/// permission, then the same in stage 2 (IHI 0070, §3.4, §5.2, §5.4, §7.3).
extension SMMUCore {
  /// The fast path found no entry in the place that it tried.
  @usableFromInline
  @inline(never)
  mutating func resolve(
    _ streamID: UInt32, _ address: UInt64, _ need: UInt64
  ) -> SMMUTranslation {
    if streamID <= lastStreamID {
      // Safety: `contexts` and `lookups` have `lastStreamID` + 1 entries.
      let context = unsafe contexts + Int(streamID)
      let lookup = unsafe lookups + Int(streamID)
      if let physical = unsafe resolvePage(context, lookup, address, need) {
        return SMMUTranslation(address: physical)
      }
    }
    return resolveAny(streamID, address, need)
  }

  @inline(never)
  private mutating func resolveAny(
    _ streamID: UInt32, _ address: UInt64, _ need: UInt64
  ) -> SMMUTranslation {
    guard isEnabled else {
      return address >> UInt64(outputBits) == 0
        ? SMMUTranslation(address: address) : faulted(SMMUEvent.aborted)
    }
    guard streamID <= lastStreamID else { return faulted(SMMUEvent.badStreamID) }
    // Safety: `contexts` and `lookups` have `lastStreamID` + 1 entries.
    let context = unsafe contexts + Int(streamID)
    let lookup = unsafe lookups + Int(streamID)
    if unsafe context.pointee.kind == StreamContext.Kind.none {
      let fault = fetchConfiguration(streamID)
      if fault != 0 { return faulted(fault) }
      defer { if !options.configurationCache { forgetConfiguration(streamID, streamID) } }
      return unsafe resolve(context, lookup, address, need, tried: false)
    }
    return unsafe resolve(context, lookup, address, need, tried: true)
  }

  /// - Parameter tried: the first way for the stream's preferred page size is known not to match.
  @inline(__always)
  private mutating func resolve(
    _ context: UnsafeMutablePointer<StreamContext>, _ lookup: UnsafeMutablePointer<StreamLookup>,
    _ address: UInt64, _ need: UInt64, tried: Bool
  ) -> SMMUTranslation {
    // Safety: both point to the entries of one StreamID of the table.
    guard unsafe address < context.pointee.limit else {
      return unsafe untranslated(context.pointee.kind, address)
    }
    let space = unsafe UInt64(context.pointee.space)
    let isOnlyPlace = unsafe tried && tlb.hasOnlyPlace(for: lookup.pointee.key & 0x3F)
    if !isOnlyPlace, let hit = tlb.find(address, space: space) {
      if hit.data & need != 0 { return faulted(SMMUEvent.permission) }
      unsafe prefer(hit.shift, lookup, context)
      return SMMUTranslation(address: address &+ (hit.data & ~0xFFF))
    }
    counters.tlbMisses &+= 1

    var result = StageResult(address: address, shift: 63, permissions: 3)
    if unsafe context.pointee.kind != StreamContext.Kind.stage2 {
      result = unsafe stage1(address, context)
      if result.fault != 0 { return faulted(result.fault) }
      if ~result.permissions & need != 0 { return faulted(SMMUEvent.permission) }
    }
    var leafShift = result.shift
    if unsafe context.pointee.kind != StreamContext.Kind.stage1 {
      let final = unsafe stage2(result.address, context)
      if final.fault != 0 { return faulted(final.fault) }
      result.address = final.address
      result.shift = min(result.shift, final.shift)
      result.permissions &= final.permissions
      if ~result.permissions & need != 0 { return faulted(SMMUEvent.permission) }
      if unsafe context.pointee.kind == StreamContext.Kind.stage2 { leafShift = final.shift }
    }
    tlb.insert(
      address, space: space, shift: result.shift, leafShift: leafShift, output: result.address,
      permissions: result.permissions)
    unsafe prefer(result.shift, lookup, context)
    return SMMUTranslation(address: result.address)
  }

  /// Abort, bypass, or an input address beyond the translated range.
  @inline(never)
  private mutating func untranslated(_ kind: UInt8, _ address: UInt64) -> SMMUTranslation {
    // A bypassed stage 1 passes on what fits the implemented width (§3.4).
    let fits = address >> UInt64(outputBits) == 0
    switch kind {
    case StreamContext.Kind.abort: return faulted(SMMUEvent.aborted)
    case StreamContext.Kind.bypass where fits: return SMMUTranslation(address: address)
    case StreamContext.Kind.bypass where !fits, StreamContext.Kind.stage2 where !fits:
      return faulted(SMMUEvent.addressSize)
    default: return faulted(SMMUEvent.translation)
    }
  }

  /// The fast path found an entry that does not permit the access.
  @usableFromInline
  @inline(never)
  mutating func denied() -> SMMUTranslation { faulted(SMMUEvent.permission) }

  /// Makes `shift` the page size that the stream's next access tries first.
  @inline(__always)
  func prefer(
    _ shift: UInt64, _ lookup: UnsafeMutablePointer<StreamLookup>,
    _ context: UnsafeMutablePointer<StreamContext>
  ) {
    // Safety: as `resolve`.
    let space = unsafe UInt64(context.pointee.space)
    let key = space &<< 48 | shift
    if unsafe lookup.pointee.key == key, unsafe lookup.pointee.limit != 0 { return }
    unsafe lookup.pointee = StreamLookup(
      limit: context.pointee.limit, pageMask: ~0 &<< shift, key: key,
      setShift: UInt32(truncatingIfNeeded: shift &- tlb.setShift),
      salt: UInt32(truncatingIfNeeded: TranslationBuffer.salt(space)))
  }

  mutating func faulted(_ event: UInt8) -> SMMUTranslation {
    counters.faults &+= 1
    return .faulted(event)
  }

  /// Reads the word at a physical address; nil where there is no memory (F_WALK_EABT).
  @inline(__always)
  func read(physical address: UInt64) -> UInt64? {
    let offset = address &- arenaPhysical
    return arena.contains(offset) ? arena.load(offset) : nil
  }
}
