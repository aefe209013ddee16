/// Which addresses a TLBI covers, and which entries there (IHI 0070, §4.4.1.1).
///
/// With TG = 0 it is the one address, whatever granule and level. Otherwise (NUM+1) × 2^SCALE
/// granules, entries of that granule only, and with TTL ≠ 0 leaves of that level only.
struct InvalidationScope: BitwiseCopyable {
  var first: UInt64
  /// The last address that is covered. It does not wrap.
  var last: UInt64
  /// Leaf entries only: tables stay.
  var leafOnly: Bool
  private var granule: UInt64
  private var level: UInt64

  /// Nil for the reserved NUM = SCALE = TTL = 0 with a granule.
  ///
  /// - Parameter ranges: IDR3.RIL. Without it the range fields are reserved, and ignored here.
  init?(_ dword0: UInt64, _ dword1: UInt64, ranges: Bool) {
    first = dword1 & ~0xFFF
    last = first
    leafOnly = dword1 & 1 != 0
    granule = (dword1 &>> 10) & 3
    level = (dword1 &>> 8) & 3
    // Level 1 has no leaf with 16 KiB, so the hint is no hint.
    if granule == 2, level == 1 { level = 0 }
    guard granule != 0 else { return }
    if dword0 & 0x1F1_F000 == 0, level == 0 { return nil }
    guard ranges else {
      granule = 0
      return
    }
    let count = ((dword0 &>> 12) & 0x1F) &+ 1
    // At most 32 × 2^31 × 64 KiB = 2^52: no overflow in the product, but perhaps in the sum.
    let bytes = count &<< (((dword0 &>> 20) & 0x1F) &+ granule &* 2 &+ 10)
    let (end, overflow) = first.addingReportingOverflow(bytes &- 1)
    last = overflow ? ~0 : end
  }

  /// Whether a leaf that covers 2^`shift` bytes is in scope.
  @inline(__always)
  func covers(_ detail: TranslationDetail, leafShift: UInt64) -> Bool {
    granule == 0 || granule == detail.granule && (level == 0 || level == detail.level(leafShift))
  }

  /// Whether a table descriptor that covers 2^`shift` bytes is in scope: those above the leaf.
  func coversTable(_ detail: TranslationDetail, shift: UInt64) -> Bool {
    guard !leafOnly else { return false }
    return granule == 0
      || granule == detail.granule && (level == 0 || detail.level(shift) < level)
  }
}
