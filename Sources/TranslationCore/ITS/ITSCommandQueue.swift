import EventModel

/// The command queue of an `ITSCore` (IHI 0069, §5.2.5): GITS_CBASER, GITS_CWRITER, GITS_CREADR and the
/// ring of 32-byte slots between them.
///
///     var queue = ITSCommandQueue()
///     queue.writeBase(15 | 1 << 63, of: core)          // 64 KiB; while the ITS is disabled
///     core.isEnabled = true
///     queue.store(dw0, dw1, dw2, dw3, slot: 0)
///     queue.writeTail(32, on: &core)                   // executes it
///     queue.head                                       // 32
///
/// Software fills slots and moves CWRITER; commands are executed from CREADR up to it. A command that
/// fails either stalls the queue (CREADR.Stalled; CREADR still points at it, software repairs the slot
/// and writes CWRITER.Retry) or is skipped; the architecture allows both. The queue is empty when both
/// are equal, and full when one slot is left, else the two would look alike.
///
/// The slots are this value's own, at whatever address CBASER says, and are never more than 1 MiB.
@safe
package struct ITSCommandQueue: ~Copyable {
  package enum Reaction: Sendable { case skip, stall }

  package let wrongCommand: Reaction
  package let fetchFailure: Reaction
  /// GITS_CBASER.
  package private(set) var base: UInt64 = 0
  /// GITS_CWRITER.
  package private(set) var tail: UInt64 = 0
  private var readOffset: UInt64 = 0
  private var isStalled = false
  /// Offsets that the bus does not let the ITS read.
  package var unreadable: Range<UInt64> = 0..<0

  private let slots: UnsafeMutablePointer<(UInt64, UInt64, UInt64, UInt64)>
  private let pages: ZeroedPages
  private static let slotBytes: UInt64 = 32
  /// CBASER.Size is 8 bits, in pages of 4 KiB.
  private static let sizeLimitBytes: UInt64 = 256 << 12
  /// CWRITER.Offset and CREADR.Offset, bits 19:5.
  private static let offsetBits: UInt64 = 0xF_FFE0

  package init(wrongCommand: Reaction = .skip, fetchFailure: Reaction = .stall) {
    self.wrongCommand = wrongCommand
    self.fetchFailure = fetchFailure
    pages = ZeroedPages(byteCount: Int(Self.sizeLimitBytes))
    unsafe slots = pages.table(of: (UInt64, UInt64, UInt64, UInt64).self)
  }

  package var sizeBytes: UInt64 { ((base & 0xFF) + 1) << 12 }
  package var isEmpty: Bool { readOffset == tail }
  package var isFull: Bool { (tail + Self.slotBytes) % sizeBytes == readOffset }
  /// GITS_CREADR.
  package var head: UInt64 { readOffset | (isStalled ? 1 : 0) }

  /// GITS_CBASER. Ignored while the ITS is enabled (UNPREDICTABLE).
  package mutating func writeBase(_ value: UInt64, of its: borrowing ITSCore) {
    guard !its.isEnabled else { return }
    base = value
    tail = 0
    readOffset = 0
    isStalled = false
  }

  /// What software stores into a slot.
  package func store(_ dw0: UInt64, _ dw1: UInt64, _ dw2: UInt64, _ dw3: UInt64, slot: Int) {
    precondition(slot >= 0 && slot < Int(Self.sizeLimitBytes / Self.slotBytes))
    // Safety: just checked.
    unsafe slots[slot] = (dw0, dw1, dw2, dw3)
  }

  /// GITS_CWRITER: executes what is new. Beyond the queue: ignored (UNPREDICTABLE).
  package mutating func writeTail(_ value: UInt64, on its: inout ITSCore) {
    let offset = value & Self.offsetBits
    guard offset < sizeBytes else { return }
    tail = offset
    if value & 1 == 1 { isStalled = false }
    run(on: &its)
  }

  /// Puts a command into the next slot and moves CWRITER, as a driver does.
  /// - Returns: false if the queue is full; nothing was done then.
  package mutating func post(
    _ dw0: UInt64, _ dw1: UInt64, _ dw2: UInt64, _ dw3: UInt64, on its: inout ITSCore
  ) -> Bool {
    guard !isFull else { return false }
    store(dw0, dw1, dw2, dw3, slot: Int(tail / Self.slotBytes))
    writeTail((tail + Self.slotBytes) % sizeBytes, on: &its)
    return true
  }

  /// Executes what is in the queue, if the ITS is enabled: also to be called when it becomes so.
  /// Ends: each turn takes one slot of a queue of fixed size.
  package mutating func run(on its: inout ITSCore) {
    while its.isEnabled, base >> 63 == 1, !isStalled, !isEmpty {
      if let reaction = executeSlot(on: &its), reaction == .stall {
        isStalled = true
        return
      }
      readOffset = (readOffset + Self.slotBytes) % sizeBytes
    }
  }

  private func executeSlot(on its: inout ITSCore) -> Reaction? {
    guard !unreadable.overlaps(readOffset..<readOffset + Self.slotBytes) else {
      its.count(ITSError(.memoryAborted, 0))
      return fetchFailure
    }
    // Safety: an offset is below the queue's size.
    let words = unsafe slots[Int(readOffset / Self.slotBytes)]
    return its.execute(words.0, words.1, words.2, words.3) == nil ? nil : wrongCommand
  }
}
