/// The combined TLB, and what goes into it.
extension SMMUCore {
  /// Stage 1, and stage 2 behind it if the stream is nested.
  ///
  /// - Parameter isDefault: the context is that of accesses without SubstreamID, which the fast path
  ///   takes.
  mutating func answerStage1(
    _ request: SMMURequest, _ stream: UnsafeMutablePointer<StreamContext>, _ context: ContextEntry,
    isDefault: Bool
  ) -> SMMUAnswer {
    // Safety: the pointer is to the stream of the access.
    let address = context.effective(request.address)
    let world = unsafe stream.pointee.world
    let space = UInt64(context.space)
    if address < context.limit {
      var line = unsafe tlb.find(address, space: space)
      let global = globalsCached ? unsafe globalSpace(stream.pointee) : 0
      if unsafe line == nil, global != 0 { unsafe line = tlb.find(address, space: global) }
      if options.reportsConflicts,
        tlb.count(address, space: space) + (global == 0 ? 0 : tlb.count(address, space: global)) > 1
      {
        return unsafe fault(fail(SMMUEvent.tlbConflict), request, stream, context)
      }
      if let line = unsafe line {
        let detail = unsafe tlb.detail(of: line)
        // A write to a clean page has to reach its descriptor: the entry does not serve it.
        if !request.writes || !detail.isClean {
          counters.tlbHits &+= 1
          return unsafe hit(line.pointee, detail, address, request, stream, context, isDefault)
        }
      }
      counters.tlbMisses &+= 1
    }

    let first = unsafe walkStage1(address, request, stream, context)
    if first.fault != 0 { return unsafe fault(first.fault, request, stream, context) }
    var result = SMMUAnswer(SMMUTranslation(address: first.address))
    var shift = first.shift
    var second: Stage2Result?
    if unsafe stream.pointee.kind == StreamContext.Kind.nested {
      let found = unsafe translateStage2(
        first.address, .inputAddress, request.need, instruction: request.instruction, stream)
      if found.fault != 0 { return unsafe fault(found.fault, request, stream, context) }
      result.translation.address = found.address
      shift = min(shift, found.shift)
      second = found
    }
    let detail = TranslationDetail(
      first, second, intermediate: first.address & (~0 &<< shift),
      granuleShift: context.shape.granuleShift)
    let tag =
      first.isGlobal && context.space != 0 ? unsafe globalSpaceAdding(stream.pointee) : space
    if tag != 0 {
      tlb.insert(
        address, space: tag, shift: shift, leafShift: first.shift,
        output: result.translation.address, denied: Self.denied(detail, world), detail: detail)
      if isDefault { arm(shift, space: tag, request.streamID, context) }
    }
    describe(&result, detail, shift, request, world)
    return result
  }

  /// Permissions of a remembered translation: stage 1's first, as on a walk.
  private mutating func hit(
    _ line: TranslationBuffer.Line, _ detail: TranslationDetail, _ address: UInt64,
    _ request: SMMURequest, _ stream: UnsafeMutablePointer<StreamContext>,
    _ context: ContextEntry, _ isDefault: Bool
  ) -> SMMUAnswer {
    // Safety: as `answerStage1`.
    let world = unsafe stream.pointee.world
    guard detail.stage1.allows(request, world) else {
      return unsafe fault(fail(SMMUEvent.permission), request, stream, context)
    }
    if detail.hasStage2,
      !detail.stage2.allows(UInt64(request.need), instruction: request.instruction)
    {
      let ipa = detail.address | address & ~(~0 &<< line.shift)
      return unsafe fault(
        fail(SMMUEvent.permission, stage2: ipa, .inputAddress), request, stream, context)
    }
    if isDefault { arm(line.shift, space: line.space, request.streamID, context) }
    var result = SMMUAnswer(SMMUTranslation(address: address &+ (line.data & ~0xFFF)))
    result.tlbHit = true
    describe(&result, detail, line.shift, request, world)
    return result
  }

