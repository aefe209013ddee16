public import EventModel

/// The tables that an MSI walks, and the short way through them: for interrupts that nothing has to be
/// asked about. Every other one, and every loss, is for `ITSCore.translateByEveryRule`.
@safe
@frozen
@usableFromInline
struct ITSPath: BitwiseCopyable {
  @usableFromInline let devices: UnsafeMutablePointer<ITSDevice>
  @usableFromInline let itts: UnsafeMutablePointer<ITSEntry>
  @usableFromInline let gates: UnsafeMutablePointer<ITSGate>
  @usableFromInline let states: UnsafeMutablePointer<UInt8>

  init(
    devices: UnsafeMutablePointer<ITSDevice>, itts: UnsafeMutablePointer<ITSEntry>,
    gates: UnsafeMutablePointer<ITSGate>, states: UnsafeMutablePointer<UInt8>
  ) {
    unsafe self.devices = devices
    unsafe self.itts = itts
    unsafe self.gates = gates
    unsafe self.states = states
  }

  @frozen
  @usableFromInline
  struct End: BitwiseCopyable {
    /// The upper word of the `Outcome`; 0 if every rule has to be asked.
    @usableFromInline let word: UInt64
    /// 1 for a virtual entry.
    @usableFromInline let isVirtual: UInt64
    /// 2 for an interrupt that rose, 3 for one that was pending; see `PendingTable`.
    @usableFromInline let change: UInt8

    @inlinable @inline(__always)
    init(word: UInt64, isVirtual: UInt64, change: UInt8) {
      self.word = word
      self.isVirtual = isVirtual
      self.change = change
    }
  }

  /// IHI 0069, §5.2: device table, ITT, collection or vPE; then the pending state, which rises.
  ///
  /// - Parameter onHost: a physical entry raises nothing and ends with `Outcome.takenByHost`.
  @inlinable @inline(__always)
  func follow(_ deviceID: UInt32, _ eventID: UInt32, below deviceCount: UInt32, onHost: Bool) -> End
  {
    let nowhere = End(word: 0, isVirtual: 0, change: 0)
    guard deviceID < deviceCount else { return nowhere }
    // Safety: DeviceID was checked; a device entry's ITT lies in the arena and EventID is below the
    // number of its entries; there is a gate for each place that an entry can name; and a gate leads
    // to states for each INTID that an entry may have. The other side's byte of a state may change at
    // any time; a stale value is the same as an acknowledge that comes a moment later.
    let device = unsafe devices + Int(truncatingIfNeeded: deviceID)
    guard unsafe eventID < device.pointee.eventCount else { return nowhere }
    let entry = unsafe itts[device.pointee.entry(eventID)]
    let gate = unsafe self.gate(of: entry)
    let intid = UInt64(entry.intid)
    if onHost && entry.virtualCount == 0 {
      guard unsafe gate.pointee.states != 0 else { return nowhere }
      let delivered = UInt64(OutcomeClass.delivered.rawValue)
      return unsafe End(
        word: intid | gate.pointee.target | delivered &<< 48 | UInt64(Outcome.takenByHost) &<< 56,
        isVirtual: 0, change: 0)
    }
    let state =
      unsafe states + Int(truncatingIfNeeded: gate.pointee.states)
      + Int(truncatingIfNeeded: entry.intid) &* 2
    let acknowledged = unsafe state[1]
    let change = unsafe state[0] ^ acknowledged
    guard change & PendingTable.knownEnabled != 0 else { return nowhere }
    unsafe state[0] = acknowledged ^ (PendingTable.knownEnabled | PendingTable.phase)
    return unsafe End(
      word: intid | gate.pointee.target | UInt64(change) &<< 48, isVirtual: entry.virtualCount,
      change: change)
  }

  @inlinable @inline(__always)
  func gate(of entry: ITSEntry) -> UnsafePointer<ITSGate> {
    // Safety: `ITSEntry.gate` is the distance of a gate.
    unsafe (UnsafeRawPointer(gates) + Int(truncatingIfNeeded: entry.gate))
      .assumingMemoryBound(to: ITSGate.self)
  }
}
