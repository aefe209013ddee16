/// The combined TLB, and what goes into it.
extension SMMUCore {
  /// Stage 1, and stage 2 behind it if the stream is nested.
  ///
  /// - Parameter isDefault: the context is that of accesses without SubstreamID, which the fast path
  ///   takes.
  @inline(__always)
  mutating func answerStage1(
    _ stream: Stream, _ context: Context, isDefault: Bool
  ) -> SMMUTranslation {
    // Safety: the pointers are to stream and context of the access.
    let address = unsafe context.pointee.effective(request.address)
    let space = unsafe UInt64(context.pointee.space)
    if unsafe address < context.pointee.limit {
      var line = unsafe tlb.find(address, space: space)
      if globalsCached || options.reportsConflicts {
        let global = unsafe globalSpace(stream)
        if options.reportsConflicts, tlb.count(address, space: space, or: global) > 1 {
          return unsafe fault(fail(SMMUEvent.tlbConflict), stream, context)
        }
        if unsafe line == nil { unsafe line = tlb.find(address, space: global) }
      }
      if let line = unsafe line {
        let detail = unsafe tlb.detail(of: line)
        // A write to a clean page has to reach its descriptor: the entry does not serve it.
        if !request.writes || !detail.isClean {
          counters.tlbHits &+= 1
          return unsafe hit(line, detail, address, stream, context, isDefault)
        }
      }
      counters.tlbMisses &+= 1
    }

    let first = unsafe walkStage1(address, stream, context)
    if first.fault != 0 { return unsafe fault(first.fault, stream, context) }
    var detail = unsafe TranslationDetail(
      first, granuleShift: context.pointee.shape.granuleShift)
    var output = first.address
    var shift = first.shift
    if unsafe stream.pointee.kind == StreamContext.Kind.nested {
      let second = unsafe translateStage2(output, .inputAddress, UInt64(request.need), stream)
      if second.fault != 0 { return unsafe fault(second.fault, stream, context) }
      shift = min(shift, second.shift)
      detail.combine(second, intermediate: output & (~0 &<< shift))
      output = second.address
    }
    let tag = first.isGlobal && space != 0 ? unsafe globalSpaceAdding(stream) : space
    if tag != 0 {
      unsafe tlb.insert(
        address, space: tag, shift: shift, leafShift: first.shift, output: output,
        low: Self.denied(detail, stream.pointee.world), detail: detail)
      if isDefault { unsafe arm(shift, space: tag, limit: context.pointee.limit) }
    }
    unsafe note(detail, shift, stream.pointee.world, isHit: false)
    return SMMUTranslation(address: output)
  }

  /// Permissions of a remembered translation: stage 1's first, as on a walk.
  @inline(never)
  private mutating func hit(
    _ line: UnsafeMutablePointer<TranslationBuffer.Line>, _ detail: TranslationDetail,
    _ address: UInt64, _ stream: Stream, _ context: Context, _ isDefault: Bool
  ) -> SMMUTranslation {
    // Safety: as `answerStage1`; the line is one of the TLB.
    let world = unsafe stream.pointee.world
    let line = unsafe line.pointee
    guard detail.stage1.allows(request, world) else {
      return unsafe fault(fail(SMMUEvent.permission), stream, context)
    }
    if detail.hasStage2,
      !detail.stage2.allows(UInt64(request.need), instruction: request.instruction)
    {
      let ipa = detail.address | address & ~(~0 &<< line.shift)
      return unsafe fault(
        fail(SMMUEvent.permission, stage2: ipa, .inputAddress), stream, context)
    }
    if isDefault { unsafe arm(line.shift, space: line.space, limit: context.pointee.limit) }
    note(detail, line.shift, world, isHit: true)
    return SMMUTranslation(address: address &+ (line.data & ~0xFFF))
  }

