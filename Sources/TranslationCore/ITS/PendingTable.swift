public import EventModel

/// Pending state of LPIs, in planes of one state per INTID.
///
/// Two planes do where an LPI has one place to be pending, as in KVM, whose LPI is one object: one for
/// interrupts of PEs, one for those of vPEs; the methods that take a target use these. An ITS after the
/// architecture has a plane per redistributor and per vPE, by number: `PendingTable+Planes.swift`.
///
/// Two bytes per INTID, side by side, so that an interrupt touches one cache line:
///
///     raised byte, written by the raising side       acknowledged byte, written by the other
///       bit 2 known disabled
///       bit 1 known enabled
///       bit 0 phase                                    bit 0 phase
///
/// An interrupt is pending when the phases differ: raising makes them differ, acknowledging makes the
/// second follow the first, so a device thread may raise while a vCPU thread acknowledges without a
/// locked instruction. "Known" is what the redistributor has cached of the configuration byte: it
/// reads it at the first interrupt, and again after INV and INVALL only (IHI 0069, §5.1.1). So the two
/// bytes of an enabled interrupt differ by 2 if it is not pending and by 3 if it is, which are
/// `OutcomeClass.delivered` and `.coalesced` of the next one to arrive.
///
/// `exportBits` gives the architecture's table (§5.1.2: byte INTID / 8, bit INTID % 8).
///
/// One thread raises and one acknowledges at a time; a hand-over between them (a ring, an eventfd)
/// orders the two. Everything else wants both quiet.
@safe
@usableFromInline
package struct PendingTable: ~Copyable {
  /// A plane that is never written, for gates that are closed; then those that are. Of two, the PEs'
  /// and the vPEs'.
  @usableFromInline let states: UnsafeMutablePointer<UInt8>
  /// INTIDs of one plane; a power of two.
  @usableFromInline package let count: UInt32
  /// Planes that are written, numbered from 1.
  let planeCount: Int
  /// What a configuration byte counts as that was never stored.
  let unstored: UInt8
  private let pages: ZeroedPages

  /// Priority 0xA0, group bit, enabled: what a recording's LPIs are taken to have, since no recording
  /// holds the stores to the configuration table.
  package static let defaultConfiguration: UInt8 = 0xA3

  package init(
    intidBits: UInt8, planeCount: Int = 2, unstored: UInt8 = Self.defaultConfiguration,
    hasHugePages: Bool = false
  ) {
    count = 1 << UInt32(min(max(intidBits, 14), 24))
    self.planeCount = planeCount
    self.unstored = unstored
    // States; a configuration table for each plane; the range of states that may be known and the
    // place of the configuration for each plane.
    pages = ZeroedPages(
      byteCount: Int(count) * (3 * planeCount + 2) + planeCount * 24, isHuge: hasHugePages)
    unsafe states = pages.table(of: UInt8.self)
  }

  @usableFromInline static var phase: UInt8 { 1 }
  @usableFromInline static var knownEnabled: UInt8 { 2 }
  private static var knownDisabled: UInt8 { 4 }
  private static var known: UInt8 { knownEnabled | knownDisabled }

  /// Where the states of a target's interrupts begin, in bytes.
  @inlinable @inline(__always)
  func plane(_ target: InterruptTarget) -> Int {
    // Without a branch or a variable shift: this is asked for each acknowledge.
    let planeBytes = Int(count) &* 2
    return planeBytes &+ (planeBytes & (0 &- Int(target.rawValue &>> 15)))
  }

  /// Where the state of an interrupt is. The caller has checked intid < count.
  @inlinable @inline(__always)
  func place(_ intid: UInt32, _ target: InterruptTarget) -> Int {
    plane(target) &+ Int(intid) &* 2
  }

  /// An event arrives. The caller has checked intid < count.
  @inlinable @inline(__always)
  package func raise(_ intid: UInt32, _ target: InterruptTarget) -> OutcomeClass {
    raise(at: place(intid, target))
  }

  /// The place is one of a state in a plane that is written.
  @inlinable @inline(__always)
  func raise(at place: Int) -> OutcomeClass {
    // Safety: within a plane. The other side's byte may change at any time; a stale value here is the
    // same as an acknowledge that comes a moment later.
    let raised = unsafe states[place]
    if unsafe (raised ^ states[place &+ 1]) & Self.phase != 0 { return .coalesced }
    unsafe states[place] = raised ^ Self.phase
    return raised & Self.knownEnabled != 0 ? .delivered : readConfiguration(place)
  }

  /// The same without asking for its configuration, for one that is not pending.
  func rise(at place: Int) {
    // Safety: the caller's place is one of a state.
    unsafe states[place] ^= Self.phase
  }

  /// The class of an interrupt that just became pending: what is known of it, or else is read now. The
  /// place is one of a state in a plane that is written.
  @usableFromInline
  @inline(never)
  func readConfiguration(_ place: Int) -> OutcomeClass {
    // Safety: the caller's place is even and lies within the planes.
    if unsafe states[place] & Self.known == 0 {
      let stored = unsafe configuration(of: place).pointee
      let isEnabled = (stored == 0 ? unstored : stored) & 1 != 0
      unsafe states[place] |= isEnabled ? Self.knownEnabled : Self.knownDisabled
      let known = unsafe knownPlaces + (planeNumber(of: place) - 1)
      let old = unsafe known.pointee
      unsafe known.pointee =
        old.isEmpty
        ? place..<place + 1 : min(old.lowerBound, place)..<max(old.upperBound, place + 1)
    }
    return unsafe states[place] & Self.knownEnabled != 0 ? .delivered : .masked
  }

  /// What software stored in the configuration tables, by half of a state's place where each plane has
  /// its own; 0: nothing yet.
  var configurations: UnsafeMutablePointer<UInt8> {
    // Safety: states end there, and their places start at twice `count`.
    unsafe states + Int(count) * (2 * planeCount + 1)
  }

  /// By plane number − 1: the places whose configuration may be known.
  var knownPlaces: UnsafeMutablePointer<Range<Int>> {
    // Safety: after the other tables, at a multiple of 16; zero is the empty range.
    unsafe UnsafeMutableRawPointer(states + Int(count) * (3 * planeCount + 2))
      .assumingMemoryBound(to: Range<Int>.self)
  }

  /// The CPU takes the interrupt. Ignores an INTID beyond the table, which no interface returns.
  @inlinable @inline(__always)
  package func acknowledge(_ intid: UInt32, _ target: InterruptTarget) {
    guard intid < count else { return }
    acknowledge(at: place(intid, target))
  }

  @inlinable @inline(__always)
  func acknowledge(at place: Int) {
    // Safety: the caller's place is one of a state.
    unsafe states[place &+ 1] = unsafe states[place] & Self.phase
  }

  package func isPending(_ intid: UInt32, _ target: InterruptTarget) -> Bool {
    intid < count && isPending(at: place(intid, target))
  }

  func isPending(at place: Int) -> Bool {
    // Safety: the caller's place is one of a state.
    unsafe (states[place] ^ states[place + 1]) & Self.phase != 0
  }

  /// Clears the pending bit by command (CLEAR, DISCARD).
  func clear(_ intid: UInt32, _ target: InterruptTarget) { acknowledge(intid, target) }

  // Configuration: stored by software, seen by the interrupt controller at INV and INVALL.

  /// Software stores a byte of the configuration table. 0, which no driver stores since bit 1 is RES1,
  /// counts as never stored, as in the reference model.
  package func store(configuration: UInt8, _ intid: UInt32, _ target: InterruptTarget) {
    guard intid < count else { return }
    // Safety: checked above.
    unsafe self.configuration(of: place(intid, target)).pointee = configuration
  }

  /// INV: the byte is read again at the next interrupt.
  package func refresh(_ intid: UInt32, _ target: InterruptTarget) {
    guard intid < count else { return }
    refresh(at: place(intid, target))
  }

  func refresh(at place: Int) {
    // Safety: the caller's place is one of a state.
    unsafe states[place] &= ~Self.known
  }

  /// INVALL: so is every byte that was ever read. O(span of the interrupts in use).
  package func refreshConfigurations() {
    for number in 1...planeCount { refreshConfigurations(ofPlane: number) }
  }

  /// The pending bits of one of two planes as the architecture lays them out.
  package func exportBits(ofVPEs: Bool) -> [UInt8] {
    exportBits(plane: planeNumber(of: plane(ofVPEs ? .vpe(0) : .pe(0))))
  }
}
