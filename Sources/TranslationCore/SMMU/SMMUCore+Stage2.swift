/// Stage 2: IPA → PA (Arm ARM DDI 0487, D8.2; IHI 0070, §3.4 and §5.2).
extension SMMUCore {
  typealias Class = SMMUFaultSyndrome.Class

  /// Translates `ipa` and checks that the access is allowed there. `faultClass` says what for: the
  /// final address, a stage-1 descriptor, or a CD; the last two also obey S2PTW, and are data.
  ///
  /// - Parameter need: bit 0 reading, bit 1 writing.
  @inline(__always)
  mutating func translateStage2(
    _ ipa: UInt64, _ faultClass: Class, _ need: UInt64, _ stream: Stream
  ) -> Stage2Result {
    // Safety: the pointer is to the stream of the access; a line that was found is one of the buffer.
    if unsafe ipa < stream.pointee.stage2.inputLimit,
      let line = unsafe stage2TLB.find(ipa, space: UInt64(stream.pointee.vmid))
    {
      let found = unsafe Stage2Result(address: ipa, line: line.pointee.data)
      // A write to a clean page has to be recorded in its descriptor: the entry does not serve it.
      if need & 2 == 0 || !found.isClean {
        counters.stage2TLBHits &+= 1
        if unsafe isAllowed(found, faultClass, need, stream) { return found }
        return Stage2Result(fault: refuse(ipa, faultClass, need))
      }
    }
    return unsafe missStage2(ipa, faultClass, need, stream)
  }

  @inline(never)
  private mutating func missStage2(
    _ ipa: UInt64, _ faultClass: Class, _ need: UInt64, _ stream: Stream
  ) -> Stage2Result {
    counters.stage2TLBMisses &+= 1
    // Safety: as `translateStage2`.
    let found = unsafe walkStage2(ipa, faultClass, need, stream)
    if found.fault != 0 { return found }
    guard unsafe isAllowed(found, faultClass, need, stream) else {
      return Stage2Result(fault: refuse(ipa, faultClass, need))
    }
    unsafe stage2TLB.insert(
      ipa, space: UInt64(stream.pointee.vmid), shift: found.shift, leafShift: found.shift,
      output: found.address, low: found.lineBits,
      detail: TranslationDetail(found, granuleShift: stream.pointee.stage2.granuleShift))
    return found
  }

  @inline(__always)
  private func isAllowed(
    _ found: Stage2Result, _ faultClass: Class, _ need: UInt64, _ stream: Stream
  ) -> Bool {
    // Safety: as `translateStage2`.
    if faultClass == .inputAddress {
      return found.permissions.allows(need, instruction: request.instruction)
    }
    let isProtected = unsafe found.isDevice && stream.pointee.flags.contains(.protectsWalks)
    return found.permissions.allows(need, instruction: false) && !isProtected
  }

  private mutating func refuse(_ ipa: UInt64, _ faultClass: Class, _ need: UInt64) -> UInt8 {
    fail(
      SMMUEvent.permission, stage2: ipa, faultClass,
      descriptorRead: faultClass == .descriptor && need & 2 == 0)
  }

  @inline(__always)
  private mutating func walkStage2(
    _ ipa: UInt64, _ faultClass: Class, _ need: UInt64, _ stream: Stream
  ) -> Stage2Result {
    // Safety: as `translateStage2`.
    let shape = unsafe stream.pointee.stage2
    let outputBits = unsafe UInt64(stream.pointee.outputBits2)
    guard ipa < shape.inputLimit else {
      return Stage2Result(fault: fail(SMMUEvent.translation, stage2: ipa, faultClass))
    }
    var level = shape.startLevel
    var table = unsafe stream.pointee.root2
    if stage2Tables.isEnabled { unsafe startStage2(ipa, stream, &level, &table) }
    while true {
      let place = table &+ shape.descriptorOffset(ipa, level)
      guard let descriptor = read(physical: place) else {
        return Stage2Result(
          fault: fail(SMMUEvent.walkExternalAbort, stage2: place, faultClass))
      }
      counters.stage2Reads &+= 1
      let type = descriptor & 3
      if level < 3, type == Descriptor.tableOrPage {
        table = shape.address(in: descriptor, from: UInt64(shape.granuleShift))
        if table &>> outputBits != 0, !ownsTables {
          return Stage2Result(fault: fail(SMMUEvent.addressSize, stage2: ipa, faultClass))
        }
        if stage2Tables.isEnabled { unsafe rememberStage2(table, level, ipa, stream) }
        level += 1
        continue
      }
      let isLeaf = level == 3 ? type == Descriptor.tableOrPage : type == Descriptor.block
      guard isLeaf, shape.allowsLeaf(level) else {
        return Stage2Result(fault: fail(SMMUEvent.translation, stage2: ipa, faultClass))
      }
      return unsafe stage2Leaf(descriptor, level, at: place, ipa, faultClass, need, stream)
    }
  }