  /// A stream, or a bypassed stage 1, that only stage 2 translates: a TLB entry without an ASID.
  mutating func answerStage2(_ stream: Stream) -> SMMUTranslation {
    // Safety: as `answerStage1`.
    let (space, limit) = unsafe (UInt64(stream.pointee.space2), stream.pointee.stage2.inputLimit)
    let address = request.address
    // An ATS translated access of a nested stream is not the usual one.
    let isDefault = request.kind == .untranslated
    if address < limit {
      if let found = unsafe tlb.find(address, space: space) {
        let detail = unsafe tlb.detail(of: found)
        let line = unsafe found.pointee
        if !request.writes || !detail.isClean {
          counters.tlbHits &+= 1
          guard detail.stage2.allows(UInt64(request.need), instruction: request.instruction) else {
            return unsafe fault(
              fail(SMMUEvent.permission, stage2: address, .inputAddress), stream)
          }
          if isDefault { arm(line.shift, space: space, limit: limit) }
          note(detail, line.shift, .nsEL1, isHit: true)
          return SMMUTranslation(address: address &+ (line.data & ~0xFFF))
        }
      }
      counters.tlbMisses &+= 1
    }
    let found = unsafe translateStage2(address, .inputAddress, UInt64(request.need), stream)
    if found.fault != 0 { return unsafe fault(found.fault, stream) }
    let detail = unsafe TranslationDetail(
      found, granuleShift: stream.pointee.stage2.granuleShift)
    if space != 0 {
      tlb.insert(
        address, space: space, shift: found.shift, leafShift: found.shift, output: found.address,
        low: Self.denied(detail, .nsEL1), detail: detail)
      if isDefault { arm(found.shift, space: space, limit: limit) }
    }
    note(detail, found.shift, .nsEL1, isHit: false)
    return SMMUTranslation(address: found.address)
  }

  /// The low bits of a TLB entry's data: what a plain access, unprivileged and of data, may not do.
  /// A clean page must not be written before a walk has marked it.
  @inline(__always)
  static func denied(_ detail: TranslationDetail, _ world: StreamWorld) -> UInt64 {
    // Without stage 2 its bits are 0, which forbid nothing.
    detail.stage1.denied(world) | detail.stage2.bits & 3 | (detail.isClean ? 2 : 0)
  }

  @inline(__always)
  private mutating func note(
    _ detail: TranslationDetail, _ shift: UInt64, _ world: StreamWorld, isHit: Bool
  ) {
    notes.detail = detail
    notes.shift = shift
    notes.world = world
    notes.tlbHit = isHit
  }

  // MARK: Global entries

  private func globalSpace(_ stream: Stream) -> UInt64 {
    // Safety: as `answerStage1`.
    unsafe UInt64(
      spaces.find(AddressSpace.global(stream.pointee.world, vmid: stream.pointee.vmid)))
  }

  @inline(never)
  private mutating func globalSpaceAdding(_ stream: Stream) -> UInt64 {
    // Safety: as `answerStage1`.
    let number = unsafe spaces.numberAdding(
      AddressSpace.global(stream.pointee.world, vmid: stream.pointee.vmid))
    if number != 0 { globalsCached = true }
    return UInt64(number)
  }

  // MARK: The next access of the stream

  /// Makes page size and space what the fast path tries for the stream's next plain access.
  @inline(__always)
  private func arm(_ shift: UInt64, space: UInt64, limit: UInt64) {
    guard tlb.isEnabled, options.keepsContexts, streamOrder.isEnabled, !options.reportsConflicts
    else { return }
    // Safety: a stream that was fetched has a place in `lookups`.
    let lookup = unsafe lookups + Int(request.streamID)
    // The fast path compares tags of 48-bit addresses.
    unsafe lookup.pointee.limit = min(limit, 1 << 48)
    if unsafe lookup.pointee.key == space &<< 48 | shift { return }
    unsafe lookup.pointee.key = space &<< 48
    unsafe lookup.pointee.salt = UInt32(truncatingIfNeeded: TranslationBuffer.salt(space))
    unsafe prefer(shift, lookup)
  }

  /// Makes `shift` the page size that the stream's next access tries first.
  @inline(__always)
  func prefer(_ shift: UInt64, _ lookup: UnsafeMutablePointer<StreamLookup>) {
    // Safety: callers pass a stream's entry.
    unsafe lookup.pointee.key = lookup.pointee.key & (~0 &<< 48) | shift
    unsafe lookup.pointee.pageMask = ~0 &<< shift
    unsafe lookup.pointee.setShift = UInt32(truncatingIfNeeded: shift &- tlb.setShift)
  }
}

extension SMMUAnswer {
  init(_ translation: SMMUTranslation, _ notes: AccessNotes, _ request: SMMURequest) {
    self.translation = translation
    guard translation.fault == 0 else {
      event = notes.event
      isRecorded = notes.isRecorded
      termination = notes.termination
      return
    }
    let detail = notes.detail
    let accessible =
      request.privileged || !notes.world.hasPrivilege
      || detail.stage1.bits & Stage1Permissions.unprivileged != 0
    let writable1 = detail.isStage1Clean || detail.stage1.bits & Stage1Permissions.readOnly == 0
    let writable2 =
      detail.isStage2Clean || detail.stage2.bits & Stage2Permissions.noWrite == 0
    readable = accessible && detail.stage2.bits & Stage2Permissions.noRead == 0
    writable = accessible && writable1 && writable2
    log2SizeBytes = UInt8(truncatingIfNeeded: notes.shift)
    tlbHit = notes.tlbHit
  }
}
