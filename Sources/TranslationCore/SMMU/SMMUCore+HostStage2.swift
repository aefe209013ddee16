/// The host's stage 2: guest memory and arena as blocks, and single pages such as the doorbell's.
extension SMMUCore {
  /// Maps a naturally aligned range of intermediate addresses in the host's stage 2, with the
  /// largest leaves that fit. O(leaves). Refused, and counted, without stage 2, when misaligned or
  /// out of range.
  ///
  /// The host changes its own tables here, so it also invalidates what it replaced.
  package mutating func mapStage2(ipa: UInt64, pa: UInt64, log2SizeBytes: UInt32) {
    guard hostStage2 != 0 else {
      refusals.unknownAddressSpace += 1
      return
    }
    guard (12...30).contains(log2SizeBytes) else {
      refusals.badGeometry += 1
      return
    }
    let size = UInt64(1) << UInt64(log2SizeBytes)
    guard (ipa | pa) & (size - 1) == 0 else {
      refusals.misaligned += 1
      return
    }
    // Safety: `hostStage2` is the number of a space that exists.
    let shape = unsafe spaces.spaces[hostStage2].shape
    guard ipa < shape.inputLimit, pa >> UInt64(outputBits) == 0 else {
      refusals.addressOutOfRange += 1
      return
    }
    split(around: ipa, below: UInt64(log2SizeBytes))
    fillHostStage2(from: ipa, to: ipa + size, output: pa, largest: UInt64(log2SizeBytes))
    stage2TLB.removeAll()
    stage2Tables.removeAll()
    tlb.removeAll()
    walkCache.removeAll()
  }

  /// Stage 2 of an intermediate address, without counters or caches: identity without stage 2, all
  /// ones where nothing is mapped.
  package func physicalAddress(ofIntermediate ipa: UInt64) -> UInt64 {
    guard hostStage2 != 0 else { return ipa }
    return hostLeaf(ipa)?.address ?? ~0
  }

  /// What the host's tables have for an address, as the host itself reads them.
  private func hostLeaf(_ ipa: UInt64) -> (address: UInt64, shift: UInt64)? {
    // Safety: as `mapStage2`.
    let host = unsafe spaces.spaces[hostStage2]
    guard ipa < host.shape.inputLimit else { return nil }
    var table = host.root
    for level in host.shape.startLevel...3 {
      let descriptor = arena.load(table + host.shape.descriptorOffset(ipa, level))
      if level < 3, descriptor & 3 == Descriptor.tableOrPage {
        table = descriptor & Descriptor.addressMask - host.tableBase
        continue
      }
      guard descriptor & Descriptor.valid != 0 else { return nil }
      let shift = host.shape.shift(level)
      let mask: UInt64 = ~0 << shift
      return (descriptor & Descriptor.addressMask & mask | ipa & ~mask, shift)
    }
    return nil
  }

  /// Whether stage 2 needs nothing more for a guest's leaf: its output lies in guest memory.
  @inline(__always)
  func isBacked(_ output: UInt64) -> Bool {
    output &- backedStart < backedBytes
  }

  /// A guest mapped something outside its memory, such as another device's registers: stage 2 gets
  /// it page by page where it has nothing, at the same offset as memory. Blocks of more than 2 MiB
  /// stay without, so that one record is no more than 512 stores.
  @inline(never)
  mutating func back(_ output: UInt64, _ log2: UInt64, _ space: AddressSpace) {
    guard space.isStage1, log2 <= 21 else { return }
    // Safety: as `mapStage2`.
    let limit = unsafe spaces.spaces[hostStage2].shape.inputLimit
    let writes = counters.descriptorWrites
    for page in stride(from: output, to: output + 1 << log2, by: 4096) where page < limit {
      let target = page + options.stage2Offset
      guard physicalAddress(ofIntermediate: page) == ~0, target >> UInt64(outputBits) == 0
      else { continue }
      fillHostStage2(from: page, to: page + 4096, output: target, largest: 12)
    }
    counters.descriptorWrites = writes
  }

