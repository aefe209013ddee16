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
  /// Bit 0: enabled, as last read from the configuration table (on INV and INVALL only).
  @usableFromInline let cachedConfiguration: UnsafeMutablePointer<UInt8>
  /// What software stored in the configuration table.
  private let storedConfiguration: UnsafeMutablePointer<UInt8>
  private let pages: ZeroedPages
  /// INTIDs of one plane.
  @usableFromInline package let count: UInt32

  /// Priority 0xA0, group bit, enabled: what a recording's LPIs are taken to have, since no recording
  /// holds the stores to the configuration table.
  package static let defaultConfiguration: UInt8 = 0xA3

  package init(intidBits: UInt8) {
    let bits = UInt32(min(max(intidBits, 14), 24))
    count = 1 << bits
    let planes = Int(count) * 2
    pages = ZeroedPages(byteCount: planes * 4)
    // Safety: four tables of `planes` bytes each fill the pages.
    let base = unsafe pages.table(of: UInt8.self)
    unsafe raised = base
    unsafe acknowledged = base + planes
    unsafe cachedConfiguration = base + planes * 2
    unsafe storedConfiguration = base + planes * 3
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

  /// Software stores a byte of the configuration table.
  package func store(configuration: UInt8, _ intid: UInt32, _ target: InterruptTarget) {
    guard intid < count else { return }
    // Safety: checked above.
    unsafe storedConfiguration[slot(intid, target)] = configuration
  }

  /// Reads the stored byte again. A byte that was never stored (0) counts as the default.
  package func refresh(_ intid: UInt32, _ target: InterruptTarget) {
    guard intid < count else { return }
    let slot = slot(intid, target)
    // Safety: checked above.
    let stored = unsafe storedConfiguration[slot]
    unsafe cachedConfiguration[slot] = stored == 0 ? Self.defaultConfiguration : stored
  }

  /// A mapping makes the LPI known: its byte is read if it was not.
  package func mapped(_ intid: UInt32, _ target: InterruptTarget) {
    guard intid < count else { return }
    // Safety: checked above.
    if unsafe cachedConfiguration[slot(intid, target)] == 0 { refresh(intid, target) }
  }

  /// INVALL: every byte that was ever read is read again.
  package func refreshConfigurations() {
    for slot in 0..<Int(count) * 2 {
      // Safety: both tables have twice `count` bytes.
      guard unsafe cachedConfiguration[slot] != 0 else { continue }
      let stored = unsafe storedConfiguration[slot]
      unsafe cachedConfiguration[slot] = stored == 0 ? Self.defaultConfiguration : stored
    }
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
