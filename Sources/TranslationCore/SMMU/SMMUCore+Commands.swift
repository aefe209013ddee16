/// Commands, IHI 0070 §4: 16 bytes, opcode in bits 7:0 of the first dword.
extension SMMUCore {
  private enum Opcode {
    static let prefetchConfig: UInt64 = 0x01
    static let prefetchAddress: UInt64 = 0x02
    static let cfgiSTE: UInt64 = 0x03
    static let cfgiSTERange: UInt64 = 0x04
    static let cfgiCD: UInt64 = 0x05
    static let cfgiCDAll: UInt64 = 0x06
    static let tlbiNHAll: UInt64 = 0x10
    static let tlbiNHASID: UInt64 = 0x11
    static let tlbiNHVA: UInt64 = 0x12
    static let tlbiNHVAA: UInt64 = 0x13
    static let tlbiEL2All: UInt64 = 0x20
    static let tlbiEL2ASID: UInt64 = 0x21
    static let tlbiEL2VA: UInt64 = 0x22
    static let tlbiEL2VAA: UInt64 = 0x23
    static let tlbiS12VMAll: UInt64 = 0x28
    static let tlbiS2IPA: UInt64 = 0x2A
    static let tlbiNSNHAll: UInt64 = 0x30
    static let atcInvalidate: UInt64 = 0x40
    static let priResponse: UInt64 = 0x41
    static let resume: UInt64 = 0x44
    static let stallTerminate: UInt64 = 0x45
    static let sync: UInt64 = 0x46
  }

  /// Executes one command at once; SYNC therefore has nothing to wait for. Illegal ones have no
  /// effect but the count.
  package mutating func command(_ dword0: UInt64, _ dword1: UInt64) {
    counters.commands &+= 1
    let opcode = dword0 & 0xFF
    // The two that make up a busy device's stream of commands come first: SYNC, and the invalidation
    // of one 4 KiB page, leaf of level 3 only, of the address space that was asked for last.
    if opcode == Opcode.sync, dword0 & 0x3000 != 0x3000 { return }
    if opcode == Opcode.tlbiNHVA, dword0 & 0x1F1_F000 == 0,
      dword1 & 0xFFFF_0000_0000_0F01 == 0x701, !globalsCached,
      Self.spaceKey(dword0) == spaces.lastKey,
      tlb.removePage(dword1 & ~0xFFF, 12, space: UInt64(truncatingIfNeeded: spaces.lastNumber))
    {
      return
    }
    commandAny(opcode, dword0, dword1)
  }

  /// VMID and ASID stand in a command as in the key of an address space.
  @inline(__always)
  private static func spaceKey(_ dword0: UInt64) -> UInt64 {
    (dword0 &>> 48) | (dword0 &>> 16) & 0xFFFF_0000
  }

  @inline(never)
  private mutating func commandAny(_ opcode: UInt64, _ dword0: UInt64, _ dword1: UInt64) {
    switch opcode {
    case Opcode.tlbiNHVA, Opcode.tlbiNHVAA, Opcode.tlbiEL2VA...Opcode.tlbiEL2VAA, Opcode.tlbiS2IPA:
      invalidateAddresses(opcode, dword0, dword1)
    case Opcode.tlbiNHAll...Opcode.tlbiNSNHAll: invalidateSpaces(opcode, dword0)
    case Opcode.prefetchConfig...Opcode.cfgiCDAll,
      Opcode.atcInvalidate...Opcode.stallTerminate:
      // SSec names a Secure stream, which this queue must not (§4.1.6).
      if dword0 & 1 << 10 != 0 {
        refusals.illegalCommand &+= 1
      } else {
        executeStream(opcode, dword0, dword1)
      }
    // Among them SYNC with CS = 3.
    default: refusals.illegalCommand &+= 1
    }
  }

  // MARK: Streams

