import EventModel

// Stream table entries and context descriptors.

extension TableBuilder {
  /// Stores the STE and CD of a stream, and makes its start tables if they are new.
  mutating func configure(
    _ streamID: UInt32, _ recorded: StreamConfiguration, for smmu: SMMU.Identification,
    in memory: inout ReferenceMemory
  ) throws(SMMUTableError) {
    guard UInt64(streamID) >> layout.streamIDBits == 0 else {
      throw .streamIDOutOfRange(streamID, bits: layout.streamIDBits)
    }
    let configuration = nested(recorded)
    var ste = StreamTableEntry(config: configuration.config)
    ste.s2VMID = configuration.vmid
    ste.shcfg = 1
    let machine: UInt16? = ste.stage2Translates ? configuration.vmid : nil
    if let machine {
      try provideMachine(machine, configuration, for: smmu, in: &memory)
      describeStage2(machine, &ste)
    }
    var stream =
      streams[streamID] ?? Stream(configuration: configuration, root: nil, contextTable: 0)
    let movedSpace = (stream.root?.machine ?? machine) != machine
    stream.configuration = configuration
    if ste.stage1Translates {
      let root = try provideRoot(streamID, configuration, machine, for: smmu, in: &memory)
      if stream.contextTable == 0 || movedSpace {
        stream.contextTable = try makeContextTable(machine, in: &memory)
      }
      stream.root = root
      ste.s1ContextPtr = stream.contextTable
      ste.s1Fmt = layout.s1Fmt
      ste.s1CDMax = layout.s1CDMax
      ste.s1DSS = layout.s1DSS
      ste.s1CIR = 1
      ste.s1COR = 1
      ste.s1CSH = 3
      let cd = contextDescriptor(configuration, roots[root]!.base)
      guard !cd.isIllegal(under: ste, e2h: true, for: smmu) else {
        throw .illegalConfiguration(streamID: streamID)
      }
      try store(cd, at: 0, stream, machine, in: &memory)
    } else {
      stream.root = nil
    }
    guard !ste.isIllegal(for: smmu) else { throw .illegalConfiguration(streamID: streamID) }
    streams[streamID] = stream
    try store(ste, streamID, in: &memory)
  }

  /// The recorded stream as a guest's stream, if there is a plan for it.
  private func nested(_ recorded: StreamConfiguration) -> StreamConfiguration {
    guard let nesting, recorded.config & 0b100 != 0 else { return recorded }
    var configuration = recorded
    configuration.config = recorded.config | 0b010
    configuration.vmid = nesting.vmid
    configuration.s2t0sz = nesting.s2T0SZ
    configuration.s2sl0 = nesting.s2SL0
    configuration.s2granule = nesting.granule
    configuration.s2ps = nesting.s2PS
    configuration.s2ttb = nesting.s2TTB
    return configuration
  }

  private func describeStage2(_ vmid: UInt16, _ ste: inout StreamTableEntry) {
    let machine = machines[vmid]!
    ste.s2T0SZ = machine.plan.s2T0SZ
    ste.s2SL0 = machine.plan.s2SL0
    ste.s2TG = machine.plan.granule.tg0
    ste.s2PS = machine.plan.s2PS
    ste.s2IR0 = 1
    ste.s2OR0 = 1
    ste.s2SH0 = 3
    ste.s2AA64 = true
    ste.s2PTW = true
    ste.s2R = true
    ste.s2TTB = machine.base
  }

  /// The CD that Linux writes: faults recorded, aborts reported, upper half off, its MAIR.
  private func contextDescriptor(
    _ configuration: StreamConfiguration, _ base: UInt64
  ) -> ContextDescriptor {
    var cd = ContextDescriptor()
    cd.t0SZ = configuration.t0sz
    cd.tg0 = configuration.granule.tg0
    cd.ir0 = 1
    cd.or0 = 1
    cd.sh0 = 3
    cd.ips = configuration.ips
    cd.aset = true
    cd.asid = configuration.asid
    cd.ttb0 = base
    cd.mair = 0xF404_FF44
    return cd
  }

