import EventModel

// Memory that devices reach: mapped when first used, unmapped with the invalidation that belongs to it.

extension SyntheticGuest {
  /// The granule of all stage 1 tables: that of the pools.
  var granule: Granule { Self.granule(of: pools.first ?? []) }

  static func granule(of pools: [LeafPool]) -> Granule {
    let smallest = pools.map(\.log2Bytes).min() ?? 12
    return [14, 25].contains(smallest) ? .kib16 : [16, 29].contains(smallest) ? .kib64 : .kib4
  }

  /// One access; before the first to a leaf the driver maps it.
  ///
  /// - Parameter offset: in the leaf.
  mutating func access(
    _ device: Int, pool: Int, leaf: Int, offset: UInt64, sizeBytes: UInt32, flags: EventFlags
  ) {
    let leaves = pools[device][pool]
    if !leaves.isMapped(leaf) {
      pools[device][pool].setMapped(leaf, true)
      // VMSAv8-64 leaf: AF, inner shareable, nG, unprivileged read-write, write-back (Arm ARM, D8.3).
      emit(
        .map(
          time: 0, streamID: streamID(device), asid: asid(device), iova: leaves.iova(leaf),
          outputAddress: leaves.physical(leaf), log2SizeBytes: leaves.log2Bytes,
          level: leaves.level, granule: granule, descriptor: leaves.level == 3 ? 0xF47 : 0xF45))
    }
    emit(
      .dma(
        time: 0, streamID: streamID(device), iova: leaves.iova(leaf) + offset,
        sizeBytes: sizeBytes, flags: flags.union(.addressRecorded),
        expectedAddress: leaves.physical(leaf) + offset, outcome: .translated))
  }

  /// Unmaps a leaf, if it is mapped: TLBI_NH_VA and SYNC follow, as in Linux's strict mode.
  mutating func unmap(_ device: Int, pool: Int, leaf: Int) {
    let leaves = pools[device][pool]
    guard leaves.isMapped(leaf) else { return }
    pools[device][pool].setMapped(leaf, false)
    emit(
      .unmap(
        time: 0, streamID: streamID(device), asid: asid(device), iova: leaves.iova(leaf),
        log2SizeBytes: leaves.log2Bytes, level: leaves.level, granule: granule))
    smmuCommand(0x12 | UInt64(asid(device)) << 48, leaves.iova(leaf) | 1)
  }

  mutating func unmapAll(_ device: Int) {
    for pool in pools[device].indices {
      for leaf in 0..<pools[device][pool].count { unmap(device, pool: pool, leaf: leaf) }
    }
  }
}
