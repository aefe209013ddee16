/// How a stalled transaction ended.
package enum SMMUStallEnd: Hashable, Sendable, BitwiseCopyable {
  case retried(SMMUTranslation)
  case aborted
  case readZeroWriteIgnored
}

/// Transactions that wait for software's word after a fault (IHI 0070, §3.12.2), by STAG.
///
/// One place for each of the 65,536 tags; the kernel backs those that are used.
@safe
struct StalledTransactions: ~Copyable {
  private struct Place: BitwiseCopyable {
    var request: SMMURequest
    var end: SMMUStallEnd?
  }

  private static let count = 1 << 16
  private let placePages: ZeroedPages
  private let takenPages: ZeroedPages
  private let places: UnsafeMutablePointer<Place>
  /// Bit n of the string: STAG n waits; and the ones that have ended at least once.
  private let taken: UnsafeMutablePointer<UInt64>
  private let ended: UnsafeMutablePointer<UInt64>
  /// No tag below this word of the string is free.
  private var firstFreeWord = 0
  /// No tag at or above this word was ever taken.
  private var usedWords = 0
  private(set) var waiting = 0

  init() {
    placePages = ZeroedPages(byteCount: Self.count * MemoryLayout<Place>.stride)
    takenPages = ZeroedPages(byteCount: 2 * Self.count / 8)
    unsafe places = UnsafeMutableRawPointer(placePages.base)
      .bindMemory(to: Place.self, capacity: Self.count)
    unsafe taken = takenPages.table(of: UInt64.self)
    unsafe ended = taken + Self.count / 64
  }

  /// Takes the lowest free STAG; nil when all are in use, and the transaction is terminated.
  mutating func stall(_ request: SMMURequest) -> UInt16? {
    guard waiting < Self.count else { return nil }
    var word = firstFreeWord
    // Safety: there is a free tag at or above `firstFreeWord`, so `word` stays below 1,024.
    while unsafe taken[word] == ~0 { word += 1 }
    let bit = unsafe (~taken[word]).trailingZeroBitCount
    unsafe taken[word] |= 1 << UInt64(bit)
    unsafe ended[word] &= ~(1 << UInt64(bit))
    firstFreeWord = word
    usedWords = max(usedWords, word + 1)
    waiting += 1
    let tag = word * 64 + bit
    unsafe places[tag] = Place(request: request, end: nil)
    return UInt16(tag)
  }

  /// The transaction that waits under a tag.
  func waiting(_ tag: UInt16) -> SMMURequest? {
    // Safety: every UInt16 is the index of a place and of a bit; a taken place was written.
    let word = unsafe taken[Int(tag) / 64]
    return word >> UInt64(tag % 64) & 1 == 0 ? nil : unsafe places[Int(tag)].request
  }

  mutating func free(_ tag: UInt16) {
    // Safety: as `waiting`.
    unsafe taken[Int(tag) / 64] &= ~(1 << UInt64(tag % 64))
    firstFreeWord = min(firstFreeWord, Int(tag) / 64)
    waiting -= 1
  }

  /// Notes how the transaction of a freed tag ended.
  mutating func resolve(_ tag: UInt16, _ end: SMMUStallEnd) {
    // Safety: as `waiting`.
    unsafe ended[Int(tag) / 64] |= 1 << UInt64(tag % 64)
    unsafe places[Int(tag)].end = end
  }

  /// How the last transaction under a tag ended; nil while one waits or if there was none.
  func end(of tag: UInt16) -> SMMUStallEnd? {
    // Safety: as `waiting`; an ended place was written.
    let word = unsafe ended[Int(tag) / 64]
    return word >> UInt64(tag % 64) & 1 == 0 ? nil : unsafe places[Int(tag)].end
  }

  /// Ends every transaction of a stream. O(tags ever used).
  mutating func terminate(streamID: UInt32) {
    for word in 0..<usedWords {
      // Safety: as `waiting`.
      var bits = unsafe taken[word]
      while bits != 0 {
        let tag = UInt16(word * 64 + bits.trailingZeroBitCount)
        bits &= bits - 1
        if unsafe places[Int(tag)].request.streamID == streamID {
          free(tag)
          resolve(tag, .aborted)
        }
      }
    }
  }
}
