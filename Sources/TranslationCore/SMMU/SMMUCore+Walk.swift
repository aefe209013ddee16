extension SMMUCore {
  /// Stage 1: from the cached last-level table if there is one, else from the root.
  @inline(__always)
  mutating func stage1(_ address: UInt64, _ context: UnsafeMutablePointer<StreamContext>)
    -> StageResult
  {
    // Safety: the caller's pointer is to the context of the access.
    let shape = unsafe context.pointee.stage1
    let space = unsafe UInt64(context.pointee.space)
    if let table = walkCache.findNear(address, space: space) {
      counters.stage1Reads &+= 1
      let piece = (table.tag & 0xFFFF_FFFF_F000) &+ (table.data & ~0xFFF)
      let index = (address &>> UInt64(shape.granuleShift)) & 511
      let descriptor = read(physical: piece | index &<< 3)
      guard let descriptor else { return StageResult(fault: SMMUEvent.walkExternalAbort) }
      guard descriptor & 3 == Descriptor.tableOrPage else {
        return StageResult(fault: SMMUEvent.translation)
      }
      return unsafe stage1Leaf(
        descriptor, UInt64(shape.granuleShift), address, context.pointee.outputBits1)
    }
    return unsafe stage1FromRoot(address, context)
  }

  @inline(never)
  private mutating func stage1FromRoot(
    _ address: UInt64, _ context: UnsafeMutablePointer<StreamContext>
  ) -> StageResult {
    // Safety: as `stage1`.
    let shape = unsafe context.pointee.stage1
    var table = unsafe context.pointee.root1
    var level = shape.startLevel
    while true {
      var location = table &+ shape.descriptorOffset(address, level)
      if unsafe context.pointee.kind == StreamContext.Kind.nested {
        let physical = unsafe stage2(location, context)
        if physical.fault != 0 { return physical }
        if physical.permissions & 1 == 0 { return StageResult(fault: SMMUEvent.permission) }
        location = physical.address
      }
      counters.stage1Reads &+= 1
      guard let descriptor = read(physical: location) else {
        return StageResult(fault: SMMUEvent.walkExternalAbort)
      }
      let type = descriptor & 3
      if level < 3, type == Descriptor.tableOrPage {
        table = descriptor & Descriptor.addressMask
        level += 1
        continue
      }
      let isLeaf = level == 3 ? type == Descriptor.tableOrPage : type == Descriptor.block
      guard isLeaf, shape.allowsLeaf(level) else {
        return StageResult(fault: SMMUEvent.translation)
      }
      if level == 3 {
        // The 4 KiB piece of the table around the descriptor: 512 entries, whole in stage 2 too.
        let pieceShift = UInt64(shape.granuleShift) + 9
        let covered = address & (~0 &<< pieceShift)
        unsafe walkCache.insert(
          covered, space: UInt64(context.pointee.space), shift: pieceShift, leafShift: pieceShift,
          output: location & ~0xFFF, permissions: 3)
      }
      return unsafe stage1Leaf(
        descriptor, shape.shift(level), address, context.pointee.outputBits1)
    }
  }

  /// Output size, access flag, permissions of a stage-1 leaf (DDI 0487, D8.3.1 and D8.4).
  @inline(__always)
  private mutating func stage1Leaf(
    _ descriptor: UInt64, _ shift: UInt64, _ address: UInt64, _ outputBits: UInt8
  ) -> StageResult {
    let mask = ~0 as UInt64 &<< shift
    let output = descriptor & Descriptor.addressMask & mask
    if output &>> UInt64(outputBits) != 0 {
      return StageResult(fault: SMMUEvent.addressSize)
    }
    if descriptor & Descriptor.accessFlag == 0 { return StageResult(fault: SMMUEvent.accessFlag) }
    if descriptor & Descriptor.notGlobal == 0 { globalsCached = true }
    let readable = (descriptor &>> 6) & 1
    let writable = readable & ~(descriptor &>> 7)
    let permissions = readable | writable &<< 1
    return StageResult(
      address: output | (address & ~mask), shift: shift, permissions: permissions)
  }

  /// Stage 2 of an intermediate address: TLB or walk.
  @inline(__always)
  mutating func stage2(_ address: UInt64, _ context: UnsafeMutablePointer<StreamContext>)
    -> StageResult
  {
    // Safety: as `stage1`.
    if let hit = unsafe stage2TLB.find(address, space: UInt64(context.pointee.vmid)) {
      return StageResult(
        address: address &+ (hit.data & ~0xFFF), shift: hit.shift,
        permissions: ~hit.data & 3)
    }
    return unsafe stage2Walk(address, context)
  }

  @inline(never)
  private mutating func stage2Walk(
    _ address: UInt64, _ context: UnsafeMutablePointer<StreamContext>
  ) -> StageResult {
    counters.stage2TLBMisses &+= 1
    // Safety: as `stage1`.
    let (result, reads) = unsafe stage2Lookup(
      address, root: context.pointee.root2, shape: context.pointee.stage2,
      outputBits: context.pointee.outputBits2)
    counters.stage2Reads &+= reads
    if result.fault == 0 {
      unsafe stage2TLB.insert(
        address, space: UInt64(context.pointee.vmid), shift: result.shift,
        leafShift: result.shift, output: result.address, permissions: result.permissions)
    }
    return result
  }

  /// The walk itself, without caches or counters: also what an untimed caller uses.
  @inline(__always)
  func stage2Lookup(
    _ address: UInt64, root: UInt64, shape: TableShape, outputBits: UInt8
  ) -> (result: StageResult, reads: UInt64) {
    guard address < shape.inputLimit else {
      return (StageResult(fault: SMMUEvent.translation), 0)
    }
    var table = root
    var level = shape.startLevel
    var reads: UInt64 = 0
    while true {
      reads &+= 1
      guard let descriptor = read(physical: table &+ shape.descriptorOffset(address, level)) else {
        return (StageResult(fault: SMMUEvent.walkExternalAbort), reads)
      }
      let type = descriptor & 3
      if level < 3, type == Descriptor.tableOrPage {
        table = descriptor & Descriptor.addressMask
        level += 1
        continue
      }
      let isLeaf = level == 3 ? type == Descriptor.tableOrPage : type == Descriptor.block
      guard isLeaf, shape.allowsLeaf(level) else {
        return (StageResult(fault: SMMUEvent.translation), reads)
      }
      let shift = shape.shift(level)
      let mask = ~0 as UInt64 &<< shift
      let output = descriptor & Descriptor.addressMask & mask
      if output &>> UInt64(outputBits) != 0 {
        return (StageResult(fault: SMMUEvent.addressSize), reads)
      }
      if descriptor & Descriptor.accessFlag == 0 {
        return (StageResult(fault: SMMUEvent.accessFlag), reads)
      }
      let result = StageResult(
        address: output | (address & ~mask), shift: shift, permissions: (descriptor &>> 6) & 3)
      return (result, reads)
    }
  }
}
