/// StreamID → STE (IHI 0070, §3.3.2, §5.1 and §5.2).
extension SMMUCore {
  /// Reads the STE into the configuration cache; the event number if it is bad.
  ///
  /// What is bad is not cached: each access reads it again, so a repaired entry works at once.
  mutating func fetchStream(_ streamID: UInt32) -> UInt8 {
    countConfigurationMiss()
    counters.streamMisses &+= 1
    var entry: UInt64 = 0
    let number = locate(streamID, &entry)
    if number != 0 { return number }
    guard let dword0 = read(physical: entry), let dword1 = read(physical: entry &+ 8),
      let dword2 = read(physical: entry &+ 16), let dword3 = read(physical: entry &+ 24)
    else { return fail(SMMUEvent.steFetch, reading: entry) }
    counters.steReads &+= 1
    guard
      let stream = StreamContext(
        (dword0, dword1, dword2, dword3), self.outputBits, options.features, e2h: registers.e2h,
        checksTables: !ownsTables)
    else { return SMMUEvent.badSTE }
    keep(stream, streamID)
    return 0
  }

  /// Where the STE lies: range of the StreamID, then the level-1 descriptor.
  private mutating func locate(_ streamID: UInt32, _ entry: inout UInt64) -> UInt8 {
    let log2Size = UInt64(registers.log2Size)
    guard UInt64(streamID) >> min(log2Size, 32) == 0 else { return badStreamID() }
    let entryBits = StreamTableEntry.log2Bytes
    let split = UInt64(registers.split)
    // The table is aligned to its size; lower bits of the base are taken as zero (§6.3.24).
    guard registers.isTwoLevel, log2Size > split else {
      entry =
        registers.streamTableBase & (~0 << (log2Size + entryBits)) &+ UInt64(streamID)
        << entryBits
      return 0
    }
    let base = registers.streamTableBase & (~0 << max(log2Size - split + 3, 6))
    let place = base &+ (UInt64(streamID) >> split) << 3
    guard let descriptor = read(physical: place) else {
      return fail(SMMUEvent.steFetch, reading: place)
    }
    counters.steReads &+= 1
    // §7.3.3: Span 0, more than SPLIT + 1, or an index beyond 2^(Span−1).
    let index = UInt64(streamID) & (1 << split - 1)
    let span = descriptor & 0x1F
    guard span != 0, span <= split + 1, index >> (span - 1) == 0 else { return badStreamID() }
    entry = descriptor & StreamTableEntry.contextPointerMask &+ index << entryBits
    return 0
  }

  /// An access that reads STE and CD is one miss.
  mutating func countConfigurationMiss() {
    if missedConfiguration { return }
    missedConfiguration = true
    counters.configurationMisses &+= 1
  }

  private mutating func keep(_ stream: StreamContext, _ streamID: UInt32) {
    // Safety: the caller checked the StreamID.
    let slot = unsafe contexts + Int(streamID)
    var kept = stream
    unsafe kept.order = slot.pointee.order
    if stream.hasStage2 {
      kept.space2 = UInt16(spaces.numberAdding(AddressSpace.stage2(vmid: stream.vmid)))
    }
    cachedStreams.lower = min(cachedStreams.lower, streamID)
    cachedStreams.upper = max(cachedStreams.upper, streamID)
    if let before = streamOrder.add(streamID, at: &kept.order) { forget(before) }
    unsafe slot.pointee = kept
  }

  /// Forgets STE, CD 0 and the substreams' CDs of StreamIDs `first`…`last`. O(streams cached so far).
  mutating func forgetStreams(_ first: UInt32, _ last: UInt32) {
    contextCache.removeAll(first, last)
    let lower = max(first, cachedStreams.lower)
    let upper = min(last, cachedStreams.upper)
    guard lower <= upper else { return }
    for streamID in lower...upper { forget(streamID) }
    if lower == cachedStreams.lower, upper == cachedStreams.upper { cachedStreams = (.max, 0) }
  }

  private func forget(_ streamID: UInt32) {
    // Safety: only StreamIDs of the table enter `cachedStreams`.
    unsafe contexts[Int(streamID)].kind = StreamContext.Kind.none
    unsafe contexts[Int(streamID)].context.flags = []
    disarm(streamID)
  }

  /// The stream's next access asks the slow path.
  func disarm(_ streamID: UInt32) {
    // Safety: as `forget`.
    unsafe lookups[Int(streamID)].limit = 0
  }
}

