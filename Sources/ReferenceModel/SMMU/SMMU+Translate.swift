import EventModel

// One access from StreamID and address to a physical address or a fault.

extension SMMU {
  /// Translates one access and records what happened.
  ///
  /// The order of checks: SMMU enabled; StreamID in range; STE; SubstreamID; CD; input address
  /// against T0SZ; walk, at each level validity, then output size; access flag; permission; and
  /// stage 2 in the same order on every IPA (IHI 0070, §3.3.2, §3.4 and §15.1).
  package mutating func translate(
    streamID: UInt32, substreamID: UInt32? = nil, address: UInt64, access: SMMUAccess
  ) -> SMMUResult {
    let transaction = Transaction(
      streamID: streamID, substreamID: substreamID, address: address, access: access)
    work = SMMUWork()
    inForce = Configuration()
    counters.accesses += 1
    var outcome: SMMUResult.Outcome
    do throws(SMMUFault) {
      outcome = try resolve(transaction)
    } catch {
      outcome = record(error, transaction)
    }
    count()
    return SMMUResult(outcome: outcome, work: work)
  }

  private mutating func resolve(
    _ transaction: Transaction
  ) throws(SMMUFault) -> SMMUResult.Outcome {
    if transaction.access.kind == .unsupported { throw transaction.fault(.unsupportedTransaction) }
    guard registers.isEnabled else { return try resolveDisabled(transaction) }
    if transaction.access.kind == .atsTranslated && !registers.checksATSTranslated {
      return untranslated(transaction.address)
    }
    let ste = try fetchSTE(transaction)
    inForce.ste = ste
    if transaction.access.kind != .untranslated {
      if let answer = try resolveATS(ste, transaction) { return answer }
    }
    if ste.aborts { return .aborted }
    switch try selectContext(ste, transaction) {
    case .index(let index):
      let cd = try fetchCD(index, ste, transaction)
      inForce.cd = cd
      // EPD0 leaves T0SZ and TG0 meaningless; any geometry will do, as no walk happens.
      let geometry =
        WalkGeometry(stage1: cd, identification)
        ?? WalkGeometry(granule: .kib4, inputBits: 48, outputBits: 48)
      let regime = Stage1Regime(ste, cd, geometry, e2h: registers.e2h)
      return .translated(try translateStage1(regime, transaction))
    case .bypass:
      // Stage 1 passes the address on if it fits IAS, or OAS without stage 2 (§3.4): they are
      // equal.
      guard transaction.address >> identification.outputAddressBits == 0 else {
        throw transaction.stage1Fault(.addressSize)
      }
      guard ste.stage2Translates else { return untranslated(transaction.address) }
      return .translated(try translateStage2Only(ste, transaction))
    }
  }

  private func untranslated(_ address: UInt64) -> SMMUResult.Outcome {
    .translated(
      SMMUTranslation(
        address: address, readable: true, writable: true, log2SizeBytes: 64, tlbHit: false))
  }

  /// CR0.SMMUEN = 0 (§3.11): GBPA decides; an address beyond OAS aborts without an event.
  private func resolveDisabled(_ transaction: Transaction) throws(SMMUFault) -> SMMUResult.Outcome {
    switch transaction.access.kind {
    case .atsRequest: throw transaction.fault(.badATSRequest)
    case .atsTranslated: throw transaction.fault(.translationForbidden)
    default: break
    }
    let fits = transaction.address >> identification.outputAddressBits == 0
    return registers.abortsWhenDisabled || !fits ? .aborted : untranslated(transaction.address)
  }

  /// ATS (§3.9.1): nil if the transaction goes on as an ordinary one. EATS 0 forbids ATS, 1 allows
  /// it, 2 leaves stage 2 to the SMMU. Config 0b100 acts as EATS 0 (§7.3.6, §7.3.8).
  private mutating func resolveATS(
    _ ste: StreamTableEntry, _ transaction: Transaction
  ) throws(SMMUFault) -> SMMUResult.Outcome? {
    let allowed =
      identification.ats && ste.eats != 0 && ste.eats != 3
      && ste.config != StreamTableEntry.bypass
    guard transaction.access.kind == .atsTranslated else {
      if ste.aborts { return nil }
      guard allowed else { throw transaction.fault(.badATSRequest) }
      return nil
    }
    if ste.aborts { return .aborted }
    guard allowed else { throw transaction.fault(.translationForbidden) }
    if ste.eats == 2 { return .translated(try translateStage2Only(ste, transaction)) }
    return untranslated(transaction.address)
  }