  private mutating func executeStream(_ opcode: UInt64, _ dword0: UInt64, _ dword1: UInt64) {
    let streamID = UInt32(truncatingIfNeeded: dword0 &>> 32)
    switch opcode {
    // A hint: there is no prefetcher.
    case Opcode.prefetchConfig, Opcode.prefetchAddress: break
    // CFGI_STE also removes the CDs that were found through the stream (§4.3.1).
    case Opcode.cfgiSTE: forgetStreams(streamID, streamID)
    case Opcode.cfgiSTERange:
      // Range 31 is CFGI_ALL; else 2^(Range + 1) StreamIDs, aligned.
      let range = UInt32(truncatingIfNeeded: dword1 & 0x1F)
      let span: UInt32 = range == 31 ? ~0 : 2 << range &- 1
      forgetStreams(streamID & ~span, streamID | span)
    case Opcode.cfgiCD:
      forgetContext(streamID, UInt32(truncatingIfNeeded: (dword0 &>> 12) & 0xF_FFFF))
    case Opcode.cfgiCDAll:
      forgetContext(streamID, 0)
      contextCache.removeAll(streamID, streamID)
    // Sizes above 52 the architecture permits to be errors (§4.5.1); here they are.
    case Opcode.atcInvalidate where options.features.ats && dword1 & 0x3F <= 52:
      counters.atcInvalidations &+= 1
    case Opcode.priResponse where (dword1 &>> 12) & 3 != 3: break
    case Opcode.resume where (dword0 &>> 12) & 3 != 3:
      resume(streamID, UInt16(truncatingIfNeeded: dword1), (dword0 &>> 12) & 3)
    case Opcode.stallTerminate: stalls.terminate(streamID: streamID)
    default: refusals.illegalCommand &+= 1
    }
  }

  /// Resp: 0 terminate, with success; 1 retry; 2 abort. A RESUME that names no stalled transaction of
  /// the stream has no effect (§4.7.1).
  private mutating func resume(_ streamID: UInt32, _ tag: UInt16, _ response: UInt64) {
    guard let request = stalls.waiting(tag), request.streamID == streamID else { return }
    stalls.free(tag)
    switch response {
    case 0: stalls.resolve(tag, .readZeroWriteIgnored)
    case 2: stalls.resolve(tag, .aborted)
    default:
      let answer = translate(request)
      // One that stalls again has the lowest free tag, which may be its own.
      if stalls.waiting(tag) == nil { stalls.resolve(tag, .retried(answer.translation)) }
    }
  }

  // MARK: Addresses

  private mutating func invalidateAddresses(
    _ opcode: UInt64, _ dword0: UInt64, _ dword1: UInt64
  ) {
    // An intermediate address has 52 bits; the others are all address (§4.4.2.2).
    let address = opcode == Opcode.tlbiS2IPA ? dword1 & 0x000F_FFFF_FFFF_FFFF : dword1
    let ranges = options.features.rangeInvalidation
    guard let scope = InvalidationScope(dword0, address, ranges: ranges) else {
      refusals.illegalCommand &+= 1
      return
    }
    let vmid = UInt16(truncatingIfNeeded: dword0 &>> 32)
    let asid = UInt16(truncatingIfNeeded: dword0 &>> 48)
    let world = registers.e2h ? StreamWorld.el2E2H : .el2
    switch opcode {
    case Opcode.tlbiNHVA:
      invalidate(scope, space: spaces.number(of: Self.spaceKey(dword0)))
      invalidateGlobals(scope, .nsEL1, vmid)
    case Opcode.tlbiNHVAA:
      invalidate(scope) { $0.world == .nsEL1 && $0.vmid == UInt64(vmid) }
    case Opcode.tlbiEL2VA:
      invalidate(scope, space: spaces.find(AddressSpace.stage1(world, vmid: 0, asid: asid)))
      invalidateGlobals(scope, world, 0)
    case Opcode.tlbiEL2VAA: invalidate(scope) { $0.world == world }
    default: invalidateIntermediate(scope, vmid)
    }
  }

  private mutating func invalidate(_ scope: InvalidationScope, space: Int) {
    guard space != 0 else { return }
    tlb.remove(space: UInt64(space), scope)
    walkCache.removePieces(space: UInt64(space), scope)
    stage1Tables.removeTables(space: UInt64(space), scope)
  }

