/// The commonest miss of the combined TLB: a 4 KiB page of a nested stream whose last-level table is
/// in the walk cache and whose output lies in a 2 MiB block that the stage-2 TLB knows.
///
/// One descriptor read, two probes, one entry. Whatever is not as expected leaves everything as it was
/// and goes the general way, which also finds the right fault.
extension SMMUCore {
  private static var pageShift: UInt64 { 12 }
  /// log2 of what one last-level table maps, and of the stage-2 block.
  fileprivate static var blockShift: UInt64 { 21 }

  /// - Returns: the physical address, or nil. The fast path has missed.
  @inline(__always)
  mutating func resolvePage(
    _ context: UnsafeMutablePointer<StreamContext>, _ lookup: UnsafeMutablePointer<StreamLookup>,
    _ address: UInt64, _ need: UInt64
  ) -> UInt64? {
    // Safety: both point to the entries of one StreamID of the table.
    let walkKey = unsafe context.pointee.walkKey
    guard walkKey != 0, unsafe address < lookup.pointee.limit,
      unsafe lookup.pointee.key == context.pointee.pageKey, tlb.holdsOnly(Self.pageShift),
      let table = unsafe walkCache.onlyWay(
        address, Self.blockShift, walkKey, context.pointee.walkSalt)
    else { return nil }
    let covered = address & (~0 &<< Self.blockShift)
    let index = (address &>> Self.pageShift) & 511
    // A multiple of 8: tables and the arena begin at page boundaries.
    let place = (covered &+ (table & ~0xFFF) | index &<< 3) &- arenaPhysical
    guard place < arena.limitBytes else { return nil }

    let descriptor = arena.load(place)
    let expected = Descriptor.tableOrPage | Descriptor.accessFlag | Descriptor.notGlobal
    let output = descriptor & Descriptor.addressMask
    guard descriptor & (expected | Descriptor.contiguous) == expected,
      unsafe output < context.pointee.outputLimit1,
      let block = unsafe stage2TLB.onlyWay(
        output, Self.blockShift, context.pointee.stage2Key, context.pointee.stage2Salt),
      block & (Stage2Permissions.noExecution | Stage2Result.clean) == 0
    else { return nil }
    // As in a line of the TLB: bit 0 not readable, bit 1 not writable.
    let readable = descriptor &>> 6 & 1
    let writable = readable & ~(descriptor &>> 7)
    let denied = ((readable | writable &<< 1) ^ 3) | block & 3
    guard denied & need == 0 else { return nil }

    let physical = output &+ (block & ~0xFFF)
    let page = address & (~0 &<< Self.pageShift)
    unsafe tlb.replace(
      at: (address &>> UInt64(lookup.pointee.setShift)) ^ UInt64(lookup.pointee.salt),
      tag: page | lookup.pointee.key, data: (physical &- page) | denied, shift: Self.pageShift,
      detail: TranslationDetail(page: descriptor, denied: block & 3).word)
    counters.pageWalks &+= 1
    return physical | address & 0xFFF
  }
}

extension StreamContext {
  /// Makes `resolvePage` possible for a nested stream with 4 KiB pages that hardware does not mark.
  mutating func prepareForPages() {
    let space = UInt64(context.space)
    pageKey = space << 48 | 12
    walkKey = space << 48 | SMMUCore.blockShift
    walkSalt = TranslationBuffer.salt(space)
    stage2Key = UInt64(vmid) << 48 | SMMUCore.blockShift
    stage2Salt = TranslationBuffer.salt(UInt64(vmid))
    outputLimit1 = 1 << UInt64(context.outputBits)
  }
}
