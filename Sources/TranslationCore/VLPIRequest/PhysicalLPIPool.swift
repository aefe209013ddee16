/// The host's LPIs to spare: what came back last goes first, then the next never used.
@safe
struct PhysicalLPIPool: ~Copyable {
  private let pages: ZeroedPages
  private let returned: UnsafeMutablePointer<UInt32>
  private let end: UInt32
  private let first: UInt32
  private var returnedCount = 0
  private var next: UInt32

  init(first: UInt32, count: UInt32) {
    self.first = first
    next = first
    end = first + count
    pages = ZeroedPages(byteCount: Int(count) * 4)
    unsafe returned = pages.table(of: UInt32.self)
  }

  var isEmpty: Bool { returnedCount == 0 && next == end }

  /// 0: there is none.
  mutating func take() -> UInt32 {
    if returnedCount > 0 {
      returnedCount -= 1
      // Safety: below the number of LPIs returned, which fit: see `insert`.
      return unsafe returned[returnedCount]
    }
    guard next < end else { return 0 }
    defer { next += 1 }
    return next
  }

  /// Takes back what `take` gave.
  mutating func insert(_ pINTID: UInt32) {
    precondition(returnedCount < Int(end - first))
    // Safety: checked above.
    unsafe returned[returnedCount] = pINTID
    returnedCount += 1
  }
}
