// A guest's commands (IHI 0070, §4; Linux, drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3-iommufd.c,
// arm_vsmmu_validate_user_cmd and arm_vsmmu_convert_user_cmd).
//
//     TLBI  opcode 7:0 · NUM 16:12 · SCALE 24:20 · VMID 47:32 · ASID 63:48
//           | Leaf 0 · TTL 9:8 · TG 11:10 · address 63:12
//     CFGI  opcode 7:0 · SubstreamID 31:12 · StreamID 63:32 | Leaf 0
//     ATC   opcode 7:0 · G 9 · SSV 11 · SubstreamID 31:12 · StreamID 63:32 | Size 5:0 · address 63:12

extension VirtualSMMUCore {
  @usableFromInline static var opcode: UInt64 { 0xFF }
  @usableFromInline static var vmidBits: UInt64 { 0xFFFF << 32 }
  @usableFromInline static var asidBits: UInt64 { 0xFFFF << 48 }
  @usableFromInline static var streamBits: UInt64 { 0xFFFF_FFFF << 32 }
  @usableFromInline static var substreamBits: UInt64 { 0xF_FFFF << 12 }
  @usableFromInline static var rangeBits: UInt64 { 0x1F << 12 | 0x1F << 20 }
  @usableFromInline static var addressBits: UInt64 { ~0xFFF | 0xF << 8 | 1 }

  /// Rewrites one command in place for the physical queue. A refused command stays as it is.
  /// - Returns: nil if it may be issued.
  @inlinable
  package mutating func convert(_ command: inout SMMUCommandWords) -> VirtualSMMURefusals.Reason? {
    let reason = rewrite(&command)
    if let reason { refusals.count(reason) } else { accepted &+= 1 }
    return reason
  }

  /// As many as Linux checks and issues together.
  @inlinable package static var batchLimit: Int { 63 }

  /// Rewrites an array in place, batch by batch.
  ///
  /// - Returns: how many may be issued, and why not all. A refusal fails its batch; the words of a
  ///   failed batch are not to be used, some of them are rewritten.
  @inlinable
  package mutating func convert(
    _ commands: inout MutableSpan<SMMUCommandWords>
  ) -> (issued: Int, refusal: VirtualSMMURefusals.Reason?) {
    var start = 0
    while start < commands.count {
      let end = min(start &+ Self.batchLimit, commands.count)
      for index in start..<end {
        if let reason = rewrite(&commands[index]) {
          refusals.count(reason)
          return (start, reason)
        }
      }
      accepted &+= UInt64(truncatingIfNeeded: end &- start)
      start = end
    }
    return (start, nil)
  }

  @inlinable
  @inline(__always)
  func rewrite(_ command: inout SMMUCommandWords) -> VirtualSMMURefusals.Reason? {
    let (dw0, dw1) = (command.dw0, command.dw1)
    switch dw0 & Self.opcode {
    case 0x12:
      guard dw0 & ~(Self.opcode | Self.vmidBits | Self.asidBits | Self.rangeBits) == 0,
        dw1 & ~Self.addressBits == 0
      else { return .reservedBits }
      guard Self.isRange(dw0, dw1) else { return .reservedRange }
    case 0x13:
      guard dw0 & ~(Self.opcode | Self.vmidBits | Self.rangeBits) == 0,
        dw1 & ~Self.addressBits == 0
      else { return .reservedBits }
      guard Self.isRange(dw0, dw1) else { return .reservedRange }
    case 0x11:
      guard dw0 & ~(Self.opcode | Self.vmidBits | Self.asidBits) == 0, dw1 == 0 else {
        return .reservedBits
      }
    case 0x10:
      guard dw0 & ~(Self.opcode | Self.vmidBits) == 0, dw1 == 0 else { return .reservedBits }
    case 0x30:
      // Everything of everybody, to a guest, is everything of its own: TLBI_NH_ALL.
      guard dw0 & ~Self.opcode == 0, dw1 == 0 else { return .reservedBits }
      command.dw0 = 0x10 | vmidField
      return nil
    case 0x05:
      guard dw0 & ~(Self.opcode | Self.streamBits | Self.substreamBits) == 0, dw1 & ~1 == 0 else {
        return .reservedBits
      }
      return own(&command)
    case 0x06:
      guard dw0 & ~(Self.opcode | Self.streamBits) == 0, dw1 == 0 else { return .reservedBits }
      return own(&command)
    case 0x40:
      let flags: UInt64 = 1 << 9 | 1 << 11
      guard dw0 & ~(Self.opcode | Self.streamBits | Self.substreamBits | flags) == 0,
        dw1 & 0xFC0 == 0
      else { return .reservedBits }
      guard dw1 & 0x3F <= 52 else { return .reservedRange }
      return own(&command)
    default: return .command
    }
    command.dw0 = dw0 & ~Self.vmidBits | vmidField
    return nil
  }

  /// The real StreamID for the guest's.
  @inlinable
  @inline(__always)
  func own(_ command: inout SMMUCommandWords) -> VirtualSMMURefusals.Reason? {
    let name = UInt32(truncatingIfNeeded: command.dw0 &>> 32)
    guard name < streamCount else { return .foreignStream }
    // Safety: checked above.
    let stream = unsafe streams[Int(truncatingIfNeeded: name)]
    guard stream & Self.owned != 0 else { return .foreignStream }
    command.dw0 = command.dw0 & ~Self.streamBits | UInt64(stream & ~Self.owned) &<< 32
    return nil
  }

  /// §4.4.1.1: without TG no range and no level; TTL 1 means nothing with 16 KiB; with TG something.
  @inlinable
  @inline(__always)
  static func isRange(_ dw0: UInt64, _ dw1: UInt64) -> Bool {
    let hasRange = dw0 & rangeBits != 0
    let level = dw1 &>> 8 & 3
    switch dw1 &>> 10 & 3 {
    case 0: return !hasRange && level == 0
    case 2: return level != 1 && (hasRange || level != 0)
    default: return hasRange || level != 0
    }
  }
}