  private mutating func makeContextTable(
    _ machine: UInt16?, in memory: inout ReferenceMemory
  ) throws(SMMUTableError) -> UInt64 {
    let count: UInt64 = 1 << layout.s1CDMax
    guard layout.s1CDMax != 0, layout.s1Fmt == 1 || layout.s1Fmt == 2 else {
      let size = ContextDescriptor.sizeBytes * count
      return try allocate(size, alignment: size, machine: machine, in: &memory)
    }
    let perLeaf = contextsPerLeaf
    let size = max((count + perLeaf - 1) / perLeaf * ContextTableLevel1Descriptor.sizeBytes, 64)
    return try allocate(size, alignment: size, machine: machine, in: &memory)
  }

  private var contextsPerLeaf: UInt64 { layout.s1Fmt == 1 ? 64 : 1024 }

  /// Stores one CD of a stream's table, making the leaf table that holds it.
  mutating func store(
    _ cd: ContextDescriptor, at index: UInt32, _ stream: Stream, _ machine: UInt16?,
    in memory: inout ReferenceMemory
  ) throws(SMMUTableError) {
    var address = stream.contextTable + UInt64(index) * ContextDescriptor.sizeBytes
    if layout.s1CDMax != 0 && (layout.s1Fmt == 1 || layout.s1Fmt == 2) {
      let place = try physical(
        stream.contextTable
          + UInt64(index) / contextsPerLeaf * ContextTableLevel1Descriptor.sizeBytes,
        machine: machine, in: memory)
      var descriptor = ContextTableLevel1Descriptor(memory.load(at: place))
      if !descriptor.v {
        let size = contextsPerLeaf * ContextDescriptor.sizeBytes
        let leaf = try allocate(size, alignment: size, machine: machine, in: &memory)
        descriptor = ContextTableLevel1Descriptor(v: true, l2Ptr: leaf)
        memory.store(descriptor.dword, at: place)
      }
      address = descriptor.l2Ptr + UInt64(index) % contextsPerLeaf * ContextDescriptor.sizeBytes
    }
    let place = try physical(address, machine: machine, in: memory)
    for (offset, dword) in cd.dwords.enumerated() {
      memory.store(dword, at: place + UInt64(offset) * 8)
    }
  }

  private mutating func store(
    _ ste: StreamTableEntry, _ streamID: UInt32, in memory: inout ReferenceMemory
  ) throws(SMMUTableError) {
    let base = try provideStreamTable()
    var address = base + UInt64(streamID) * StreamTableEntry.sizeBytes
    if layout.streamTable == .twoLevel && layout.streamIDBits > layout.split {
      let split = UInt64(layout.split)
      let place = base + (UInt64(streamID) >> split) * StreamTableLevel1Descriptor.sizeBytes
      var descriptor = StreamTableLevel1Descriptor(memory.load(at: place))
      if descriptor.span == 0 {
        descriptor = try makeStreamLeaf(in: &memory)
        memory.store(descriptor.dword, at: place)
      }
      address =
        descriptor.l2Ptr + (UInt64(streamID) & (1 << split - 1)) * StreamTableEntry.sizeBytes
    }
    for (offset, dword) in ste.dwords.enumerated() {
      memory.store(dword, at: address + UInt64(offset) * 8)
    }
  }

  /// A leaf of the stream table, all of whose streams abort until they are configured (as Linux
  /// fills it: arm-smmu-v3.c, arm_smmu_init_initial_stes).
  private mutating func makeStreamLeaf(
    in memory: inout ReferenceMemory
  ) throws(SMMUTableError) -> StreamTableLevel1Descriptor {
    let size = StreamTableEntry.sizeBytes << UInt64(layout.split)
    let table = try arena.allocate(size, alignment: size)
    let abort = StreamTableEntry(config: StreamTableEntry.abort).dwords[0]
    for index in 0..<(1 as UInt64) << UInt64(layout.split) {
      memory.store(abort, at: table + index * StreamTableEntry.sizeBytes)
    }
    return StreamTableLevel1Descriptor(span: layout.split + 1, l2Ptr: table)
  }

  mutating func provideStreamTable() throws(SMMUTableError) -> UInt64 {
    if let streamTableBase { return streamTableBase }
    let bits = UInt64(layout.streamIDBits)
    let size =
      layout.streamTable == .twoLevel && layout.streamIDBits > layout.split
      ? max(StreamTableLevel1Descriptor.sizeBytes << (bits - UInt64(layout.split)), 64)
      : StreamTableEntry.sizeBytes << bits
    let base = try arena.allocate(size, alignment: size)
    streamTableBase = base
    return base
  }
}
