/// STE and SubstreamID → CD (IHI 0070, §5.3 and §5.4).
extension SMMUCore {
  /// Reads a CD and keeps it; the event number if it is bad. What is bad is not kept.
  ///
  /// - Parameter context: takes the CD.
  mutating func fetchContext(
    _ index: UInt32, _ stream: Stream, _ context: Context
  ) -> UInt8 {
    countConfigurationMiss()
    counters.contextMisses &+= 1
    var address: UInt64 = 0
    // Safety: the pointers are to stream and context of the access.
    let located = unsafe locate(UInt64(index), stream, &address)
    if located != 0 { return located }
    var physical: UInt64 = 0
    let number = unsafe find(address, stream, &physical)
    if number != 0 { return number }
    guard let dword0 = read(physical: physical), let dword1 = read(physical: physical &+ 8) else {
      return fail(SMMUEvent.cdFetch, reading: physical)
    }
    counters.cdReads &+= 1
    guard
      var decoded = unsafe ContextEntry(
        dword0, dword1, stream.pointee, outputBits, options.features, checksTables: !ownsTables)
    else { return SMMUEvent.badCD }
    let key = unsafe AddressSpace.stage1(
      stream.pointee.world, vmid: stream.pointee.vmid, asid: UInt16(dword0 >> 48))
    decoded.space = UInt16(spaces.numberAdding(key))
    if options.keepsContexts { decoded.flags.insert(.isCached) }
    unsafe context.pointee = decoded
    if index != 0 {
      if options.keepsContexts { contextCache.insert(request.streamID, index, decoded) }
    } else {
      unsafe prepareForPages(stream)
    }
    return 0
  }

  /// Linear: base + index × 64. Two-level: 64 or 1,024 CDs per leaf table.
  private mutating func locate(
    _ index: UInt64, _ stream: Stream, _ address: inout UInt64
  ) -> UInt8 {
    // Safety: as `fetchContext`.
    let (base, leafBits) =
      unsafe (stream.pointee.contextPointer, UInt64(stream.pointee.contextLeafBits))
    guard leafBits != 0 else {
      address = base &+ index << ContextDescriptor.log2Bytes
      return 0
    }
    var physical: UInt64 = 0
    let number = unsafe find(base &+ (index >> leafBits) << 3, stream, &physical)
    if number != 0 { return number }
    guard let descriptor = read(physical: physical) else {
      return fail(SMMUEvent.cdFetch, reading: physical)
    }
    counters.cdReads &+= 1
    // L1CD (§5.3): V 0, L2Ptr 51:12.
    let leaf = descriptor & 0x000F_FFFF_FFFF_F000
    guard descriptor & 1 != 0, leaf >> UInt64(outputBits) == 0 else {
      return badSubstream(UInt32(truncatingIfNeeded: index))
    }
    address = leaf &+ (index & (1 << leafBits - 1)) << ContextDescriptor.log2Bytes
    return 0
  }

  /// Where a structure of stage 1 lies: its address is intermediate if stage 2 translates too.
  private mutating func find(
    _ address: UInt64, _ stream: Stream, _ physical: inout UInt64
  ) -> UInt8 {
    physical = address
    // Safety: as `fetchContext`.
    guard unsafe stream.pointee.hasStage2 else { return 0 }
    let found = unsafe translateStage2(address, .cdFetch, 1, stream)
    physical = found.address
    return found.fault
  }

  /// Lets `resolvePage` serve the stream if nothing about it is unusual.
  private func prepareForPages(_ stream: Stream) {
    // Safety: as `fetchContext`.
    let context = unsafe stream.pointee.context
    let isPlain = context.flags.isDisjoint(with: [.updatesAccessFlag, .walksDisabled])
    unsafe stream.pointee.walkKey = 0
    guard isPlain, context.space != 0, context.shape.granuleShift == 12,
      unsafe stream.pointee.kind == StreamContext.Kind.nested, tlb.isDirectMapped,
      stage2TLB.isDirectMapped, walkCache.isDirectMapped
    else { return }
    unsafe stream.pointee.prepareForPages()
  }

  /// CFGI_CD, CFGI_CD_ALL: the STE stays.
  mutating func forgetContext(_ streamID: UInt32, _ index: UInt32) {
    if index != 0 {
      contextCache.remove(streamID, index)
    } else if streamID <= lastStreamID {
      // Safety: `contexts` has `lastStreamID` + 1 entries.
      unsafe contexts[Int(streamID)].context.flags.remove(.isCached)
      disarm(streamID)
    }
  }
}

extension ContextEntry {
  /// Decodes a CD. Nil: the SMMU refuses it with C_BAD_CD (IHI 0070, §5.4.2, CdIllegal).
  ///
  /// - Parameter checksTables: TTB0 has to fit the output width.
  init?(
    _ dword0: UInt64, _ dword1: UInt64, _ stream: StreamContext, _ outputBits: UInt8,
    _ features: SMMUFeatures, checksTables: Bool
  ) {
    flags = Flags(rawValue: UInt16(dword0 >> 42 & 0x1F))
    if dword0 >> 35 & 1 != 0 { flags.insert(.noAccessFaults) }
    if dword0 >> 38 & 1 != 0 { flags.insert(.ignoresTopByte) }
    if dword1 & 2 != 0 { flags.insert(.ignoresLimits) }
    // AArch32 tables are not implemented (IDR0.TTF = 2).
    guard dword0 & ContextDescriptor.valid != 0, dword0 >> 41 & 1 != 0 else { return nil }
    if flags.contains(.stalls),
      stream.flags.contains(.stage1NeverStalls) || !features.stallModelSelectable
    {
      return nil
    }
    if flags.contains(.updatesAccessFlag), !features.updatesAccessFlag { return nil }
    if flags.contains(.updatesDirtyState), !features.updatesDirtyState { return nil }

    // EPD0 has no effect at EL2 without EL0: it counts as zero there (§5.4 EPD0).
    let isEPD0 = dword0 >> 14 & 1 != 0 && stream.world != .el2
    if isEPD0 { flags.insert(.walksDisabled) }
    let size = dword0 & 0x3F
    let base = dword1 & 0x000F_FFFF_FFFF_FFF0
    let granule = AddressField.granuleShift(dword0 >> 6)
    let minimum: UInt64 = granule == 16 && features.virtualAddresses52 ? 12 : 16
    if let granule, size >= minimum, size <= 39 {
      self.outputBits = AddressField.effectiveBits(
        dword0 >> 32, granuleShift: granule, outputBits)
      shape = TableShape(
        granuleShift: granule, inputBits: 64 - UInt8(size), outputBits: self.outputBits)
      let isBigEndian = dword0 >> 15 & 1 != 0
      let fits = base >> UInt64(self.outputBits) == 0 || !checksTables
      if !isEPD0, isBigEndian || !fits { return nil }
    } else {
      // Without walks any geometry will do.
      guard isEPD0 else { return nil }
      self.outputBits = 48
    }
    root = base & shape.rootMask
  }
}