extension StreamContext {
  /// Decodes an STE. Nil: the SMMU refuses it with C_BAD_STE (IHI 0070, §5.2.2 and its pseudocode
  /// SteIllegal). An entry that aborts is checked for V only.
  ///
  /// - Parameter checksTables: S2TTB has to fit the output width.
  init?(
    _ dwords: (UInt64, UInt64, UInt64, UInt64), _ outputBits: UInt8, _ features: SMMUFeatures,
    e2h: Bool, checksTables: Bool
  ) {
    let (dword0, dword1, dword2, dword3) = dwords
    guard dword0 & StreamTableEntry.valid != 0 else { return nil }
    switch StreamTableEntry.config(dword0) {
    case 4: kind = Kind.bypass
    case 5: kind = Kind.stage1
    case 6: kind = Kind.stage2
    case 7: kind = Kind.nested
    default: kind = Kind.abort
    }
    ats = UInt8(dword1 >> 28 & 3)
    vmid = UInt16(truncatingIfNeeded: dword2)
    if kind == Kind.abort { return }

    let stage2Stalls = dword2 >> 57 & 1 != 0
    // EATS = 2, split-stage ATS, needs both stages; and no stall may hold up an ATS answer.
    if features.ats, kind != Kind.bypass {
      if ats == 2, kind != Kind.nested || stage2Stalls { return nil }
      if ats == 1, stage2Stalls, hasStage2 { return nil }
    }
    // STRW counts only if stage 1 alone translates; its odd values are reserved.
    if kind == Kind.stage1 {
      let strw = dword1 >> 30 & 3
      if strw & 1 == 1 { return nil }
      world = strw == 2 ? (e2h ? .el2E2H : .el2) : .nsEL1
    }
    if hasStage1, !setStage1(dword0, dword1, outputBits, features) { return nil }
    if hasStage2, !setStage2(dword2, dword3, outputBits, features, checksTables) { return nil }
  }

  private mutating func setStage1(
    _ dword0: UInt64, _ dword1: UInt64, _ outputBits: UInt8, _ features: SMMUFeatures
  ) -> Bool {
    if dword1 >> 27 & 1 != 0 {
      if !features.stallModelSelectable { return false }
      flags.insert(.stage1NeverStalls)
    }
    substreamBits = UInt8(dword0 >> 59)
    if substreamBits > features.substreamIDBits { return false }
    contextPointer = dword0 & StreamTableEntry.contextPointerMask
    if contextPointer >> UInt64(outputBits) != 0 { return false }
    defaultSubstream = UInt8(dword1 & 3)
    // The reserved format 3 behaves as linear, and a single CD is never in two levels (§5.2 S1Fmt).
    switch dword0 >> 4 & 3 {
    case 1 where substreamBits != 0: contextLeafBits = 6
    case 2 where substreamBits != 0: contextLeafBits = 10
    default: contextLeafBits = 0
    }
    return true
  }

  private mutating func setStage2(
    _ dword2: UInt64, _ dword3: UInt64, _ outputBits: UInt8, _ features: SMMUFeatures,
    _ checksTables: Bool
  ) -> Bool {
    flags.formUnion(Flags(rawValue: UInt8(dword2 >> 53 & 0x3F)))
    // AArch32 tables and big-endian tables are not implemented (IDR0.TTF = 2, TTENDIAN = 2).
    if dword2 >> 51 & 1 == 0 || dword2 >> 52 & 1 != 0 { return false }
    if flags.contains(.stalls), !features.stallModelSelectable { return false }
    if flags.contains(.updatesAccessFlag), !features.updatesAccessFlag { return false }
    if flags.contains(.updatesDirtyState), !features.updatesDirtyState { return false }

    // The fields have to fit together (STEWalkConfigInconsistentAA64). The input width is capped to
    // IAS, which is OAS when only AArch64 tables exist (§3.4).
    guard let granule = AddressField.granuleShift(dword2 >> 46) else { return false }
    let width = AddressField.effectiveBits(dword2 >> 48, granuleShift: granule, outputBits)
    let size = dword2 >> 32 & 0x3F
    guard size >= (granule == 16 ? 12 : 16), size <= 39, 64 - size <= UInt64(outputBits),
      let level = StreamTableEntry.startLevel(
        field: UInt8(dword2 >> 38 & 3), granuleShift: granule),
      let shape = TableShape(
        stage2GranuleShift: granule, inputBits: 64 - UInt8(size), startLevel: level,
        outputBits: width)
    else { return false }
    let base = dword3 & 0x000F_FFFF_FFFF_FFF0
    if checksTables, base >> UInt64(width) != 0 { return false }
    stage2 = shape
    outputBits2 = width
    root2 = base & shape.rootMask
    return true
  }
}
