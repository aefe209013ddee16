/// Where an address leads in one stage.
struct StageResult {
  var address: UInt64 = 0
  /// log2 of the bytes of the leaf.
  var shift: UInt64 = 0
  /// Bit 0 readable, bit 1 writable.
  var permissions: UInt64 = 0
  var fault: UInt8 = 0
}

/// Everything but the first-way TLB hit: configuration, other ways and page sizes, walks, faults.
///
/// Order of checks: IHI 0070, §3.21 and §7.3: StreamID, STE, CD, input range, stage-1 walk with
/// output size, access flag and permission, then the same in stage 2.
extension SMMUCore {
  @usableFromInline
  @inline(never)
  mutating func resolve(
    _ streamID: UInt32, _ address: UInt64, _ need: UInt64
  ) -> SMMUTranslation {
    guard streamID <= lastStreamID else { return faulted(SMMUEvent.badStreamID) }
    // Safety: `contexts` has `lastStreamID` + 1 entries.
    let slot = unsafe contexts + Int(streamID)
    if unsafe slot.pointee.kind == StreamContext.Kind.none {
      let fault = fetchConfiguration(streamID)
      if fault != 0 { return faulted(fault) }
    }
    let context = unsafe slot.pointee
    if !options.configurationCache { unsafe slot.pointee = .absent }

    if context.kind <= StreamContext.Kind.bypass {
      if context.kind == StreamContext.Kind.abort { return faulted(SMMUEvent.aborted) }
      if address >> UInt64(outputBits) != 0 { return faulted(SMMUEvent.addressSize) }
      return SMMUTranslation(address: address)
    }
    guard address < context.limit else { return faulted(SMMUEvent.translation) }
    let space = UInt64(context.space)
    if let hit = tlb.find(address, space: space) {
      if ~hit.data & need != 0 { return faulted(SMMUEvent.permission) }
      prefer(hit.shift, streamID, context)
      let mask = ~0 as UInt64 &<< hit.shift
      return SMMUTranslation(address: ((hit.data ^ address) & mask) ^ address)
    }
    counters.tlbMisses &+= 1
    return walk(streamID, context, address, need)
  }

  private mutating func walk(
    _ streamID: UInt32, _ context: StreamContext, _ address: UInt64, _ need: UInt64
  ) -> SMMUTranslation {
    var result: StageResult
    var leafShift: UInt64
    switch context.kind {
    case StreamContext.Kind.stage2:
      result = stage2(address, context)
      leafShift = result.shift
    default:
      result = stage1(address, context)
      leafShift = result.shift
      if result.fault == 0, ~result.permissions & need != 0 {
        return faulted(SMMUEvent.permission)
      }
      if context.kind == StreamContext.Kind.nested, result.fault == 0 {
        let final = stage2(result.address, context)
        result.address = final.address
        result.shift = min(result.shift, final.shift)
        result.permissions &= final.permissions
        result.fault = final.fault
      }
    }
    if result.fault != 0 { return faulted(result.fault) }
    if ~result.permissions & need != 0 { return faulted(SMMUEvent.permission) }
    let page = result.address & (~0 &<< result.shift)
    tlb.insert(
      address, space: UInt64(context.space), shift: result.shift, leafShift: leafShift,
      output: page, permissions: result.permissions)
    prefer(result.shift, streamID, context)
    return SMMUTranslation(address: result.address)
  }

  /// Makes `shift` the page size that the stream's next access tries first.
  @inline(__always)
  private func prefer(_ shift: UInt64, _ streamID: UInt32, _ context: StreamContext) {
    guard options.configurationCache else { return }
    let space = UInt64(context.space)
    // Safety: the caller checked the StreamID.
    unsafe lookups[Int(streamID)] = StreamLookup(
      limit: context.limit, pageMask: ~0 &<< shift, key: space &<< 6 | shift,
      shift: UInt32(truncatingIfNeeded: shift),
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
