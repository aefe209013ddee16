import EventModel

// VA → IPA, or VA → PA if stage 2 does not translate (Arm ARM DDI 0487, D8.2; IHI 0070, §5.4).

extension SMMU {
  /// One stage 1 translation: whose, with which tables.
  struct Stage1Regime {
    var ste: StreamTableEntry
    var cd: ContextDescriptor
    var geometry: WalkGeometry
    var space: AddressSpace

    init(_ ste: StreamTableEntry, _ cd: ContextDescriptor, _ geometry: WalkGeometry, e2h: Bool) {
      self.ste = ste
      self.cd = cd
      self.geometry = geometry
      space = AddressSpace(ste.streamWorld(e2h: e2h), vmid: ste.s2VMID, asid: cd.asid)
    }

    var walksDisabled: Bool { cd.disablesWalks(in: space.world) }
  }

  /// The answer of stage 1 for one VA.
  struct Stage1Answer {
    var address: UInt64
    var coverage: AddressSpan
    var output: UInt64
    var level: Int
    var isGlobal: Bool
    var permissions: Stage1Permissions
    var isClean: Bool
  }

  /// The address as the tables see it: with TBI0 the top byte is ignored (IHI 0070, §3.4.1).
  func effectiveAddress(_ address: UInt64, _ cd: ContextDescriptor) -> UInt64 {
    cd.tbi0 ? address & 0x00FF_FFFF_FFFF_FFFF : address
  }

  mutating func walkStage1(
    _ regime: Stage1Regime, _ transaction: Transaction
  ) throws(SMMUFault) -> Stage1Answer {
    let geometry = regime.geometry
    let address = effectiveAddress(transaction.address, regime.cd)
    // An upper-half address (bit 55 set) fails here too: TTB1 is disabled.
    guard address >> geometry.inputBits == 0, !regime.walksDisabled else {
      throw transaction.stage1Fault(.translation)
    }
    var level = geometry.startLevel
    var table = geometry.rootAddress(regime.cd.ttb0)
    var limits = TableLimits()
    if let entry = deepestWalkEntry(caches.stage1Walk, .stage1Walk, regime.space, address) {
      level = entry.level + 1
      table = entry.nextTable
      limits = entry.limits
    }
    while true {
      let place = table + geometry.index(address, level: level) * 8
      var descriptor = try loadStage1Descriptor(place, regime, transaction)
      switch descriptor.kind(level, geometry) {
      case .invalid: throw transaction.stage1Fault(.translation)
      case .table:
        table = descriptor.nextTable(geometry)
        guard table >> geometry.outputBits == 0 else {
          throw transaction.stage1Fault(.addressSize)
        }
        if !regime.cd.had0 { limits = limits.joined(descriptor.tableLimits) }
        rememberTable(table, limits, level, address, regime)
        level += 1
      case .leaf:
        guard descriptor.leafAddress(level, geometry) >> geometry.outputBits == 0 else {
          throw transaction.stage1Fault(.addressSize)
        }
        try updateStage1(&descriptor, at: place, limits, regime, transaction)
        return stage1Answer(descriptor, level, address, limits, regime)
      }
    }
  }

  private mutating func rememberTable(
    _ table: UInt64, _ limits: TableLimits, _ level: Int, _ address: UInt64, _ regime: Stage1Regime
  ) {
    caches.remember(
      WalkEntry(
        coverage: AddressSpan(around: address, log2: UInt8(regime.geometry.shift(level))),
        granule: regime.geometry.granule, level: level, nextTable: table, limits: limits),
      in: regime.space)
  }

  /// Reads one descriptor; its address is an IPA when stage 2 translates.
  private mutating func loadStage1Descriptor(
    _ place: UInt64, _ regime: Stage1Regime, _ transaction: Transaction
  ) throws(SMMUFault) -> TranslationDescriptor {
    var physical = place
    if regime.ste.stage2Translates {
      physical = try translateStage2(place, .descriptor, .read, regime.ste, transaction).address
    }
    guard let dwords = load(physical, count: 1) else {
      throw transaction.externalAbort(at: physical, stage2: false, .descriptor)
    }
    work.stage1Reads += 1
    return TranslationDescriptor(dwords[0])
  }

  /// Access flag and dirty state (IHI 0070, §3.13; HA, HD, AFFD in §5.4), then the permission
  /// check: an access flag fault comes before a permission fault, and hardware does not mark a page
  /// dirty for a write that is refused.
  private mutating func updateStage1(
    _ descriptor: inout TranslationDescriptor, at place: UInt64, _ limits: TableLimits,
    _ regime: Stage1Regime, _ transaction: Transaction
  ) throws(SMMUFault) {
    let before = descriptor
    if !descriptor.accessFlag {
      if regime.cd.ha {
        descriptor.accessFlag = true
      } else if !regime.cd.affd {
        throw transaction.stage1Fault(.access)
      }
    }
    if transaction.access.write && isStage1Clean(descriptor, regime.cd) {
      descriptor.markDirtyStage1()
    }
    let permissions = descriptor.stage1Permissions.limited(by: limits)
    guard permissions.allows(transaction.access, in: regime.space.world) else {
      throw transaction.stage1Fault(.permission)
    }
    guard descriptor != before else { return }
    var physical = place
    if regime.ste.stage2Translates {
      physical = try translateStage2(place, .descriptor, .write, regime.ste, transaction).address
    }
    guard store(descriptor, at: physical) else {
      throw transaction.externalAbort(at: physical, stage2: false, .descriptor)
    }
  }

  private func isStage1Clean(_ descriptor: TranslationDescriptor, _ cd: ContextDescriptor) -> Bool {
    cd.ha && cd.hd && descriptor.dirtyBitModifier && descriptor.stage1Permissions.readOnly
  }

  private func stage1Answer(
    _ descriptor: TranslationDescriptor, _ level: Int, _ address: UInt64, _ limits: TableLimits,
    _ regime: Stage1Regime
  ) -> Stage1Answer {
    let leaf = Leaf(descriptor, level, regime.geometry, address)
    return Stage1Answer(
      address: leaf.output + (address - leaf.coverage.base), coverage: leaf.coverage,
      output: leaf.output, level: level, isGlobal: descriptor.isGlobal,
      permissions: descriptor.stage1Permissions.limited(by: limits),
      isClean: isStage1Clean(descriptor, regime.cd))
  }
}
