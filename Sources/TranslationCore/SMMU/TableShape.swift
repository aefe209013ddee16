/// The form of one tree of VMSAv8-64 tables: granule, start level, input width.
///
/// Arm ARM DDI 0487, D8.2: a table of 2^g bytes holds 2^(g−3) descriptors, so each level resolves
/// g − 3 bits: 9, 11 or 13 for the granules of 4, 16 and 64 KiB.
struct TableShape: Hashable, Sendable, BitwiseCopyable {
  var granuleShift: UInt8
  var startLevel: UInt8
  var inputBits: UInt8

  /// Stage 1: the start level follows from the input width (D8.2.7…9).
  init(granuleShift: UInt8, inputBits: UInt8) {
    let bits = granuleShift - 3
    self.granuleShift = granuleShift
    self.inputBits = inputBits
    startLevel = 4 - (inputBits - granuleShift + bits - 1) / bits
  }

  /// Stage 2: the start level is a field, and up to 16 tables may be concatenated there.
  /// Nil when the fields contradict each other, which makes the STE illegal (IHI 0070, §5.2).
  init?(stage2GranuleShift: UInt8, inputBits: UInt8, startLevel: UInt8) {
    granuleShift = stage2GranuleShift
    self.inputBits = inputBits
    self.startLevel = startLevel
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

  /// Adjacent leaves that the contiguous bit joins (D8.7.1), as log2.
  func contiguousLog2(_ level: UInt8) -> UInt64 {
    switch granuleShift {
    case 12: 4
    case 14: level == 3 ? 7 : 5
    default: 5
    }
  }

  /// Levels that may hold a block: 1 and 2 with 4 KiB, 2 with 16 and 64 KiB (48-bit addresses).
  @inline(__always)
  func allowsLeaf(_ level: UInt8) -> Bool {
    level == 3 || level == 2 || (level == 1 && granuleShift == 12)
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
}

/// Fields of a VMSAv8-64 descriptor (Arm ARM DDI 0487, D8.3).
enum Descriptor {
  static let valid: UInt64 = 1
  /// Bits 1:0 of a table at levels 0…2 and of a page at level 3; a block has 01.
  static let tableOrPage: UInt64 = 3
  static let block: UInt64 = 1
  /// Stage 1, AP[1] and AP[2]: accessible without privilege, read-only. A device's access is
  /// unprivileged (STE.PRIVCFG is not modelled).
  static let unprivileged: UInt64 = 1 << 6
  static let readOnly: UInt64 = 1 << 7
  static let accessFlag: UInt64 = 1 << 10
  static let notGlobal: UInt64 = 1 << 11
  static let contiguous: UInt64 = 1 << 52
  /// What Linux stores for DMA memory: write-back, inner shareable, AF, nG, unprivileged
  /// (drivers/iommu/io-pgtable-arm.c, arm_lpae_prot_to_pte).
  static let linuxMemory: UInt64 = 0xF44
  static let addressMask: UInt64 = 0x0000_FFFF_FFFF_F000

  /// A host stage-2 leaf: MemAttr write-back, S2AP read and write, inner shareable, AF.
  static let hostStage2Leaf: UInt64 = 0xF << 2 | 3 << 6 | 3 << 8 | accessFlag
}
