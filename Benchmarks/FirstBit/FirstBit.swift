/// Find-first-bit of a bitmap that may be empty.
///
/// In C, `__ffs(0)` is undefined, and a sanitizer says so; whether the guard before it costs anything is
/// the question. In Swift, `trailingZeroBitCount` of 0 is the bit width, so the guard is what makes "no
/// bit" different from "bit 64", not what makes the scan safe.
enum FirstBit {
  /// Guard, then scan.
  @inline(__always)
  static func guarded(_ word: UInt64) -> Int? {
    word == 0 ? nil : word.trailingZeroBitCount
  }

  /// The loop that needs no guard: for an empty word it makes no iteration.
  @inline(__always)
  static func looped(_ word: UInt64) -> Int? {
    var rest = word
    var bit = 0
    while rest != 0 {
      if rest & 1 == 1 { return bit }
      rest >>= 1
      bit += 1
    }
    return nil
  }

  /// No guard: 64 stands for "none".
  @inline(__always)
  static func unguarded(_ word: UInt64) -> Int { word.trailingZeroBitCount }
}
