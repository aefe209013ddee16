/// The commonest miss of the combined TLB: a 4 KiB page of a nested stream whose last-level table is
/// in the walk cache and whose output lies in a 2 MiB block that the stage-2 TLB knows.
///
/// One descriptor read, two probes, one entry. Whatever is not as expected leaves everything as it was
/// and goes the general way, which also finds the right fault. Only a block that the stage-2 TLB does
/// not know is walked for from here.
extension SMMUCore {
  private static var pageShift: UInt64 { 12 }
  /// log2 of what one last-level table maps, and of the stage-2 block.
  fileprivate static var blockShift: UInt64 { 21 }

  /// - Returns: the answer, or nil. The fast path has missed.
  @inline(__always)
  mutating func resolvePage(
    _ stream: Stream, _ lookup: UnsafeMutablePointer<StreamLookup>, _ address: UInt64,
    _ need: UInt64
  ) -> SMMUTranslation? {
    // Safety: both point to the entries of one StreamID of the table.
    let walkKey = unsafe stream.pointee.walkKey
    guard walkKey != 0, unsafe address < lookup.pointee.limit,
      unsafe lookup.pointee.key == stream.pointee.pageKey, tlb.holdsOnly(Self.pageShift),
      let table = unsafe walkCache.onlyWay(
        address, Self.blockShift, walkKey, stream.pointee.walkSalt)
    else { return nil }
    let covered = address & (~0 &<< Self.blockShift)
    let index = (address &>> Self.pageShift) & 511
    // A multiple of 8: tables and the arena begin at page boundaries.
    let place = (covered &+ (table & ~0xFFF) | index &<< 3) &- arenaPhysical
    guard place < arena.limitBytes else { return nil }

    let descriptor = arena.load(place)
    let expected = Descriptor.tableOrPage | Descriptor.accessFlag | Descriptor.notGlobal
    let output = descriptor & Descriptor.addressMask
    // As in a line of the TLB: bit 0 not readable, bit 1 not writable.
    let readable = descriptor &>> 6 & 1
    let writable = readable & ~(descriptor &>> 7)
    let denied = (readable | writable &<< 1) ^ 3
    guard descriptor & (expected | Descriptor.contiguous) == expected,
      unsafe output < stream.pointee.outputLimit1, denied & need == 0
    else { return nil }
    guard
      let block = unsafe stage2TLB.onlyWay(
        output, Self.blockShift, stream.pointee.stage2Key, stream.pointee.stage2Salt)
    else { return unsafe resolveBlock(stream, descriptor, address, need) }
    guard block & (Stage2Permissions.noExecution | Stage2Result.clean) == 0, block & need == 0
    else { return nil }

    let physical = output &+ (block & ~0xFFF)
    let page = address & (~0 &<< Self.pageShift)
    unsafe tlb.replace(
      at: (address &>> UInt64(lookup.pointee.setShift)) ^ UInt64(lookup.pointee.salt),
      tag: page | lookup.pointee.key, data: (physical &- page) | denied | block & 3,
      shift: Self.pageShift)
    counters.pageWalks &+= 1
    return SMMUTranslation(address: physical | address & 0xFFF)
  }

  /// The page's output lies in no block of 2 MiB that the stage-2 TLB knows.
  ///
  /// - Parameter descriptor: the page's, which permits the access.
  @inline(never)
  private mutating func resolveBlock(
    _ stream: Stream, _ descriptor: UInt64, _ address: UInt64, _ need: UInt64
  ) -> SMMUTranslation {
    counters.resolved &+= 1
    counters.tlbMisses &+= 1
    counters.walkCacheHits &+= 1
    counters.stage1Reads &+= 1
    // Safety: as `resolvePage`; a stream that has a `walkKey` has its CD.
    request = unsafe SMMURequest(
      UInt32(truncatingIfNeeded: stream - contexts), address, need)
    syndrome = SMMUFaultSyndrome()
    let output = descriptor & Descriptor.addressMask
    let found = unsafe translateStage2(output | address & 0xFFF, .inputAddress, need, stream)
    if found.fault != 0 {
      return unsafe fault(found.fault, stream, StreamContext.context(of: stream))
    }
    let first = Stage1Result(
      address: output, shift: Self.pageShift,
      permissions: Stage1Permissions(leaf: descriptor, limits: 0), isClean: false, isGlobal: false)
    var detail = TranslationDetail(first, granuleShift: 12)
    detail.combine(found, intermediate: output)
    unsafe tlb.insert(
      address, space: UInt64(stream.pointee.context.space), shift: Self.pageShift,
      leafShift: Self.pageShift, output: found.address, low: Self.denied(detail, .nsEL1),
      detail: detail)
    return SMMUTranslation(address: found.address)
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
