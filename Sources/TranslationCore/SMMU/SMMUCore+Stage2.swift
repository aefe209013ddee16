/// The answer of stage 2 for one intermediate address.
struct Stage2Result: BitwiseCopyable {
  var address: UInt64 = 0
  /// log2 of the bytes of the leaf, or of the contiguous run that it belongs to.
  var shift: UInt64 = 0
  var permissions = Stage2Permissions(bits: 0)
  var isClean = false
  var isDevice = false
  /// An event number; `syndrome` has the rest.
  var fault: UInt8 = 0
}

/// Stage 2: IPA → PA (Arm ARM DDI 0487, D8.2; IHI 0070, §3.4 and §5.2).
extension SMMUCore {
  typealias Class = SMMUFaultSyndrome.Class

  /// Translates `ipa` and checks that the access is allowed there. `faultClass` says what for: the
  /// final address, a stage-1 descriptor, or a CD; the last two also obey S2PTW.
  ///
  /// - Parameter need: bit 0 reading, bit 1 writing.
  @inline(__always)
  mutating func translateStage2(
    _ ipa: UInt64, _ faultClass: Class, _ need: UInt8, instruction: Bool,
    _ stream: UnsafeMutablePointer<StreamContext>
  ) -> Stage2Result {
    // Safety: the pointer is to the stream of the access.
    if unsafe ipa < stream.pointee.limit2,
      let line = unsafe stage2TLB.find(ipa, space: UInt64(stream.pointee.vmid))
    {
      let detail = unsafe stage2TLB.detail(of: line)
      let data = unsafe line.pointee.data
      if data & TranslationBuffer.Line.needsDetail == 0 || !(need & 2 != 0 && detail.isClean) {
        counters.stage2TLBHits &+= 1
        let found = unsafe Stage2Result(
          address: ipa &+ (data & ~0xFFF), shift: line.pointee.shift,
          permissions: detail.stage2, isClean: detail.isStage2Clean, isDevice: detail.isDevice)
        return unsafe checked(found, ipa, faultClass, need, instruction, stream)
      }
    }
    return unsafe missStage2(ipa, faultClass, need, instruction, stream)
  }

  @inline(never)
  private mutating func missStage2(
    _ ipa: UInt64, _ faultClass: Class, _ need: UInt8, _ instruction: Bool,
    _ stream: UnsafeMutablePointer<StreamContext>
  ) -> Stage2Result {
    counters.stage2TLBMisses &+= 1
    // Safety: as `translateStage2`.
    let walked = unsafe walkStage2(ipa, faultClass, need, stream)
    if walked.fault != 0 { return walked }
    let found = unsafe checked(walked, ipa, faultClass, need, instruction, stream)
    if found.fault != 0 { return found }
    let detail = unsafe TranslationDetail(found, granuleShift: stream.pointee.stage2.granuleShift)
    let isPlain =
      !found.isClean && found.permissions.bits & Stage2Permissions.noExecution == 0
    unsafe stage2TLB.insert(
      ipa, space: UInt64(stream.pointee.vmid), shift: found.shift, leafShift: found.shift,
      output: found.address,
      denied: Self.denied(detail, .nsEL1) | (isPlain ? 0 : TranslationBuffer.Line.needsDetail),
      detail: detail)
    return found
  }

  @inline(__always)
  private mutating func checked(
    _ found: Stage2Result, _ ipa: UInt64, _ faultClass: Class, _ need: UInt8, _ instruction: Bool,
    _ stream: UnsafeMutablePointer<StreamContext>
  ) -> Stage2Result {
    // Safety: as `translateStage2`.
    let isProtected =
      unsafe found.isDevice && faultClass != .inputAddress
      && stream.pointee.flags.contains(.protectsWalks)
    if found.permissions.allows(UInt64(need), instruction: instruction), !isProtected {
      return found
    }
    return Stage2Result(
      fault: fail(
        SMMUEvent.permission, stage2: ipa, faultClass,
        descriptorRead: faultClass == .descriptor && need & 2 == 0))
  }

  private mutating func walkStage2(
    _ ipa: UInt64, _ faultClass: Class, _ need: UInt8,
    _ stream: UnsafeMutablePointer<StreamContext>
  ) -> Stage2Result {
    // Safety: as `translateStage2`.
    let shape = unsafe stream.pointee.stage2
    let outputBits = unsafe UInt64(stream.pointee.outputBits2)
    guard ipa < shape.inputLimit else {
      return Stage2Result(fault: fail(SMMUEvent.translation, stage2: ipa, faultClass))
    }
    var level = shape.startLevel
    var table = unsafe stream.pointee.root2
    if stage2Tables.isEnabled {
      if let line = unsafe stage2Tables.find(ipa, space: UInt64(stream.pointee.vmid)) {
        counters.stage2TableHits &+= 1
        let detail = unsafe stage2Tables.detail(of: line)
        table = detail.address
        level = unsafe UInt8(truncatingIfNeeded: detail.level(line.pointee.shift)) + 1
      } else {
        counters.stage2TableMisses &+= 1
      }
    }
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
        if stage2Tables.isEnabled {
          let shift = shape.shift(level)
          unsafe stage2Tables.insert(
            ipa, space: UInt64(stream.pointee.vmid), shift: shift, leafShift: shift, output: 0,
            denied: 0,
            detail: TranslationDetail(
              nextTable: table, limits: 0, granuleShift: shape.granuleShift))
        }
        level += 1
        continue
      }
      let isLeaf = level == 3 ? type == Descriptor.tableOrPage : type == Descriptor.block
      guard isLeaf, shape.allowsLeaf(level) else {
        return Stage2Result(fault: fail(SMMUEvent.translation, stage2: ipa, faultClass))
      }
      return unsafe stage2Leaf(descriptor, level: level, at: place, ipa, faultClass, need, stream)
    }
  }

  /// Output size, then access flag and dirty state (IHI 0070, §3.13; S2HA, S2HD, S2AFFD in §5.2).
  @inline(__always)
  private mutating func stage2Leaf(
    _ read: UInt64, level: UInt8, at place: UInt64, _ ipa: UInt64, _ faultClass: Class,
    _ need: UInt8, _ stream: UnsafeMutablePointer<StreamContext>
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
      flags.contains([.updatesAccessFlag, .updatesDirtyState])
      && descriptor & Descriptor.dirtyBitModifier != 0
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