  private mutating func invalidateGlobals(
    _ scope: InvalidationScope, _ world: StreamWorld, _ vmid: UInt16
  ) {
    guard globalsCached else { return }
    let space = spaces.find(AddressSpace.global(world, vmid: vmid))
    if space != 0 { tlb.remove(space: UInt64(space), scope) }
  }

  /// By address, in every space for which `matches` holds.
  private mutating func invalidate(
    _ scope: InvalidationScope, _ matches: (AddressSpace) -> Bool
  ) {
    // Safety: space numbers in tags are those of spaces that exist.
    let all = unsafe spaces.spaces
    func isOurs(_ line: TranslationBuffer.Line) -> Bool {
      unsafe matches(all[Int(line.space)]) && line.touches(scope.first, scope.last)
    }
    tlb.removeAll { isOurs($0) && scope.covers($1, leafShift: $0.leafShift) }
    if scope.leafOnly { return }
    walkCache.removeAll { line, _ in isOurs(line) }
    stage1Tables.removeAll { isOurs($0) && scope.coversTable($1, shift: $0.shift) }
  }

  /// Stage-2-only streams live in the combined TLB under a space of their own. Entries combined from
  /// both stages stay, as the architecture has it (§4.4.3.1); last-level tables by physical address
  /// are of both, but nothing asks for them to stay.
  private mutating func invalidateIntermediate(_ scope: InvalidationScope, _ vmid: UInt16) {
    stage2TLB.remove(space: UInt64(vmid), scope)
    stage2Tables.removeTables(space: UInt64(vmid), scope)
    let space = spaces.find(AddressSpace.stage2(vmid: vmid))
    if space != 0 { tlb.remove(space: UInt64(space), scope) }
    walkCache.removeAll()
  }

  // MARK: Spaces

  private mutating func invalidateSpaces(_ opcode: UInt64, _ dword0: UInt64) {
    let vmid = (dword0 &>> 32) & 0xFFFF
    let asid = UInt16(truncatingIfNeeded: dword0 &>> 48)
    switch opcode {
    case Opcode.tlbiNHAll: invalidate { $0.world == .nsEL1 && $0.vmid == vmid }
    case Opcode.tlbiNHASID: invalidate(space: spaces.number(of: Self.spaceKey(dword0)))
    case Opcode.tlbiEL2All: invalidate { $0.world == .el2 || $0.world == .el2E2H }
    case Opcode.tlbiEL2ASID:
      invalidate(space: spaces.find(AddressSpace.stage1(.el2E2H, vmid: 0, asid: asid)))
    case Opcode.tlbiS12VMAll:
      invalidate { ($0.world == .nsEL1 || $0.isStage2) && $0.vmid == vmid }
      stage2TLB.removeAll { line, _ in line.space == vmid }
      stage2Tables.removeAll { line, _ in line.space == vmid }
    case Opcode.tlbiNSNHAll:
      invalidate { $0.world == .nsEL1 || $0.isStage2 }
      stage2TLB.removeAll()
      stage2Tables.removeAll()
    default: refusals.illegalCommand &+= 1
    }
  }

  /// One space's entries. Global ones have no ASID, and stay.
  private mutating func invalidate(space: Int) {
    guard space != 0 else { return }
    let matches = { (line: TranslationBuffer.Line, _: TranslationDetail) in
      line.space == UInt64(space)
    }
    tlb.removeAll(where: matches)
    walkCache.removeAll(where: matches)
    stage1Tables.removeAll(where: matches)
  }

  private mutating func invalidate(_ matches: (AddressSpace) -> Bool) {
    // Safety: as above.
    let all = unsafe spaces.spaces
    func isOurs(_ line: TranslationBuffer.Line, _: TranslationDetail) -> Bool {
      unsafe matches(all[Int(line.space)])
    }
    tlb.removeAll(where: isOurs)
    walkCache.removeAll(where: isOurs)
    stage1Tables.removeAll(where: isOurs)
  }
}
