/// What a remembered translation is beyond its addresses: a word beside each line of a buffer, which
/// a hit of the fast path does not touch. It looks like a leaf descriptor, so that one is nearly it.
///
///     54:53, 7:6 `Stage1Permissions`, or a table's limits · 51:12 intermediate page, or the next table
///     11 stage-2 clean · 10 stage-1 clean · 9:8 granule (TG) · 3 has stage 2 · 2:0 `Stage2Permissions`
struct TranslationDetail: Hashable, BitwiseCopyable {
  var word: UInt64

  private static let addressMask: UInt64 = 0x000F_FFFF_FFFF_F000
  private static let hasStage2: UInt64 = 1 << 3
  private static let stage1Clean: UInt64 = 1 << 10
  private static let stage2Clean: UInt64 = 1 << 11

  init(word: UInt64) { self.word = word }

  /// An entry of stage 1, its output at first the intermediate address.
  @inline(__always)
  init(_ first: Stage1Result, granuleShift: UInt8) {
    word = first.permissions.bits | Self.granule(granuleShift)
    word |= first.isClean ? Self.stage1Clean : 0
  }

  /// Adds stage 2, for the page at `intermediate`.
  @inline(__always)
  mutating func combine(_ second: Stage2Result, intermediate: UInt64) {
    word |= intermediate & Self.addressMask | second.permissions.bits | Self.hasStage2
    word |= second.isClean ? Self.stage2Clean : 0
  }

  /// An entry of stage 2 alone: everything that stage 1 could forbid is allowed.
  init(_ second: Stage2Result, granuleShift: UInt8) {
    word = Stage1Permissions.unprivileged | Self.granule(granuleShift)
    combine(second, intermediate: 0)
  }

  /// A 4 KiB page of a nested stream, with nothing clean and everything executable in stage 2.
  ///
  /// - Parameter denied: `Stage2Permissions`.
  @inline(__always)
  init(page leaf: UInt64, denied: UInt64) {
    word = leaf & (Descriptor.addressMask | Stage1Permissions.mask) | denied
    word |= Self.hasStage2 | Self.granule(12)
  }

  /// A table descriptor.
  init(nextTable: UInt64, limits: UInt64, granuleShift: UInt8) {
    word = nextTable & Self.addressMask | limits | Self.granule(granuleShift)
  }

  @inline(__always)
  private static func granule(_ shift: UInt8) -> UInt64 { (UInt64(shift) &- 10) &<< 7 }

  /// TG: 1, 2 or 3.
  var granule: UInt64 { word >> 8 & 3 }
  private var granuleShift: UInt64 { granule * 2 + 10 }
  var address: UInt64 { word & Self.addressMask }
  var stage1: Stage1Permissions { Stage1Permissions(bits: word & Stage1Permissions.mask) }
  var stage2: Stage2Permissions { Stage2Permissions(bits: word & 7) }
  var limits: UInt64 { word & Stage1Permissions.mask }
  var hasStage2: Bool { word & Self.hasStage2 != 0 }
  var isStage1Clean: Bool { word & Self.stage1Clean != 0 }
  var isStage2Clean: Bool { word & Self.stage2Clean != 0 }
  var isClean: Bool { word & (Self.stage1Clean | Self.stage2Clean) != 0 }

  /// The level whose descriptors cover 2^`shift` bytes, or a contiguous run of them does.
  func level(_ shift: UInt64) -> UInt64 {
    3 - (shift - granuleShift) / (granuleShift - 3)
  }
}
