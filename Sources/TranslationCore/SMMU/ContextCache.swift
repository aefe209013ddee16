/// Context descriptors of substreams by StreamID and index: four ways, the oldest makes room.
///
/// CD 0 of a stream is kept with its STE, where nearly all traffic finds it.
@safe
struct ContextCache: ~Copyable {
  private struct Line: BitwiseCopyable {
    var isValid: Bool
    var streamID: UInt32
    var index: UInt32
    var entry: ContextEntry
  }

  private static let ways = 4
  private let pages: ZeroedPages
  private let lines: UnsafeMutablePointer<Line>
  private let sets: Int
  /// Some line may be in use.
  private var isUsed = false

  /// - Parameter entries: rounded up to a power of two; 0 disables the cache.
  init(entries: Int) {
    let wanted = min(entries, 1 << 20)
    sets = entries <= 0 ? 0 : 1 << (Int.bitWidth - ((wanted + 3) / 4 - 1).leadingZeroBitCount)
    pages = ZeroedPages(byteCount: sets * Self.ways * MemoryLayout<Line>.stride)
    unsafe lines = pages.table(of: Line.self)
  }

  private func set(_ streamID: UInt32, _ index: UInt32) -> UnsafeMutablePointer<Line> {
    let mixed = (UInt64(streamID) << 20 ^ UInt64(index)) &* 0x9E37_79B9_7F4A_7C15
    // Safety: the set is masked to the table, which has `ways` lines for each.
    return unsafe lines + (Int(truncatingIfNeeded: mixed >> 33) & (sets - 1)) * Self.ways
  }

  func find(_ streamID: UInt32, _ index: UInt32) -> ContextEntry? {
    guard isUsed else { return nil }
    // Safety: as `set`.
    let set = unsafe set(streamID, index)
    for way in 0..<Self.ways {
      let line = unsafe set[way]
      if line.isValid, line.streamID == streamID, line.index == index { return line.entry }
    }
    return nil
  }

  mutating func insert(_ streamID: UInt32, _ index: UInt32, _ entry: ContextEntry) {
    guard sets > 0 else { return }
    isUsed = true
    // Safety: as `set`.
    let set = unsafe set(streamID, index)
    for way in stride(from: Self.ways - 1, to: 0, by: -1) { unsafe set[way] = set[way - 1] }
    unsafe set[0] = Line(isValid: true, streamID: streamID, index: index, entry: entry)
  }

  mutating func remove(_ streamID: UInt32, _ index: UInt32) {
    removeAll(streamID, streamID) { $0 == index }
  }

  /// Forgets the descriptors of StreamIDs `first`…`last`. O(entries), O(1) while none was kept.
  mutating func removeAll(
    _ first: UInt32, _ last: UInt32, where matches: (UInt32) -> Bool = { _ in true }
  ) {
    guard isUsed else { return }
    for place in 0..<sets * Self.ways {
      // Safety: `place` is below the number of lines.
      let line = unsafe lines[place]
      if line.isValid, (first...last).contains(line.streamID), matches(line.index) {
        unsafe lines[place].isValid = false
      }
    }
  }
}
