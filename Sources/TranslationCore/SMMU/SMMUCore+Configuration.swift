package import EventModel

extension SMMUCore {
  /// Stores the stream's STE and CD, and makes the (empty) tables that they point to.
  ///
  /// The configuration cache is not touched: the guest's CFGI commands do that. With `nested` a
  /// guest's stage 1 gets the host's stage 2 and its bypass becomes stage 2 only, as a host builds a
  /// nested STE (drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3-iommufd.c). Without it, configs 6 and 7
  /// have the recorded stage 2.
  package mutating func configureStream(_ event: TraceEvent) {
    let streamID = event.streamID
    guard streamID <= lastStreamID else {
      refusals.streamIDOutOfRange += 1
      return
    }
    registers.isEnabled = true
    ownsTables = true
    let configuration = StreamConfiguration(event)
    guard let entry = streamTableEntry(making: streamID) else {
      refusals.arenaFull += 1
      return
    }
    var config = configuration.config & 4 == 0 ? 0 : configuration.config & 7
    if options.nested && config & 4 != 0 { config |= 2 }

    var pointer = arena.load(entry) & StreamTableEntry.contextPointerMask
    if config & 1 != 0 {
      guard let made = storeContextDescriptor(configuration, at: pointer) else { return }
      pointer = made
      // S2VMID tags the TLB entries of a stage-1 stream, too (IHI 0070, §5.2).
      arena.store(entry + 16, UInt64(configuration.vmid))
    }
    if config & 2 != 0 {
      guard storeStage2Fields(configuration, entry: entry) else { return }
    }
    arena.store(entry + 8, StreamTableEntry.dword1(hasStage1: config & 5 == 5))
    arena.store(entry, StreamTableEntry.dword0(config: config, contextPointer: pointer))
  }

  private mutating func storeContextDescriptor(
    _ configuration: StreamConfiguration, at known: UInt64
  ) -> UInt64? {
    let key = AddressSpace.stage1(vmid: configuration.vmid, asid: configuration.asid)
    let number = spaces.numberAdding(key)
    guard number != 0 else {
      refusals.addressSpacesFull += 1
      return nil
    }
    var root: UInt64 = 0
    let granuleShift = UInt8(configuration.granule.log2Bytes)
    if let bits = AddressField.inputBits(
      size: UInt64(configuration.t0sz), granuleShift: granuleShift)
    {
      let shape = TableShape(
        granuleShift: granuleShift, inputBits: bits,
        outputBits: AddressField.effectiveBits(
          UInt64(configuration.ips), granuleShift: granuleShift, outputBits))
      root = makeRoot(
        number, shape, recordedBase: configuration.ttb0, tableBase: arenaIntermediate)
      guard root != 0 else { return nil }
    }
    guard let offset = known == 0 ? takeContextDescriptor() : known - arenaIntermediate else {
      refusals.arenaFull += 1
      return nil
    }
    let granule = AddressField.granuleField(shift: granuleShift)
    arena.store(offset + 24, ContextDescriptor.mair)
    arena.store(offset + 8, arenaIntermediate + root)
    arena.store(
      offset,
      ContextDescriptor.dword0(
        asid: configuration.asid, inputSize: configuration.t0sz, granuleField: granule,
        outputField: configuration.ips))
    return arenaIntermediate + offset
  }

  private mutating func takeContextDescriptor() -> UInt64? {
    if nextContextDescriptor.left == 0 {
      guard let page = arena.allocate(log2Bytes: 12) else { return nil }
      nextContextDescriptor = (page, 64)
    }
    defer {
      nextContextDescriptor.offset += 1 << ContextDescriptor.log2Bytes
      nextContextDescriptor.left -= 1
    }
    return nextContextDescriptor.offset
  }

  private mutating func storeStage2Fields(
    _ configuration: StreamConfiguration, entry: UInt64
  ) -> Bool {
    let tree = spaces.numberAdding(AddressSpace.stage2(vmid: configuration.vmid))
    guard tree != 0 else {
      refusals.addressSpacesFull += 1
      return false
    }
    if options.nested {
      // Safety: `hostStage2` is the number of a space that exists.
      let host = unsafe spaces.spaces[hostStage2]
      let granule = host.shape.granuleShift
      arena.store(
        entry + 16,
        StreamTableEntry.dword2(
          vmid: configuration.vmid, inputSize: 64 - host.shape.inputBits,
          startField: StreamTableEntry.startField(
            level: host.shape.startLevel, granuleShift: granule),
          granuleField: AddressField.granuleField(shift: granule),
          outputField: AddressField.field(bits: outputBits)))
      arena.store(entry + 24, arenaPhysical + host.root)
      return true
    }
    let granule = UInt8(configuration.s2granule.log2Bytes)
    var root: UInt64 = 0
    if let bits = AddressField.inputBits(
      size: UInt64(configuration.s2t0sz), granuleShift: granule),
      let level = StreamTableEntry.startLevel(field: configuration.s2sl0, granuleShift: granule),
      let shape = TableShape(
        stage2GranuleShift: granule, inputBits: bits, startLevel: level,
        outputBits: AddressField.effectiveBits(
          UInt64(configuration.s2ps), granuleShift: granule, outputBits))
    {
      root = makeRecordedStage2(tree, shape, recordedBase: configuration.s2ttb)
      guard root != 0 else { return false }
    }
    arena.store(
      entry + 16,
      StreamTableEntry.dword2(
        vmid: configuration.vmid, inputSize: configuration.s2t0sz,
        startField: configuration.s2sl0, granuleField: AddressField.granuleField(shift: granule),
        outputField: configuration.s2ps))
    arena.store(entry + 24, arenaPhysical + root)
    return true
  }

  /// Arena offset of a stream's STE; makes its level-2 table if need be. Nil at the arena's limit.
  private mutating func streamTableEntry(making streamID: UInt32) -> UInt64? {
    let entryBytes = StreamTableEntry.log2Bytes
    guard streamSplit != 0 else { return streamTable + UInt64(streamID) << entryBytes }
    let slot = streamTable + UInt64(streamID >> streamSplit) * 8
    var descriptor = arena.load(slot)
    if descriptor == 0 {
      let log2 = UInt8(max(12, UInt64(streamSplit) + entryBytes))
      guard let table = arena.allocate(log2Bytes: log2) else { return nil }
      // L1STD (IHI 0070, §5.1): L2Ptr 51:6, Span 4:0; the table has 2^(Span − 1) entries.
      descriptor = (arenaPhysical + table) | UInt64(streamSplit + 1)
      arena.store(slot, descriptor)
      // Linux fills a new level-2 table with entries that abort (arm-smmu-v3.c,
      // arm_smmu_init_initial_stes).
      for index in 0..<UInt64(1) << UInt64(streamSplit) {
        arena.store(
          table + index << entryBytes, StreamTableEntry.dword0(config: 0, contextPointer: 0))
      }
    }
    let table = (descriptor & StreamTableEntry.contextPointerMask) &- arenaPhysical
    return table + UInt64(streamID & (1 << streamSplit - 1)) << entryBytes
  }
}
