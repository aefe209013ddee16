public import EventModel

/// Pending state of all LPIs: one plane for interrupts of PEs, one for those of vPEs.
///
/// Two bytes per INTID, side by side, so that an interrupt touches one cache line:
///
///     raised byte, written by the raising side       acknowledged byte, written by the other
///       bit 2 known disabled
///       bit 1 known enabled
///       bit 0 phase                                    bit 0 phase
///
/// An interrupt is pending when the phases differ: raising flips the one if they are equal,
/// acknowledging makes the other follow, so a device thread may raise while a vCPU thread acknowledges
/// without a locked instruction. "Known" is what the redistributor has cached of the configuration
/// byte: it reads it at the first interrupt, and again after INV and INVALL only (IHI 0069, §5.1.1).
/// `exportBits` gives the architecture's table (§5.1.2: byte INTID / 8, bit INTID % 8).
///
/// One place per INTID and plane: an LPI that is pending at one redistributor and mapped to another is
/// not told apart. Software that keeps to the architecture leaves none behind (MOVI and MOVALL move it).
///
/// One thread raises and one acknowledges at a time; a hand-over between them (a ring, an eventfd)
/// orders the two. Everything else wants both quiet.
@safe
@usableFromInline
package struct PendingTable: ~Copyable {
  @usableFromInline let states: UnsafeMutablePointer<UInt8>
  /// INTIDs of one plane; a power of two.
  @usableFromInline package let count: UInt32
  private let pages: ZeroedPages

  /// Priority 0xA0, group bit, enabled: what a recording's LPIs are taken to have, since no recording
  /// holds the stores to the configuration table.
  package static let defaultConfiguration: UInt8 = 0xA3

  package init(intidBits: UInt8) {
    count = 1 << UInt32(min(max(intidBits, 14), 24))
    // States, then configuration bytes, then the range of slots that may be known.
    pages = ZeroedPages(
      byteCount: Self.slotCount(count) * 3 + MemoryLayout<Range<Int>>.size)
    unsafe states = pages.table(of: UInt8.self)
  }

  private static func slotCount(_ count: UInt32) -> Int { Int(count) * 2 }

  @usableFromInline static var phase: UInt8 { 1 }
  @usableFromInline static var knownEnabled: UInt8 { 2 }
  private static var knownDisabled: UInt8 { 4 }
  private static var known: UInt8 { knownEnabled | knownDisabled }

  /// Position of an interrupt in the tables. The caller has checked intid < count.
  @inlinable @inline(__always)
  func slot(_ intid: UInt32, _ target: InterruptTarget) -> Int {
    Int(intid) &+ (target.isVPE ? Int(count) : 0)
  }

  /// An event arrives. The caller has checked intid < count.
  @inlinable @inline(__always)
  func raise(_ intid: UInt32, _ target: InterruptTarget) -> OutcomeClass {
    let slot = slot(intid, target)
    // Safety: slot is below twice `count`. The other side's byte may change at any time; a stale
    // value here is the same as an acknowledge that comes a moment later.
    let state = unsafe states + slot &* 2
    let raised = unsafe state[0]
    if unsafe (raised ^ state[1]) & Self.phase != 0 { return .coalesced }
    unsafe state[0] = raised ^ Self.phase
    if raised & Self.knownEnabled != 0 { return .delivered }
    return unsafe Self.readConfiguration(states, slot, count)
  }

  /// The class of an interrupt that just became pending and is not known to be enabled.
  ///
  /// Takes the tables, not `self`, so that the fast path need not hand over more than it has.
  @usableFromInline
  @inline(never)
  static func readConfiguration(
    _ states: UnsafeMutablePointer<UInt8>, _ slot: Int, _ count: UInt32
  ) -> OutcomeClass {
    // Safety: `states` is a table of `count` INTIDs and the slot is one of its.
    let state = unsafe states + slot * 2
    if unsafe state[0] & known == 0 {
      let stored = unsafe (states + slotCount(count) * 2)[slot]
      let isEnabled = (stored == 0 ? defaultConfiguration : stored) & 1 != 0
      unsafe state[0] |= isEnabled ? knownEnabled : knownDisabled
      let known = unsafe knownSlots(states, count)
      let old = unsafe known.pointee
      unsafe known.pointee =
        old.isEmpty
        ? slot..<slot + 1 : min(old.lowerBound, slot)..<max(old.upperBound, slot + 1)
    }
    return unsafe state[0] & knownEnabled != 0 ? .delivered : .masked
  }

  private static func knownSlots(
    _ states: UnsafeMutablePointer<UInt8>, _ count: UInt32
  ) -> UnsafeMutablePointer<Range<Int>> {
    // Safety: 16 bytes after the other tables, at a multiple of 16; zero is the empty range.
    unsafe UnsafeMutableRawPointer(states + slotCount(count) * 3)
      .assumingMemoryBound(to: Range<Int>.self)
  }

  /// The CPU takes the interrupt. Ignores an INTID beyond the table, which no interface returns.
  @inlinable @inline(__always)
  package func acknowledge(_ intid: UInt32, _ target: InterruptTarget) {
    guard intid < count else { return }
    // Safety: checked above.
    let state = unsafe states + slot(intid, target) &* 2
    unsafe state[1] = unsafe state[0] & Self.phase
  }

  package func isPending(_ intid: UInt32, _ target: InterruptTarget) -> Bool {
    guard intid < count else { return false }
    // Safety: checked above.
    let state = unsafe states + slot(intid, target) * 2
    return unsafe (state[0] ^ state[1]) & Self.phase != 0
  }

  /// Clears the pending bit by command (CLEAR, DISCARD).
  func clear(_ intid: UInt32, _ target: InterruptTarget) { acknowledge(intid, target) }

  /// Where a target's interrupts have their states, and the target: address 63:16, target 15:0.
  func gate(_ target: InterruptTarget) -> UInt64 {
    // Safety: a slot is within the table.
    let address = unsafe UInt64(UInt(bitPattern: states + slot(0, target) * 2))
    // User space has 47 or 48 bits of address unless a mapping asks for more; ours does not.
    precondition(address >> 48 == 0)
    return address << 16 | UInt64(target.rawValue)
  }

  // Configuration: stored by software, seen by the interrupt controller at INV and INVALL.

  /// Software stores a byte of the configuration table. A byte that was never stored (0) counts as
  /// the default.
  package func store(configuration: UInt8, _ intid: UInt32, _ target: InterruptTarget) {
    guard intid < count else { return }
    // Safety: checked above. A stored 0 is kept as a byte that is as disabled: bit 1 is RES1.
    unsafe (states + Self.slotCount(count) * 2)[slot(intid, target)] = configuration | 2
  }

  /// INV: the byte is read again at the next interrupt.
  package func refresh(_ intid: UInt32, _ target: InterruptTarget) {
    guard intid < count else { return }
    // Safety: checked above.
    unsafe states[slot(intid, target) * 2] &= ~Self.known
  }

  /// INVALL: so is every byte that was ever read. O(span of the interrupts in use).
  package func refreshConfigurations() {
    // Safety: the range holds slots only.
    let known = unsafe Self.knownSlots(states, count)
    for slot in unsafe known.pointee { unsafe states[slot * 2] &= ~Self.known }
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
