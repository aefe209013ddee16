import EventModel

// Stage 2: the machines that stand behind VMIDs.

extension TableBuilder {
  /// Makes the stage 2 of `vmid` from the plan, or from the recorded STE if there is no plan.
  mutating func provideMachine(
    _ vmid: UInt16, _ configuration: StreamConfiguration, for smmu: SMMU.Identification,
    in memory: inout ReferenceMemory
  ) throws(SMMUTableError) {
    if machines[vmid] != nil { return }
    let plan =
      nesting.flatMap { $0.vmid == vmid ? $0 : nil } ?? Stage2Plan(configuration)
    var ste = StreamTableEntry(config: StreamTableEntry.stage2)
    ste.s2T0SZ = plan.s2T0SZ
    ste.s2SL0 = plan.s2SL0
    ste.s2TG = plan.granule.tg0
    ste.s2PS = plan.s2PS
    ste.s2TTB = plan.s2TTB
    guard let geometry = WalkGeometry(stage2: ste, smmu) else {
      throw .illegalConfiguration(streamID: 0)
    }
    let base =
      plan.s2TTB != 0
      ? plan.s2TTB
      : try arena.allocate(
        max(geometry.rootSizeBytes, 1 << geometry.granule.log2),
        alignment: max(geometry.rootSizeBytes, 1 << geometry.granule.log2))
    machines[vmid] = Machine(
      plan: plan, base: base, geometry: geometry, arena: TableArena(plan.tableRegion))
  }

  /// Maps one stretch of IPA by leaves of the largest size that fits its alignment and size.
  mutating func mapStage2(
    _ vmid: UInt16, ipa: UInt64, pa: UInt64, log2Bytes: UInt32, attributes: UInt64,
    in memory: inout ReferenceMemory
  ) throws(SMMUTableError) {
    guard let machine = machines[vmid] else { throw .unknownVMID(vmid) }
    let geometry = machine.geometry
    let level = (geometry.startLevel...3).first {
      ($0 == 3 || geometry.allowsBlock($0)) && geometry.shift($0) <= UInt64(log2Bytes)
    }
    guard let level else { throw .sizeOutOfRange(log2Bytes: log2Bytes, level: 3) }
    try mapLeaves(
      Tables(machine), input: ipa, output: pa, log2Bytes: log2Bytes, level: UInt32(level),
      attributes: attributes, in: &memory)
  }

  /// Makes sure that guest memory is behind `sizeBytes` from `ipa` on.
  mutating func provideStage2(
    _ ipa: UInt64, _ sizeBytes: UInt64, _ vmid: UInt16, in memory: inout ReferenceMemory
  ) throws(SMMUTableError) {
    guard let plan = machines[vmid]?.plan else { throw .unknownVMID(vmid) }
    var address = ipa
    let last = ipa + (sizeBytes - 1)
    while true {
      let span = plan.leafSpan(of: address)
      if stage2Leaf(address, vmid, in: memory) == nil {
        try mapStage2(
          vmid, ipa: span.base, pa: plan.physicalAddress(of: span.base),
          log2Bytes: UInt32(span.log2),
          attributes: plan.isDoorbell(span.base)
            ? Stage2Plan.doorbellAttributes : Stage2Plan.memoryAttributes, in: &memory)
      }
      guard span.last < last else { return }
      address = span.last + 1
    }
  }

  /// Where stage 2 of `vmid` puts `ipa` by the tables as they are in memory; nil if nowhere.
  func stage2Leaf(_ ipa: UInt64, _ vmid: UInt16, in memory: ReferenceMemory) -> UInt64? {
    guard let machine = machines[vmid], ipa >> machine.geometry.inputBits == 0 else { return nil }
    let geometry = machine.geometry
    var table = geometry.rootAddress(machine.base)
    for level in geometry.startLevel...3 {
      let descriptor = TranslationDescriptor(
        memory.load(at: table + geometry.index(ipa, level: level) * 8))
      switch descriptor.kind(level, geometry) {
      case .invalid: return nil
      case .table: table = descriptor.nextTable(geometry)
      case .leaf:
        let mask: UInt64 = 1 << geometry.shift(level) - 1
        return descriptor.leafAddress(level, geometry) | ipa & mask
      }
    }
    return nil
  }
}
