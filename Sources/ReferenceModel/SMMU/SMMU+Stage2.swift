import EventModel

// IPA → PA (Arm ARM DDI 0487, D8.2; IHI 0070, §3.4 and §5.2).

extension SMMU {
  /// The answer of stage 2 for one IPA.
  struct Stage2Answer {
    var address: UInt64
    var entry: Stage2TLBEntry
    var tlbHit: Bool
  }

  /// Translates `ipa` and checks that `access` is allowed there. `faultClass` says what for: the
  /// final address, a stage 1 descriptor, or a CD; the last two also obey S2PTW.
  mutating func translateStage2(
    _ ipa: UInt64, _ faultClass: SMMUEventRecord.Class, _ access: SMMUAccess,
    _ ste: StreamTableEntry, _ transaction: Transaction
  ) throws(SMMUFault) -> Stage2Answer {
    if caches.enabled.contains(.stage2TLB) {
      let found = caches.stage2TLB.lookup(ste.s2VMID, ipa)
      if caches.reportsConflicts && found.count > 1 {
        throw transaction.stage2Fault(.tlbConflict, ipa: ipa, faultClass)
      }
      // A write to a clean page has to be recorded in its descriptor: the entry does not serve it.
      let entry = found.first { !(access.write && $0.isClean) }
      work.stage2TLB.count(hit: entry != nil)
      if let entry {
        try checkStage2(entry, ipa, faultClass, access, ste, transaction)
        return answer(entry, ipa, tlbHit: true)
      }
    }
    let entry = try walkStage2(ipa, faultClass, access, ste, transaction)
    try checkStage2(entry, ipa, faultClass, access, ste, transaction)
    caches.remember(entry, vmid: ste.s2VMID)
    return answer(entry, ipa, tlbHit: false)
  }

  private func answer(_ entry: Stage2TLBEntry, _ ipa: UInt64, tlbHit: Bool) -> Stage2Answer {
    Stage2Answer(
      address: entry.output + (ipa - entry.coverage.base), entry: entry, tlbHit: tlbHit)
  }

  private func checkStage2(
    _ entry: Stage2TLBEntry, _ ipa: UInt64, _ faultClass: SMMUEventRecord.Class,
    _ access: SMMUAccess, _ ste: StreamTableEntry, _ transaction: Transaction
  ) throws(SMMUFault) {
    let protected = ste.s2PTW && faultClass != .inputAddress && entry.isDevice
    guard entry.permissions.allows(access), !protected else {
      throw transaction.stage2Fault(
        .permission, ipa: ipa, faultClass, descriptorRead: !access.write)
    }
  }

  private mutating func walkStage2(
    _ ipa: UInt64, _ faultClass: SMMUEventRecord.Class, _ access: SMMUAccess,
    _ ste: StreamTableEntry, _ transaction: Transaction
  ) throws(SMMUFault) -> Stage2TLBEntry {
    func fault(_ number: SMMUEventRecord.Number) -> SMMUFault {
      transaction.stage2Fault(number, ipa: ipa, faultClass)
    }
    // A valid STE has a geometry: `isIllegal` asked for it.
    let geometry = WalkGeometry(stage2: ste, identification)!
    guard ipa >> geometry.inputBits == 0 else { throw fault(.translation) }

    var level = geometry.startLevel
    var table = geometry.rootAddress(ste.s2TTB)
    if let entry = deepestWalkEntry(caches.stage2Walk, .stage2Walk, ste.s2VMID, ipa) {
      level = entry.level + 1
      table = entry.nextTable
    }
    while true {
      let address = table + geometry.index(ipa, level: level) * 8
      guard let dwords = load(address, count: 1) else {
        throw transaction.externalAbort(at: address, stage2: true, faultClass)
      }
      work.stage2Reads += 1
      var descriptor = TranslationDescriptor(dwords[0])
      switch descriptor.kind(level, geometry) {
      case .invalid: throw fault(.translation)
      case .table:
        table = descriptor.nextTable(geometry)
        guard table >> geometry.outputBits == 0 else { throw fault(.addressSize) }
        caches.remember(
          WalkEntry(
            coverage: AddressSpan(around: ipa, log2: UInt8(geometry.shift(level))),
            granule: geometry.granule, level: level, nextTable: table, limits: TableLimits()),
          vmid: ste.s2VMID)
        level += 1
      case .leaf:
        guard descriptor.leafAddress(level, geometry) >> geometry.outputBits == 0 else {
          throw fault(.addressSize)
        }
        let update = try updateStage2(&descriptor, access, ste, fault(.access))
        if update {
          guard store(descriptor, at: address) else {
            throw transaction.externalAbort(at: address, stage2: true, faultClass)
          }
        }
        return stage2Entry(descriptor, level, geometry, ipa, ste)
      }
    }
  }

