import EventModel

/// Which IOVA pages the guest mapped onto its ITS translation page: how a VMM that composes messages
/// itself finds out what the guest meant by an address (QEMU walks the guest's stage 1 for it).
struct DoorbellPages {
  private let page: UInt64
  private var asids: [UInt32: UInt16] = [:]
  private var pages: [UInt16: [UInt64: UInt64]] = [:]
  /// One bit per page number modulo 64 that was ever in `pages`: nearly every unmap has to do with no
  /// doorbell, and is told so by one bit instead of two hash tables.
  private var pageBits: UInt64 = 0
  /// Grows whenever `meaning` may answer otherwise than before.
  private(set) var changes: UInt64 = 0

  /// - Parameter page: the ITS translation page as the guest sees it (64 KiB).
  init(page: UInt64) { self.page = page }

  mutating func configure(_ event: TraceEvent) {
    changes += 1
    let configuration = StreamConfiguration(event)
    asids[event.streamID] = configuration.config & 1 == 1 ? configuration.asid : nil
  }

  /// One comparison for a mapping that has nothing to do with the doorbell.
  @inline(__always)
  mutating func map(_ event: TraceEvent) {
    let size = UInt64(1) &<< UInt64(event.log2SizeBytes & 63)
    if event.outputAddress <= page, page - event.outputAddress < size { note(event) }
  }

  private mutating func note(_ event: TraceEvent) {
    changes += 1
    pageBits |= 1 << (event.word0 >> 12 & 63)
    pages[event.asid, default: [:]][event.word0 >> 12] = event.outputAddress
  }

  @inline(__always)
  mutating func unmap(_ event: TraceEvent) {
    if pageBits &>> (event.word0 &>> 12 & 63) & 1 == 1 { forget(event) }
  }

  private mutating func forget(_ event: TraceEvent) {
    if pages[event.asid]?.removeValue(forKey: event.word0 >> 12) != nil { changes += 1 }
  }

  enum Meaning {
    case doorbell
    /// On the page, but another register.
    case otherRegister
    case elsewhere
  }

  /// What the guest means by `address` in a message of `streamID`.
  func meaning(_ streamID: UInt32, _ address: UInt64) -> Meaning {
    let intermediate: UInt64
    if let asid = asids[streamID] {
      guard let output = pages[asid]?[address >> 12] else { return .elsewhere }
      intermediate = output & ~0xFFF | address & 0xFFF
    } else {
      intermediate = address
    }
    if intermediate == page + 0x40 { return .doorbell }
    return intermediate >> 16 == page >> 16 ? .otherRegister : .elsewhere
  }
}
