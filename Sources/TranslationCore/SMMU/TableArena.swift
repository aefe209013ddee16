/// The memory that holds every table: one reserved run of zeroed pages, addressed by offset.
///
/// Tables have sizes of a power of two and lie at multiples of their size, as VMSAv8-64 asks. A
/// released table goes to the list of its size and is zeroed when it is taken again. Offset 0 is
/// never handed out, so 0 can mean "none".
@safe
struct TableArena: ~Copyable {
  private let pages: ZeroedPages
  let base: UnsafeMutableRawPointer
  let limitBytes: UInt64
  private(set) var usedBytes: UInt64 = 4096
  /// Head of the free list per log2 size; the first word of a free table holds the next offset.
  private var free = InlineArray<32, UInt64>(repeating: 0)

  init(limitBytes: Int) {
    pages = ZeroedPages(byteCount: limitBytes)
    unsafe base = pages.base
    self.limitBytes = UInt64(pages.byteCount)
  }

  /// A zeroed table, or nil at the limit. O(size) when a released table is taken again, else O(1).
  mutating func allocate(log2Bytes: UInt8) -> UInt64? {
    let size = UInt64(1) << UInt64(log2Bytes)
    let head = free[Int(log2Bytes)]
    if head != 0 {
      free[Int(log2Bytes)] = load(head)
      // Safety: `head` was handed out by this function with this size, so it lies in the arena.
      unsafe (base + Int(head)).initializeMemory(as: UInt8.self, repeating: 0, count: Int(size))
      return head
    }
    let start = (usedBytes + size - 1) & ~(size - 1)
    guard start + size <= limitBytes else { return nil }
    usedBytes = start + size
    return start
  }

  mutating func release(_ offset: UInt64, log2Bytes: UInt8) {
    store(offset, free[Int(log2Bytes)])
    free[Int(log2Bytes)] = offset
  }

  /// - Precondition: `offset` is a multiple of 8 inside the arena; callers derive it from a table
  ///   that they own and an index below the table's size, or check it with `contains`.
  @inline(__always)
  func load(_ offset: UInt64) -> UInt64 {
    // Safety: see the precondition; the pages live as long as `self`.
    unsafe (base + Int(truncatingIfNeeded: offset)).load(as: UInt64.self)
  }

  @inline(__always)
  func store(_ offset: UInt64, _ word: UInt64) {
    // Safety: as `load`.
    unsafe (base + Int(truncatingIfNeeded: offset)).storeBytes(of: word, as: UInt64.self)
  }

  /// Whether a word can be read at `offset`, which may be any number.
  @inline(__always)
  func contains(_ offset: UInt64) -> Bool { offset & 7 == 0 && offset < limitBytes }
}