  private mutating func translateStage2Only(
    _ ste: StreamTableEntry, _ transaction: Transaction
  ) throws(SMMUFault) -> SMMUTranslation {
    let answer = try translateStage2(
      transaction.address, .inputAddress, transaction.access, ste, transaction)
    if !answer.tlbHit { counters.tlbMisses += 1 }
    let permissions = answer.entry.permissions
    return SMMUTranslation(
      address: answer.address, readable: permissions.read,
      writable: permissions.write || answer.entry.isClean,
      log2SizeBytes: answer.entry.coverage.log2, tlbHit: answer.tlbHit)
  }
}

extension SMMU {
  private mutating func translateStage1(
    _ regime: Stage1Regime, _ transaction: Transaction
  ) throws(SMMUFault) -> SMMUTranslation {
    let address = effectiveAddress(transaction.address, regime.cd)
    if caches.enabled.contains(.iotlb) {
      let found =
        caches.iotlb.lookup(regime.space, address)
        + (regime.space.asid == nil ? [] : caches.iotlb.lookup(regime.space.global, address))
      if caches.reportsConflicts && found.count > 1 {
        throw transaction.stage1Fault(.tlbConflict)
      }
      // A write to a clean page has to reach its descriptor: the entry does not serve it.
      let usable = found.filter {
        !(transaction.access.write && ($0.isStage1Clean || $0.isStage2Clean))
      }
      let entry = usable.min { $0.coverage.log2 < $1.coverage.log2 }
      work.iotlb.count(hit: entry != nil)
      if let entry {
        try check(entry, address, regime, transaction)
        return translation(entry, address, regime, transaction, tlbHit: true)
      }
    }
    counters.tlbMisses += 1
    let entry = try walk(address, regime, transaction)
    // A world without ASIDs has its one tag already.
    caches.remember(entry.tlb, in: entry.isGlobal ? regime.space.global : regime.space)
    return translation(entry.tlb, address, regime, transaction, tlbHit: false)
  }

  /// Stage 1, then stage 2 on its output: one combined entry of the smaller size.
  private mutating func walk(
    _ address: UInt64, _ regime: Stage1Regime, _ transaction: Transaction
  ) throws(SMMUFault) -> (tlb: TLBEntry, isGlobal: Bool) {
    let stage1 = try walkStage1(regime, transaction)
    var entry = TLBEntry(
      coverage: stage1.coverage, reach: stage1.coverage, granule: regime.geometry.granule,
      level: stage1.level, output: stage1.output, stage1: stage1.permissions,
      isStage1Clean: stage1.isClean, intermediate: stage1.output, stage2: nil,
      isStage2Clean: false)
    if regime.ste.stage2Translates {
      let stage2 = try translateStage2(
        stage1.address, .inputAddress, transaction.access, regime.ste, transaction)
      let log2 = min(stage1.coverage.log2, stage2.entry.coverage.log2)
      entry.coverage = AddressSpan(around: address, log2: log2)
      entry.intermediate = AddressSpan(around: stage1.address, log2: log2).base
      entry.output = AddressSpan(around: stage2.address, log2: log2).base
      entry.stage2 = stage2.entry.permissions
      entry.isStage2Clean = stage2.entry.isClean
    }
    return (entry, stage1.isGlobal)
  }

  /// Permissions of a remembered translation: stage 1's first, as on a walk.
  private func check(
    _ entry: TLBEntry, _ address: UInt64, _ regime: Stage1Regime, _ transaction: Transaction
  ) throws(SMMUFault) {
    guard entry.stage1.allows(transaction.access, in: regime.space.world) else {
      throw transaction.stage1Fault(.permission)
    }
    guard entry.stage2?.allows(transaction.access) ?? true else {
      throw transaction.stage2Fault(
        .permission, ipa: entry.intermediate + (address - entry.coverage.base), .inputAddress)
    }
  }

  private func translation(
    _ entry: TLBEntry, _ address: UInt64, _ regime: Stage1Regime, _ transaction: Transaction,
    tlbHit: Bool
  ) -> SMMUTranslation {
    let world = regime.space.world
    let read = SMMUAccess(write: false, privileged: transaction.access.privileged)
    let write = SMMUAccess(write: true, privileged: transaction.access.privileged)
    var whenWritten = entry.stage1
    if entry.isStage1Clean { whenWritten.readOnly = false }
    return SMMUTranslation(
      address: entry.output + (address - entry.coverage.base),
      readable: entry.stage1.allows(read, in: world) && entry.stage2?.read ?? true,
      writable: whenWritten.allows(write, in: world)
        && (entry.isStage2Clean || entry.stage2?.write ?? true),
      log2SizeBytes: entry.coverage.log2, tlbHit: tlbHit)
  }
}