  mutating func buildHostStage2() {
    let bits = min(max(options.stage2InputBits, 36), outputBits, 48)
    let start = TableShape.stage2StartLevel(granuleShift: 12, inputBits: bits)
    guard
      let shape = TableShape(stage2GranuleShift: 12, inputBits: bits, startLevel: start),
      options.guestMemory.upperBound + arena.limitBytes <= shape.inputLimit,
      options.guestMemory.upperBound & 0x1FFF_FFFF == 0, options.stage2Offset & 0x1FFF_FFFF == 0
    else { fatalError("SMMUOptions: guest memory and arena do not fit the stage-2 input width") }
    hostStage2 = spaces.numberAdding(AddressSpace.hostStage2)
    let root = makeRoot(hostStage2, shape, recordedBase: 0, tableBase: arenaPhysical)
    precondition(root != 0, "SMMUOptions.arenaLimitBytes is too small for stage 2")
    let memory = options.guestMemory
    fillHostStage2(
      from: memory.lowerBound, to: memory.upperBound + arena.limitBytes,
      output: memory.lowerBound + options.stage2Offset, largest: UInt64(options.stage2BlockLog2))
    // Building the world is not part of what a trace makes the core do.
    counters.descriptorWrites = 0
    precondition(refusals.arenaFull == 0, "SMMUOptions.arenaLimitBytes is too small for stage 2")
  }

  /// The tables of a recorded stage 2 (configs 6 and 7), with the arena in it: stage-1 tables and
  /// context descriptors have to be reachable.
  mutating func makeRecordedStage2(_ number: Int, _ shape: TableShape, recordedBase: UInt64)
    -> UInt64
  {
    // Safety: a number that the table gave is an index of `spaces`.
    let space = unsafe spaces.spaces + number
    let before = unsafe space.pointee.root
    let root = makeRoot(number, shape, recordedBase: recordedBase, tableBase: arenaPhysical)
    guard root != 0, root != before else { return root }
    let level = max(2, shape.startLevel)
    let size = UInt64(1) << shape.shift(level)
    let type = level == 3 ? Descriptor.tableOrPage : Descriptor.block
    let writes = counters.descriptorWrites
    for offset in stride(from: 0, to: arena.limitBytes, by: Int(size)) {
      let address = arenaIntermediate + offset
      if address >= shape.inputLimit { break }
      unsafe store(
        leaf: (arenaPhysical + offset) | Descriptor.hostStage2Leaf | type, at: address,
        level: level, in: space)
    }
    counters.descriptorWrites = writes
    return root
  }

  private mutating func fillHostStage2(
    from first: UInt64, to end: UInt64, output: UInt64, largest: UInt64
  ) {
    // Safety: as `mapStage2`.
    let space = unsafe spaces.spaces + hostStage2
    var address = first
    while address < end {
      let target = output + (address - first)
      let fits = UInt64(min((address | target | 1 << 40).trailingZeroBitCount, 40))
      var level: UInt8 = 3
      for candidate: UInt8 in [1, 2] where level == 3 {
        let shift: UInt64 = candidate == 1 ? 30 : 21
        if shift <= largest, shift <= fits, address + 1 << shift <= end { level = candidate }
      }
      let type = level == 3 ? Descriptor.tableOrPage : Descriptor.block
      unsafe store(
        leaf: target | Descriptor.hostStage2Leaf | type, at: address, level: level, in: space)
      address += level == 3 ? 1 << 12 : level == 2 ? 1 << 21 : 1 << 30
    }
  }

  /// Replaces a block that is larger than 2^`below` bytes and holds `address` by smaller leaves.
  private mutating func split(around address: UInt64, below: UInt64) {
    guard let old = hostLeaf(address), old.shift > below else { return }
    let block = address & (~0 << old.shift)
    let output = old.address & (~0 << old.shift)
    let smaller = old.shift - 9
    fillHostStage2(
      from: block, to: block + 1 << old.shift, output: output, largest: smaller)
    split(around: address, below: below)
  }
}
