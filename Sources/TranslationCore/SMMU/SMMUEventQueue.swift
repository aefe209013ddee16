/// The event queue (IHI 0070, §7.2): a ring of 2^n records in memory. A full one drops what comes.
@safe
struct SMMUEventQueue: ~Copyable {
  private let pages: ZeroedPages
  private let records: UnsafeMutablePointer<SMMUEventWords>
  private let mask: UInt64
  /// Records written and taken, ever: their difference is in the queue.
  private(set) var produced: UInt64 = 0
  private(set) var consumed: UInt64 = 0
  /// Records that found it full.
  private(set) var lost: UInt64 = 0

  init(log2Entries: UInt8) {
    let entries = 1 << Int(min(log2Entries, 19))
    mask = UInt64(entries - 1)
    pages = ZeroedPages(byteCount: entries * MemoryLayout<SMMUEventWords>.stride)
    unsafe records = pages.table(of: SMMUEventWords.self)
  }

  mutating func append(_ record: SMMUEventWords) {
    guard produced &- consumed <= mask else {
      lost &+= 1
      return
    }
    // Safety: the index is masked to the ring.
    unsafe records[Int(truncatingIfNeeded: produced & mask)] = record
    produced &+= 1
  }

  mutating func take() -> SMMUEventWords? {
    guard produced != consumed else { return nil }
    defer { consumed &+= 1 }
    // Safety: as `append`.
    return unsafe records[Int(truncatingIfNeeded: consumed & mask)]
  }
}