  /// Access flag and dirty state (IHI 0070, §3.13; S2HA, S2HD, S2AFFD in §5.2).
  private func updateStage2(
    _ descriptor: inout TranslationDescriptor, _ access: SMMUAccess, _ ste: StreamTableEntry,
    _ accessFault: SMMUFault
  ) throws(SMMUFault) -> Bool {
    var update = false
    if !descriptor.accessFlag {
      if ste.s2HA {
        descriptor.accessFlag = true
        update = true
      } else if !ste.s2AFFD {
        throw accessFault
      }
    }
    if access.write && isStage2Clean(descriptor, ste) {
      descriptor.markDirtyStage2()
      update = true
    }
    return update
  }

  private func isStage2Clean(_ descriptor: TranslationDescriptor, _ ste: StreamTableEntry) -> Bool {
    ste.s2HA && ste.s2HD && descriptor.dirtyBitModifier && !descriptor.stage2Permissions.write
  }

  private func stage2Entry(
    _ descriptor: TranslationDescriptor, _ level: Int, _ geometry: WalkGeometry, _ ipa: UInt64,
    _ ste: StreamTableEntry
  ) -> Stage2TLBEntry {
    let leaf = Leaf(descriptor, level, geometry, ipa)
    return Stage2TLBEntry(
      coverage: leaf.coverage, granule: geometry.granule, level: level, output: leaf.output,
      permissions: descriptor.stage2Permissions, isClean: isStage2Clean(descriptor, ste),
      isDevice: descriptor.isDevice)
  }
}

extension SMMU {
  /// What a leaf covers: its block or page, or the whole run if the contiguous bit joins it with
  /// its neighbours (Arm ARM, D8.7.1). Software keeps the run uniform, so any member gives its
  /// base.
  struct Leaf {
    var coverage: AddressSpan
    var output: UInt64

    init(
      _ descriptor: TranslationDescriptor, _ level: Int, _ geometry: WalkGeometry, _ input: UInt64
    ) {
      var log2 = geometry.shift(level)
      if descriptor.isContiguous {
        log2 = min(log2 + geometry.contiguousLog2(level), geometry.inputBits)
      }
      coverage = AddressSpan(around: input, log2: UInt8(log2))
      output =
        AddressSpan(
          around: descriptor.leafAddress(level, geometry), log2: UInt8(log2)
        ).base
    }
  }

  /// Where a walk may start instead of at the root: the deepest table descriptor that is
  /// remembered.
  mutating func deepestWalkEntry<Tag>(
    _ cache: SpanCache<Tag, WalkEntry>, _ kind: SMMUCaches.Kinds, _ tag: Tag, _ address: UInt64
  ) -> WalkEntry? {
    guard caches.enabled.contains(kind) else { return nil }
    let entry = cache.lookup(tag, address).max { $0.level < $1.level }
    if kind == .stage1Walk {
      work.stage1Walk.count(hit: entry != nil)
    } else {
      work.stage2Walk.count(hit: entry != nil)
    }
    return entry
  }

  mutating func store(_ descriptor: TranslationDescriptor, at address: UInt64) -> Bool {
    guard memory.isAccessible(address, sizeBytes: 8) else { return false }
    memory.store(descriptor.raw, at: address)
    work.descriptorUpdates += 1
    return true
  }
}
