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
  /// A plane that is never written, for gates that are closed; the PEs' plane; the vPEs'.
  @usableFromInline let states: UnsafeMutablePointer<UInt8>
  /// INTIDs of one plane; a power of two.
  @usableFromInline package let count: UInt32
  private let pages: ZeroedPages

  /// Priority 0xA0, group bit, enabled: what a recording's LPIs are taken to have, since no recording
  /// holds the stores to the configuration table.
  package static let defaultConfiguration: UInt8 = 0xA3

  package init(intidBits: UInt8, hasHugePages: Bool = false) {
    count = 1 << UInt32(min(max(intidBits, 14), 24))
    // States, then the configuration bytes of two planes, then the range of states that may be known.
    pages = ZeroedPages(
      byteCount: Int(count) * 8 + MemoryLayout<Range<Int>>.size, isHuge: hasHugePages)
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
  func raise(_ intid: UInt32, _ target: InterruptTarget) -> OutcomeClass {
    let place = place(intid, target)
    // Safety: within a plane. The other side's byte may change at any time; a stale value here is the
    // same as an acknowledge that comes a moment later.
    let raised = unsafe states[place]
    if unsafe (raised ^ states[place &+ 1]) & Self.phase != 0 { return .coalesced }
    unsafe states[place] = raised ^ Self.phase
    return raised & Self.knownEnabled != 0 ? .delivered : readConfiguration(place)
  }

  /// The class of an interrupt that just became pending and is not known to be enabled. The place is
  /// one of a state in a plane that is written.
  @usableFromInline
  @inline(never)
  func readConfiguration(_ place: Int) -> OutcomeClass {
    // Safety: the caller's place is even and lies within the planes.
    if unsafe states[place] & Self.known == 0 {
      let stored = unsafe configurations[place / 2]
      let isEnabled = (stored == 0 ? Self.defaultConfiguration : stored) & 1 != 0
      unsafe states[place] |= isEnabled ? Self.knownEnabled : Self.knownDisabled
      let old = unsafe knownPlaces.pointee
      unsafe knownPlaces.pointee =
        old.isEmpty
        ? place..<place + 1 : min(old.lowerBound, place)..<max(old.upperBound, place + 1)
    }
    return unsafe states[place] & Self.knownEnabled != 0 ? .delivered : .masked
  }

  /// What software stored in the configuration tables, by half of a state's place; 0: nothing yet.
  var configurations: UnsafeMutablePointer<UInt8> {
    // Safety: places start at twice `count`, configuration bytes at six times.
    unsafe states + Int(count) * 5
  }

  /// The places whose configuration may be known.
  var knownPlaces: UnsafeMutablePointer<Range<Int>> {
    // Safety: 16 bytes after the other tables, at a multiple of 16; zero is the empty range.
    unsafe UnsafeMutableRawPointer(states + Int(count) * 8)
      .assumingMemoryBound(to: Range<Int>.self)
  }

  /// The CPU takes the interrupt. Ignores an INTID beyond the table, which no interface returns.
  @inlinable @inline(__always)
  package func acknowledge(_ intid: UInt32, _ target: InterruptTarget) {
    guard intid < count else { return }
    let place = place(intid, target)
    // Safety: checked above.
    unsafe states[place &+ 1] = unsafe states[place] & Self.phase
  }

  package func isPending(_ intid: UInt32, _ target: InterruptTarget) -> Bool {
    guard intid < count else { return false }
    let place = place(intid, target)
    // Safety: checked above.
    return unsafe (states[place] ^ states[place + 1]) & Self.phase != 0
  }

  /// Clears the pending bit by command (CLEAR, DISCARD).
  func clear(_ intid: UInt32, _ target: InterruptTarget) { acknowledge(intid, target) }

  // Configuration: stored by software, seen by the interrupt controller at INV and INVALL.

  /// Software stores a byte of the configuration table. A byte that was never stored counts as the
  /// default.
  package func store(configuration: UInt8, _ intid: UInt32, _ target: InterruptTarget) {
    guard intid < count else { return }
    // Safety: checked above. A stored 0 is kept as a byte that is as disabled: bit 1 is RES1.
    unsafe configurations[place(intid, target) / 2] = configuration | 2
  }

  /// INV: the byte is read again at the next interrupt.
  package func refresh(_ intid: UInt32, _ target: InterruptTarget) {
    guard intid < count else { return }
    // Safety: checked above.
    unsafe states[place(intid, target)] &= ~Self.known
  }

  /// INVALL: so is every byte that was ever read. O(span of the interrupts in use).
  package func refreshConfigurations() {
    // Safety: the range is one of places, which are even.
    let known = unsafe knownPlaces.pointee
    for place in stride(from: known.lowerBound, to: known.upperBound, by: 2) {
      unsafe states[place] &= ~Self.known
    }
    unsafe knownPlaces.pointee = 0..<0
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
