/// Leaves of stage 1: output size, access flag and dirty state, permissions (Arm ARM DDI 0487, D8.3.1
/// and D8.4; IHI 0070, §3.13).
extension SMMUCore {
  /// An access flag fault comes before a permission fault, and hardware does not mark a page dirty
  /// for a write that is refused.
  ///
  /// - Parameter place: of the descriptor, an intermediate address when nested.
  @inline(__always)
  mutating func stage1Leaf(
    _ read: UInt64, _ level: UInt8, at place: UInt64, limits: UInt64, _ address: UInt64,
    _ stream: Stream, _ context: Context
  ) -> Stage1Result {
    // Safety: the pointers are to stream and context of the access.
    let shape = unsafe context.pointee.shape
    let flags = unsafe context.pointee.flags
    var shift = shape.shift(level)
    let output = shape.address(in: read, from: shift)
    if unsafe output &>> UInt64(context.pointee.outputBits) != 0 {
      return Stage1Result(fault: fail(SMMUEvent.addressSize))
    }
    var descriptor = read
    if descriptor & Descriptor.accessFlag == 0 {
      if flags.contains(.updatesAccessFlag) {
        descriptor |= Descriptor.accessFlag
      } else if !flags.contains(.noAccessFaults) {
        return Stage1Result(fault: fail(SMMUEvent.accessFlag))
      }
    }
    if request.writes, Self.isClean(descriptor, flags) { descriptor &= ~Descriptor.readOnly }
    let permissions = Stage1Permissions(leaf: descriptor, limits: limits)
    guard unsafe permissions.allows(request, stream.pointee.world) else {
      return Stage1Result(fault: fail(SMMUEvent.permission))
    }
    if descriptor != read {
      let number = unsafe update(descriptor, at: place, stream)
      if number != 0 { return Stage1Result(fault: number) }
    }
    if descriptor & Descriptor.contiguous != 0 {
      shift = min(shift + shape.contiguousLog2(level), UInt64(shape.inputBits))
    }
    // Software keeps a contiguous run uniform, so any member gives its base.
    let mask = ~0 as UInt64 &<< shift
    return Stage1Result(
      address: output & mask | address & ~mask, shift: shift, permissions: permissions,
      isClean: Self.isClean(descriptor, flags),
      isGlobal: descriptor & Descriptor.notGlobal == 0)
  }

  @inline(__always)
  private static func isClean(_ descriptor: UInt64, _ flags: ContextEntry.Flags) -> Bool {
    let clean = Descriptor.dirtyBitModifier | Descriptor.readOnly
    return descriptor & clean == clean
      && flags.isSuperset(of: [.updatesAccessFlag, .updatesDirtyState])
  }

  /// Hardware rewrites a stage-1 descriptor; 0, or the event of a stage 2 that forbids it.
  @inline(never)
  private mutating func update(_ descriptor: UInt64, at place: UInt64, _ stream: Stream) -> UInt8 {
    var physical = place
    // Safety: as `stage1Leaf`.
    if unsafe stream.pointee.kind == StreamContext.Kind.nested {
      let found = unsafe translateStage2(place, .descriptor, 2, stream)
      if found.fault != 0 { return found.fault }
      physical = found.address
    }
    guard write(descriptor, physical: physical) else {
      return fail(SMMUEvent.walkExternalAbort, reading: physical)
    }
    return 0
  }
}
