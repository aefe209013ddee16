public import EventModel

/// The tables that an MSI walks, and the short way through them: for interrupts that nothing has to be
/// asked about. Every other one, and every loss, is for `ITSCore.translateByEveryRule`.
@safe
@frozen
@usableFromInline
struct ITSPath: BitwiseCopyable {
  @usableFromInline let devices: UnsafeMutablePointer<UInt64>
  @usableFromInline let itts: UnsafeMutablePointer<UInt64>
  @usableFromInline let gates: UnsafeMutablePointer<ITSGate>
  @usableFromInline let states: UnsafeMutablePointer<UInt8>

  init(
    devices: UnsafeMutablePointer<UInt64>, itts: UnsafeMutablePointer<UInt64>,
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

    @inlinable @inline(__always)
    init(word: UInt64, isVirtual: UInt64) {
      self.word = word
      self.isVirtual = isVirtual
    }
  }

  /// IHI 0069, §5.2: device table, ITT, collection or vPE; then the pending state, which rises.
  ///
  /// - Parameter onHost: a physical entry raises nothing and ends with `Outcome.takenByHost`.
  @inlinable @inline(__always)
  func follow(_ deviceID: UInt32, _ eventID: UInt32, below deviceCount: UInt32, onHost: Bool) -> End
  {
    let nowhere = End(word: 0, isVirtual: 0)
    guard deviceID < deviceCount else { return nowhere }
    // Safety: DeviceID was checked; a device entry's ITT lies in the arena and EventID is below the
    // number of its entries; there is a gate for each 18-bit number; and a gate leads to states for
    // each INTID that an entry may have. The other side's byte of a state may change at any time; a
    // stale value is the same as an acknowledge that comes a moment later.
    let device = unsafe devices[Int(truncatingIfNeeded: deviceID)]
    guard eventID < UInt32(truncatingIfNeeded: device &>> 32) else { return nowhere }
    let first = Int(truncatingIfNeeded: device & 0xFFFF_FFFF)
    let entry = unsafe itts[first &+ Int(truncatingIfNeeded: eventID)]
    let gate = unsafe gates[Int(truncatingIfNeeded: entry &>> 46)]
    let isVirtual = entry &>> 63
    let intid = entry & 0xFF_FFFF
    if onHost && isVirtual == 0 {
      guard gate.states != 0 else { return nowhere }
      let delivered = UInt64(OutcomeClass.delivered.rawValue)
      return End(
        word: intid | gate.target | delivered &<< 48 | UInt64(Outcome.takenByHost) &<< 56,
        isVirtual: 0)
    }
    let state = unsafe states + Int(truncatingIfNeeded: gate.states &+ UInt(intid &* 2))
    let acknowledged = unsafe state[1]
    let change = unsafe state[0] ^ acknowledged
    guard change & PendingTable.knownEnabled != 0 else { return nowhere }
    unsafe state[0] = acknowledged ^ (PendingTable.knownEnabled | PendingTable.phase)
    return End(word: intid | gate.target | UInt64(change) &<< 48, isVirtual: isVirtual)
  }
}
