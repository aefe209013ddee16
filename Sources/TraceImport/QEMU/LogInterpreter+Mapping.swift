import EventModel

// Stream configurations and mappings, as accesses reveal them.

extension LogInterpreter {
  /// Gives the stream's configuration if this access read it.
  mutating func configureStream(_ thread: Int, _ streamID: UInt32, _ time: UInt64) {
    let context = threads[thread]
    guard context.hasConfigurationMiss, context.hasTranslationTable, context.hasASID else { return }
    let space = UInt32(context.vmid) << 16 | UInt32(context.asid)
    if let base = tableBases[space], base != context.ttb0 {
      unmapAll(streamID, context.asid, context.vmid, time)
    }
    if tableBases.count >= 1 << 16 { tableBases.removeAll() }
    tableBases[space] = context.ttb0
    note(streamID, 5)
    var configuration = StreamConfiguration()
    configuration.config = 5
    configuration.asid = context.asid
    configuration.vmid = context.vmid
    configuration.ttb0 = context.ttb0
    configuration.t0sz = context.t0sz
    configuration.granule = Granule(rawValue: (context.granule - 10) / 2) ?? .kib4
    configuration.ips = Self.addressSizeCode(context.outputAddressBits)
    queue.append(configuration.event(time: time, streamID: streamID, origin: .emulator))
  }

  mutating func note(_ streamID: UInt32, _ config: UInt8) {
    if streamConfigurations.count >= 1 << 16 { streamConfigurations.removeAll() }
    streamConfigurations[streamID] = config
  }

  /// CD.IPS (IHI 0070, §5.4): 32, 36, 40, 42, 44, 48, 52 bits.
  private static func addressSizeCode(_ bits: UInt8) -> UInt8 {
    switch bits {
    case ...32: 0
    case ...36: 1
    case ...40: 2
    case ...42: 3
    case ...44: 4
    case ...48: 5
    default: 6
    }
  }

  /// Gives the leaf that the access needs, if it is not known.
  mutating func mapAccess(
    _ thread: Int, _ streamID: UInt32, _ time: UInt64, iova: UInt64, address: UInt64
  ) {
    let context = threads[thread]
    guard KnownMappings.isKeepable(iova) else { return }
    if context.hasLeaf {
      let log2Granule = context.leafGranule != 0 ? context.leafGranule : context.granule
      let log2Size = log2Granule + (3 - context.leafLevel) * (log2Granule - 3)
      let leaf = KnownMappings.Leaf(
        asid: context.asid, iova: KnownMappings.base(context.leafIOVA, log2Size), log2Size: log2Size
      )
      let descriptor = context.leafDescriptor
      guard KnownMappings.isKeepable(leaf.iova),
        mappings.insert(leaf, descriptor: descriptor)
      else { return }
      map(
        streamID, context, leaf, time, address: context.leafAddress, level: context.leafLevel,
        log2Granule: log2Granule, descriptor: descriptor, flags: [])
      return
    }
    if let known = mappings.lookup(asid: context.asid, iova: iova) {
      let mask = (UInt64(1) << UInt64(known.leaf.log2Size)) - 1
      let output = known.descriptor & 0xFFFF_FFFF_F000 & ~mask | iova & mask
      if output == address { return }
    }
    inferMap(streamID, context, time, iova: iova, address: address)
  }

  /// The log shows an access but no walk of its page: it starts in the middle, or walks were not
  /// traced. One page of the granule, readable and writable, with the access flag set.
  private mutating func inferMap(
    _ streamID: UInt32, _ context: ThreadContext, _ time: UInt64, iova: UInt64, address: UInt64
  ) {
    let log2Size = context.granule
    let mask = (UInt64(1) << UInt64(log2Size)) - 1
    let leaf = KnownMappings.Leaf(asid: context.asid, iova: iova & ~mask, log2Size: log2Size)
    // Bits 1:0 page, 7:6 AP read-write for unprivileged, 9:8 inner shareable, 10 AF, 11 nG.
    let descriptor = address & ~mask | 0xF43
    mappings.remove(asid: context.asid, start: leaf.iova, size: mask + 1) { _ in }
    _ = mappings.insert(leaf, descriptor: descriptor)
    inferredMappings += 1
    map(
      streamID, context, leaf, time, address: address & ~mask, level: 3, log2Granule: log2Size,
      descriptor: descriptor, flags: .inferred)
  }

  private mutating func map(
    _ streamID: UInt32, _ context: ThreadContext, _ leaf: KnownMappings.Leaf, _ time: UInt64,
    address: UInt64, level: UInt8, log2Granule: UInt8, descriptor: UInt64, flags: EventFlags
  ) {
    queue.append(
      .map(
        time: time, streamID: streamID, asid: context.asid, vmid: context.vmid, iova: leaf.iova,
        outputAddress: address, log2SizeBytes: UInt32(leaf.log2Size), level: UInt32(level),
        granule: Granule(rawValue: (log2Granule - 10) / 2) ?? .kib4, descriptor: descriptor,
        flags: flags, origin: .emulator))
  }

  /// The address space starts anew with another table: what was mapped in it is gone.
  private mutating func unmapAll(_ streamID: UInt32, _ asid: UInt16, _ vmid: UInt16, _ time: UInt64)
  {
    var leaves: [KnownMappings.Leaf] = []
    mappings.removeAll(asid: asid) { leaves.append($0) }
    for leaf in leaves { unmap(leaf, streamID, vmid, time) }
  }

  mutating func unmap(
    _ leaf: KnownMappings.Leaf, _ streamID: UInt32, _ vmid: UInt16, _ time: UInt64
  ) {
    let (level, granule) = Self.geometry(log2Size: leaf.log2Size)
    queue.append(
      .unmap(
        time: time, streamID: streamID, asid: leaf.asid, vmid: vmid, iova: leaf.iova,
        log2SizeBytes: UInt32(leaf.log2Size), level: level, granule: granule, flags: .inferred,
        origin: .emulator))
  }

  /// Level and granule of a leaf by its size, which is unique (VMSAv8-64, Arm ARM D8.2).
  private static func geometry(log2Size: UInt8) -> (level: UInt32, granule: Granule) {
    switch log2Size {
    case 14: (3, .kib16)
    case 25: (2, .kib16)
    case 36: (1, .kib16)
    case 16: (3, .kib64)
    case 29: (2, .kib64)
    case 42: (1, .kib64)
    case 21: (2, .kib4)
    case 30: (1, .kib4)
    case 39: (0, .kib4)
    default: (3, .kib4)
    }
  }
}