  /// A stream, or a bypassed stage 1, that only stage 2 translates: a TLB entry without an ASID.
  mutating func answerStage2(
    _ request: SMMURequest, _ stream: UnsafeMutablePointer<StreamContext>
  ) -> SMMUAnswer {
    // Safety: as `answerStage1`.
    let space = unsafe UInt64(stream.pointee.space2)
    let address = request.address
    if unsafe address < stream.pointee.limit2 {
      if let line = unsafe tlb.find(address, space: space) {
        let detail = unsafe tlb.detail(of: line)
        if !request.writes || !detail.isClean {
          counters.tlbHits &+= 1
          guard detail.stage2.allows(UInt64(request.need), instruction: request.instruction) else {
            return unsafe fault(
              fail(SMMUEvent.permission, stage2: address, .inputAddress), request, stream)
          }
          var result = unsafe SMMUAnswer(
            SMMUTranslation(address: address &+ (line.pointee.data & ~0xFFF)))
          result.tlbHit = true
          unsafe describe(&result, detail, line.pointee.shift, request, .nsEL1)
          unsafe armStage2(line.pointee.shift, request, stream)
          return result
        }
      }
      counters.tlbMisses &+= 1
    }
    let found = unsafe translateStage2(
      address, .inputAddress, request.need, instruction: request.instruction, stream)
    if found.fault != 0 { return unsafe fault(found.fault, request, stream) }
    let detail = unsafe TranslationDetail(
      found, granuleShift: stream.pointee.stage2.granuleShift)
    if space != 0 {
      tlb.insert(
        address, space: space, shift: found.shift, leafShift: found.shift, output: found.address,
        denied: Self.denied(detail, .nsEL1), detail: detail)
      unsafe armStage2(found.shift, request, stream)
    }
    var result = SMMUAnswer(SMMUTranslation(address: found.address))
    describe(&result, detail, found.shift, request, .nsEL1)
    return result
  }

  /// The low bits of a TLB entry's data: what a plain access, unprivileged and of data, may not do.
  /// A clean page must not be written before a walk has marked it.
  static func denied(_ detail: TranslationDetail, _ world: StreamWorld) -> UInt64 {
    let second = detail.hasStage2 ? detail.stage2.bits & 3 : 0
    return detail.stage1.denied(world) | second | (detail.isClean ? 2 : 0)
  }

  private func describe(
    _ answer: inout SMMUAnswer, _ detail: TranslationDetail, _ shift: UInt64,
    _ request: SMMURequest, _ world: StreamWorld
  ) {
    let accessible =
      request.privileged || !world.hasPrivilege
      || detail.stage1.bits & Stage1Permissions.unprivileged != 0
    let second = detail.hasStage2 ? detail.stage2.bits : 0
    let writable1 = detail.isStage1Clean || detail.stage1.bits & Stage1Permissions.readOnly == 0
    let writable2 = detail.isStage2Clean || second & Stage2Permissions.noWrite == 0
    answer.readable = accessible && second & Stage2Permissions.noRead == 0
    answer.writable = accessible && writable1 && writable2
    answer.log2SizeBytes = UInt8(truncatingIfNeeded: shift)
  }

  // MARK: Global entries

  private func globalSpace(_ stream: StreamContext) -> UInt64 {
    UInt64(spaces.find(AddressSpace.global(stream.world, vmid: stream.vmid)))
  }

  private mutating func globalSpaceAdding(_ stream: StreamContext) -> UInt64 {
    let number = spaces.numberAdding(AddressSpace.global(stream.world, vmid: stream.vmid))
    if number != 0 { globalsCached = true }
    return UInt64(number)
  }

  // MARK: The next access of the stream

  /// Makes page size and space what the fast path tries for the stream's next plain access.
  func arm(_ shift: UInt64, space: UInt64, _ streamID: UInt32, _ context: ContextEntry) {
    // The fast path compares tags of 48-bit addresses.
    arm(shift, space: space, streamID, limit: min(context.limit, 1 << 48))
  }

  private func armStage2(
    _ shift: UInt64, _ request: SMMURequest, _ stream: UnsafeMutablePointer<StreamContext>
  ) {
    // Safety: as `answerStage1`. An ATS translated access of a nested stream is not the usual one.
    guard request.kind == .untranslated else { return }
    let (space, limit) = unsafe (UInt64(stream.pointee.space2), stream.pointee.limit2)
    arm(shift, space: space, request.streamID, limit: min(limit, 1 << 48))
  }

  private func arm(_ shift: UInt64, space: UInt64, _ streamID: UInt32, limit: UInt64) {
    guard tlb.isEnabled, options.keepsContexts, streamOrder.isEnabled, !options.reportsConflicts
    else { return }
    // Safety: a stream that was fetched has a place in `lookups`.
    let lookup = unsafe lookups + Int(streamID)
    let key = space &<< 48 | shift
    if unsafe lookup.pointee.key == key, unsafe lookup.pointee.limit != 0 { return }
    unsafe lookup.pointee = StreamLookup(
      limit: limit, pageMask: ~0 &<< shift, key: key,
      setShift: UInt32(truncatingIfNeeded: shift &- tlb.setShift),
      salt: UInt32(truncatingIfNeeded: TranslationBuffer.salt(space)))
  }
}
