public import EventModel

/// Pending state of all LPIs: one plane for interrupts of PEs, one for those of vPEs.
///
/// Two bytes per INTID. The raising side owns one and the acknowledging side the other, so that a
/// device thread may raise while a vCPU thread acknowledges without a locked instruction: an interrupt
/// is pending when the low bits differ. Raising flips its own bit if they are equal; acknowledging
/// copies the raiser's. `exportBits` gives the architecture's table (IHI 0069, §5.1.2: byte INTID / 8,
/// bit INTID % 8).
///
/// One thread raises and one acknowledges at a time; a hand-over between them (a ring, an eventfd)
/// orders the two.
@safe
@usableFromInline
package struct PendingTable: ~Copyable {
  @usableFromInline let raised: UnsafeMutablePointer<UInt8>
  @usableFromInline let acknowledged: UnsafeMutablePointer<UInt8>
  /// Bit 0: enabled, as the redistributor read it at the first interrupt; read again after INV and
  /// INVALL only. 0: not read, since bit 1 of what is read is RES1 (IHI 0069, §5.1.1).
  @usableFromInline let cachedConfiguration: UnsafeMutablePointer<UInt8>
  /// What software stored in the configuration table.
  let storedConfiguration: UnsafeMutablePointer<UInt8>
  private let pages: ZeroedPages
  /// The slots whose configuration may be cached.
  private let known: UnsafeMutablePointer<Range<Int>>
  /// INTIDs of one plane.
  @usableFromInline package let count: UInt32

  /// Priority 0xA0, group bit, enabled: what a recording's LPIs are taken to have, since no recording
  /// holds the stores to the configuration table.
  package static let defaultConfiguration: UInt8 = 0xA3

  package init(intidBits: UInt8) {
    let bits = UInt32(min(max(intidBits, 14), 24))
    count = 1 << bits
    let planes = Int(count) * 2
    pages = ZeroedPages(byteCount: planes * 4 + MemoryLayout<Range<Int>>.size)
    // Safety: four tables of `planes` bytes each fill the pages.
    let base = unsafe pages.table(of: UInt8.self)
    unsafe raised = base
    unsafe acknowledged = base + planes
    unsafe cachedConfiguration = base + planes * 2
    unsafe storedConfiguration = base + planes * 3
    // Safety: 16 bytes after them, at a multiple of 16. Zero is the empty range.
    unsafe known = UnsafeMutableRawPointer(base + planes * 4)
      .bindMemory(to: Range<Int>.self, capacity: 1)
  }

  /// Position of an interrupt in the tables. The caller has checked intid < count.
  @inlinable
  func slot(_ intid: UInt32, _ target: InterruptTarget) -> Int {
    Int(intid) &+ (target.isVPE ? Int(count) : 0)
  }

  /// An event arrives. The caller has checked intid < count.
  @inlinable
  package func raise(_ intid: UInt32, _ target: InterruptTarget) -> OutcomeClass {
    let slot = slot(intid, target)
    // Safety: slot is below twice `count`. The other side's byte may change at any time; a stale
    // value here is the same as an acknowledge that comes a moment later.
    let mine = unsafe raised[slot]
    let isPending = unsafe (mine ^ acknowledged[slot]) & 1 != 0
    if isPending { return .coalesced }
    unsafe raised[slot] = mine ^ 1
    return unsafe cachedConfiguration[slot] & 1 != 0 ? .delivered : readConfiguration(slot)
  }

  /// The configuration of an interrupt that is not known to be enabled. The slot is within the table.
  @usableFromInline
  @inline(never)
  func readConfiguration(_ slot: Int) -> OutcomeClass {
    // Safety: the caller's slot is below twice `count`.
    if unsafe cachedConfiguration[slot] == 0 {
      let stored = unsafe storedConfiguration[slot]
      unsafe cachedConfiguration[slot] = stored == 0 ? Self.defaultConfiguration : stored | 2
      let old = unsafe known.pointee
      unsafe known.pointee =
        old.isEmpty
        ? slot..<slot + 1 : min(old.lowerBound, slot)..<max(old.upperBound, slot + 1)
    }
    return unsafe cachedConfiguration[slot] & 1 != 0 ? .delivered : .masked
  }

  /// The CPU takes the interrupt. Ignores an INTID beyond the table, which no interface returns.
  @inlinable
  package func acknowledge(_ intid: UInt32, _ target: InterruptTarget) {
    guard intid < count else { return }
    let slot = slot(intid, target)
    // Safety: checked above.
    unsafe acknowledged[slot] = unsafe raised[slot] & 1
  }

  package func isPending(_ intid: UInt32, _ target: InterruptTarget) -> Bool {
    guard intid < count else { return false }
    let slot = slot(intid, target)
    // Safety: checked above.
    return unsafe (raised[slot] ^ acknowledged[slot]) & 1 != 0
  }

  /// Sets or clears the pending bit by command (INT's effect is `raise`; CLEAR, DISCARD come here).
  func clear(_ intid: UInt32, _ target: InterruptTarget) { acknowledge(intid, target) }

  // Configuration: stored by software, seen by the interrupt controller at INV and INVALL.

  /// Software stores a byte of the configuration table. A byte that was never stored (0) counts as
  /// the default.
  package func store(configuration: UInt8, _ intid: UInt32, _ target: InterruptTarget) {
    guard intid < count else { return }
    // Safety: checked above.
    unsafe storedConfiguration[slot(intid, target)] = configuration
  }

  /// INV: the byte is read again at the next interrupt.
  package func refresh(_ intid: UInt32, _ target: InterruptTarget) {
    guard intid < count else { return }
    // Safety: checked above.
    unsafe cachedConfiguration[slot(intid, target)] = 0
  }

  /// INVALL: so is every byte that was ever read. O(span of the interrupts in use).
  package func refreshConfigurations() {
    // Safety: both bounds come from slots.
    let span = unsafe known.pointee
    unsafe (cachedConfiguration + span.lowerBound).update(repeating: 0, count: span.count)
    unsafe known.pointee = 0..<0
  }

  /// The pending bits of one plane as the architecture lays them out.
  package func exportBits(ofVPEs: Bool) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: Int(count) / 8)
    let target: InterruptTarget = ofVPEs ? .vpe(0) : .pe(0)
    for intid in 0..<count where isPending(intid, target) {
      bytes[Int(intid / 8)] |= 1 << (intid % 8)
    }
    return bytes
  }
}
