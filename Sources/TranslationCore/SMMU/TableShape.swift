/// The form of one tree of VMSAv8-64 tables: granule, start level, input width.
///
/// Arm ARM DDI 0487, D8.2: a table of 2^g bytes holds 2^(g−3) descriptors, so each level resolves
/// g − 3 bits: 9, 11 or 13 for the granules of 4, 16 and 64 KiB.
struct TableShape: Hashable, Sendable, BitwiseCopyable {
  var granuleShift: UInt8
  var startLevel: UInt8
  var inputBits: UInt8
  /// 64 KiB granule and 52-bit outputs: descriptor bits 15:12 are address bits 51:48, and level 1
  /// may hold blocks (FEAT_LPA).
  var isWide: Bool

  /// Stage 1: the start level follows from the input width (D8.2.7…9).
  init(granuleShift: UInt8, inputBits: UInt8, outputBits: UInt8 = 48) {
    let bits = granuleShift - 3
    self.granuleShift = granuleShift
    self.inputBits = inputBits
    startLevel = 4 - (inputBits - granuleShift + bits - 1) / bits
    isWide = granuleShift == 16 && outputBits == 52
  }

  /// Stage 2: the start level is a field, and up to 16 tables may be concatenated there.
  /// Nil when the fields contradict each other, which makes the STE illegal (IHI 0070, §5.2).
  init?(
    stage2GranuleShift: UInt8, inputBits: UInt8, startLevel: UInt8, outputBits: UInt8 = 48
  ) {
    granuleShift = stage2GranuleShift
    self.inputBits = inputBits
    self.startLevel = startLevel
    isWide = stage2GranuleShift == 16 && outputBits == 52
    guard startLevel <= 3, inputBits > topShift, topBits <= UInt32(bitsPerLevel) + 4 else {
      return nil
    }
  }

  /// The start level that Linux takes: one deeper when at most 16 concatenated tables allow it
  /// (drivers/iommu/io-pgtable-arm.c, arm_64_lpae_alloc_pgtable_s2).
  static func stage2StartLevel(granuleShift: UInt8, inputBits: UInt8) -> UInt8 {
    let plain = TableShape(granuleShift: granuleShift, inputBits: inputBits)
    return plain.startLevel < 3 && plain.topBits <= 4 ? plain.startLevel + 1 : plain.startLevel
  }

  var bitsPerLevel: UInt8 { granuleShift - 3 }
  /// log2 of the bytes that one descriptor of `level` covers.
  @inline(__always)
  func shift(_ level: UInt8) -> UInt64 {
    UInt64(granuleShift) + UInt64(3 - level) * UInt64(granuleShift - 3)
  }
  private var topShift: UInt8 { UInt8(shift(startLevel)) }
  /// Input bits that the start level resolves.
  private var topBits: UInt32 { UInt32(inputBits) - UInt32(topShift) }
  /// log2 of the root's bytes: a whole granule or, concatenated, up to 16.
  var rootLog2Bytes: UInt8 { max(granuleShift, UInt8(topBits) + 3) }
  var inputLimit: UInt64 { 1 << UInt64(inputBits) }

  /// Clears the low bits of a table base: the start table is aligned to the size of what it uses,
  /// and to 64 bytes at least (D8.2.8).
  var rootMask: UInt64 { ~0 << max(UInt64(topBits) + 3, 6) }

  /// Adjacent leaves that the contiguous bit joins (D8.7.1), as log2.
  func contiguousLog2(_ level: UInt8) -> UInt64 {
    switch granuleShift {
    case 12: 4
    case 14: level == 3 ? 7 : 5
    default: 5
    }
  }

  /// Levels that may hold a leaf: blocks at 1 and 2 with 4 KiB, at 2 with 16 and 64 KiB, and at 1
  /// with 64 KiB and 52-bit outputs.
  @inline(__always)
  func allowsLeaf(_ level: UInt8) -> Bool {
    level == 3 || level == 2 || (level == 1 && (granuleShift == 12 || isWide))
  }

  /// Offset in its table of the descriptor for `address`; at the start level the index may run over
  /// concatenated tables.
  @inline(__always)
  func descriptorOffset(_ address: UInt64, _ level: UInt8) -> UInt64 {
    let index = address >> shift(level)
    let mask: UInt64 =
      level == startLevel ? ~0 : (1 << UInt64(granuleShift - 3)) - 1
    return (index & mask) << 3
  }

  /// The address in a descriptor, from bit `low` on.
  @inline(__always)
  func address(in descriptor: UInt64, from low: UInt64) -> UInt64 {
    let address = descriptor & 0x0000_FFFF_FFFF_FFFF & (~0 &<< low)
    return isWide ? address | (descriptor & 0xF000) &<< 36 : address
  }

  /// The inverse: where an address stands in a descriptor.
  func field(_ address: UInt64) -> UInt64 {
    let low = address & Descriptor.addressMask
    return isWide ? low | (address >> 36) & 0xF000 : low
  }
}