  // MARK: Remembered tables

  private mutating func startStage2(
    _ ipa: UInt64, _ stream: Stream, _ level: inout UInt8, _ table: inout UInt64
  ) {
    // Safety: as `translateStage2`.
    guard let line = unsafe stage2Tables.findSmallest(ipa, space: UInt64(stream.pointee.vmid))
    else {
      counters.stage2TableMisses &+= 1
      return
    }
    counters.stage2TableHits &+= 1
    let detail = unsafe stage2Tables.detail(of: line)
    table = detail.address
    level = unsafe UInt8(truncatingIfNeeded: detail.level(line.pointee.shift)) + 1
  }

  private mutating func rememberStage2(
    _ table: UInt64, _ level: UInt8, _ ipa: UInt64, _ stream: Stream
  ) {
    // Safety: as `translateStage2`.
    let shape = unsafe stream.pointee.stage2
    let shift = shape.shift(level)
    unsafe stage2Tables.insert(
      ipa, space: UInt64(stream.pointee.vmid), shift: shift, leafShift: shift, output: 0, low: 0,
      detail: TranslationDetail(nextTable: table, limits: 0, granuleShift: shape.granuleShift))
  }

  // MARK: Leaves

  /// Output size, then access flag and dirty state (IHI 0070, §3.13; S2HA, S2HD, S2AFFD in §5.2).
  @inline(__always)
  private mutating func stage2Leaf(
    _ read: UInt64, _ level: UInt8, at place: UInt64, _ ipa: UInt64, _ faultClass: Class,
    _ need: UInt64, _ stream: Stream
  ) -> Stage2Result {
    // Safety: as `translateStage2`.
    let shape = unsafe stream.pointee.stage2
    let flags = unsafe stream.pointee.flags
    var shift = shape.shift(level)
    let output = shape.address(in: read, from: shift)
    if unsafe output &>> UInt64(stream.pointee.outputBits2) != 0 {
      return Stage2Result(fault: fail(SMMUEvent.addressSize, stage2: ipa, faultClass))
    }
    var descriptor = read
    if descriptor & Descriptor.accessFlag == 0 {
      if flags.contains(.updatesAccessFlag) {
        descriptor |= Descriptor.accessFlag
      } else if !flags.contains(.noAccessFaults) {
        return Stage2Result(fault: fail(SMMUEvent.accessFlag, stage2: ipa, faultClass))
      }
    }
    let marksDirty =
      descriptor & Descriptor.dirtyBitModifier != 0
      && flags.isSuperset(of: [.updatesAccessFlag, .updatesDirtyState])
    if need & 2 != 0, marksDirty { descriptor |= Descriptor.stage2Writable }
    if descriptor != read, !write(descriptor, physical: place) {
      return Stage2Result(fault: fail(SMMUEvent.walkExternalAbort, stage2: place, faultClass))
    }
    if descriptor & Descriptor.contiguous != 0 {
      shift = min(shift + shape.contiguousLog2(level), UInt64(shape.inputBits))
    }
    let mask = ~0 as UInt64 &<< shift
    return Stage2Result(
      address: output & mask | ipa & ~mask, shift: shift,
      permissions: Stage2Permissions(leaf: descriptor),
      isClean: marksDirty && descriptor & Descriptor.stage2Writable == 0,
      isDevice: Descriptor.isStage2Device(descriptor))
  }
}
