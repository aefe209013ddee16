/// Free vPEIDs as bits: the lowest is taken first.
@safe
struct VPEIDPool: ~Copyable {
  private let pages: ZeroedPages
  private let words: UnsafeMutablePointer<UInt64>
  private let wordCount: Int
  /// No word below this has a bit.
  private var lowestWord = 0

  init(count: UInt32) {
    wordCount = Int(count + 63) / 64
    pages = ZeroedPages(byteCount: wordCount * 8)
    unsafe words = pages.table(of: UInt64.self)
    for word in 0..<wordCount {
      let bits = min(64, Int(count) - word * 64)
      // Safety: `word` is below the number of words allocated.
      unsafe words[word] = ~0 >> UInt64(64 - bits)
    }
  }

  var isEmpty: Bool { lowestWord == wordCount }

  mutating func take() -> UInt16? {
    guard !isEmpty else { return nil }
    // Safety: below `wordCount`; an index that is not at the end has a bit, which the loop keeps true.
    let bit = unsafe words[lowestWord].trailingZeroBitCount
    let vPEID = UInt16(lowestWord * 64 + bit)
    unsafe words[lowestWord] &= words[lowestWord] &- 1
    while lowestWord < wordCount, unsafe words[lowestWord] == 0 { lowestWord += 1 }
    return vPEID
  }

  /// Takes back what `take` gave.
  mutating func insert(_ vPEID: UInt16) {
    let word = Int(vPEID) / 64
    precondition(word < wordCount)
    // Safety: checked above.
    unsafe words[word] |= 1 << UInt64(vPEID & 63)
    lowestWord = min(lowestWord, word)
  }
}
