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
    // of one 4 KiB page, leaf only, of the address space that was asked for last.
    if opcode == Opcode.sync { return }
    if opcode == Opcode.tlbiNHVA, dword0 & 0x1F1_F000 == 0, dword1 & 0xC01 == 0x401,
      dword1 & 0x300 != 0, !globalsCached, Self.spaceKey(dword0) == spaces.lastKey,
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
    if opcode == Opcode.tlbiNHVA, !globalsCached {
      guard let range = Self.range(dword0, dword1) else {
        refusals.illegalCommand &+= 1
        return
      }
      let number = spaces.number(of: Self.spaceKey(dword0))
      if number == 0 { return }
      tlb.remove(space: UInt64(number), first: range.first, last: range.last)
      if dword1 & 1 == 0 {
        walkCache.remove(space: UInt64(number), first: range.first, last: range.last)
      }
      return
    }
    execute(opcode, dword0, dword1)
  }

  @inline(never)
  private mutating func execute(_ opcode: UInt64, _ dword0: UInt64, _ dword1: UInt64) {
    let vmid = UInt16(truncatingIfNeeded: dword0 &>> 32)
    let streamID = UInt32(truncatingIfNeeded: dword0 &>> 32)
    switch opcode {
    case Opcode.tlbiNHVA, Opcode.tlbiNHVAA, Opcode.tlbiS2IPA:
      guard let range = Self.range(dword0, dword1) else {
        refusals.illegalCommand &+= 1
        return
      }
      if opcode == Opcode.tlbiS2IPA {
        invalidateIntermediate(vmid, range.first, range.last)
      } else {
        // With global entries about, one ASID's address concerns all of them.
        invalidate(vmid: vmid, first: range.first, last: range.last, leafOnly: dword1 & 1 != 0)
      }
    case Opcode.tlbiNHASID:
      let asid = UInt16(truncatingIfNeeded: dword0 &>> 48)
      let space = spaces.number(of: AddressSpace.stage1(vmid: vmid, asid: asid))
      if space == 0 { return }
      let matches = { (line: TranslationBuffer.Line) in line.space == UInt64(space) }
      tlb.removeAll(where: matches)
      walkCache.removeAll(where: matches)
    case Opcode.tlbiNHAll: invalidate(vmid: vmid, stage2: false)
    case Opcode.tlbiS12VMAll: invalidate(vmid: vmid, stage2: true)
    case Opcode.tlbiNSNHAll:
      tlb.removeAll { _ in true }
      walkCache.removeAll { _ in true }
      stage2TLB.removeAll { _ in true }
      globalsCached = false
    case Opcode.cfgiSTE, Opcode.cfgiCD, Opcode.cfgiCDAll:
      forgetConfiguration(streamID, streamID)
    case Opcode.cfgiSTERange:
      // Range 31 is CFGI_ALL; else 2^(Range + 1) StreamIDs, aligned.
      let range = UInt32(truncatingIfNeeded: dword1 & 0x1F)
      let span: UInt32 = range == 31 ? ~0 : 2 << range &- 1
      forgetConfiguration(streamID & ~span, streamID | span)
    case Opcode.prefetchConfig, Opcode.prefetchAddress, Opcode.atcInvalidate, Opcode.priResponse,
      Opcode.resume, Opcode.stallTerminate, Opcode.tlbiEL2All...Opcode.tlbiEL2VAA:
      // No effect here: no prefetcher, no ATS, no stalls, no EL2 streams.
      break
    default: refusals.illegalCommand &+= 1
    }
  }

  /// First and last address of a TLBI by address (§4.4.1.1): with TG 0 a single one, else
  /// (NUM + 1) × 2^SCALE granules. Nil for the reserved NUM = SCALE = TTL = 0 with a granule.
  @inline(__always)
  private static func range(
    _ dword0: UInt64, _ dword1: UInt64
  ) -> (first: UInt64, last: UInt64)? {
    let first = dword1 & ~0xFFF
    let granule = (dword1 &>> 10) & 3
    if granule == 0 { return (first, first) }
    if dword0 & 0x1F1_F000 | dword1 & 0x300 == 0 { return nil }
    let count = ((dword0 &>> 12) & 0x1F) &+ 1
    // At most 32 × 2^31 × 64 KiB = 2^52: no overflow in the product, but perhaps in the sum.
    let bytes = count &<< (((dword0 &>> 20) & 0x1F) &+ granule &* 2 &+ 10)
    let (last, overflow) = first.addingReportingOverflow(bytes &- 1)
    return (first, overflow ? ~0 : last)
  }

  /// Stage-2-only streams live in the combined TLB under a space of their own. Entries combined
  /// from both stages stay, as the architecture has it (§4.4.3.1).
  private mutating func invalidateIntermediate(_ vmid: UInt16, _ first: UInt64, _ last: UInt64) {
    stage2TLB.remove(space: UInt64(vmid), first: first, last: last)
    let space = spaces.number(of: AddressSpace.stage2(vmid: vmid))
    if space != 0 { tlb.remove(space: UInt64(space), first: first, last: last) }
  }

  /// By address, every ASID of a VMID.
  private mutating func invalidate(vmid: UInt16, first: UInt64, last: UInt64, leafOnly: Bool) {
    // Safety: space numbers in tags are those of spaces that exist.
    let all = unsafe spaces.spaces
    let matches = { (line: TranslationBuffer.Line) in
      let space = unsafe all[Int(line.space)]
      return space.isStage1 && space.vmid == UInt64(vmid) && line.touches(first, last)
    }
    tlb.removeAll(where: matches)
    if !leafOnly { walkCache.removeAll(where: matches) }
  }

  /// Everything of a VMID: stage 1 and combined, or both stages.
  private mutating func invalidate(vmid: UInt16, stage2: Bool) {
    // Safety: as above.
    let all = unsafe spaces.spaces
    let matches = { (line: TranslationBuffer.Line) in
      let space = unsafe all[Int(line.space)]
      return (space.isStage1 || stage2) && space.vmid == UInt64(vmid)
    }
    tlb.removeAll(where: matches)
    walkCache.removeAll(where: matches)
    if stage2 { stage2TLB.removeAll { $0.space == UInt64(vmid) } }
  }
}
