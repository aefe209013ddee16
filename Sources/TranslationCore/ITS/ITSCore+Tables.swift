extension ITSCore {
  /// Where the tables lie that `translateOnHost` reads and writes, laid out as `ITSCore` says. For code
  /// in another language that has to use the very same ones. Valid as long as the `ITSCore`.
  @unsafe
  package struct Tables {
    package let devices: UnsafePointer<UInt64>
    package let entries: UnsafePointer<UInt64>
    /// Of each gate, the distance of its states and the target in bits 47:32.
    package let gates: UnsafePointer<(states: UInt64, target: UInt64)>
    /// One per gate, as `ITSPlace` has it.
    package let places: UnsafePointer<UInt64>
    /// As `PendingTable` lays them out.
    package let states: UnsafeMutablePointer<UInt8>
    package let configurations: UnsafePointer<UInt8>
    package let knownPlaces: UnsafeMutablePointer<(lower: Int, upper: Int)>
    package let deviceCount: UInt32
    package let interruptCount: UInt32
    package let isEnabled: Bool
  }

  package var tables: Tables {
    // Safety: marked unsafe for the caller, who has to keep `self` alive.
    unsafe Tables(
      devices: path.devices, entries: path.itts,
      gates: UnsafeRawPointer(path.gates).assumingMemoryBound(
        to: (states: UInt64, target: UInt64).self),
      places: UnsafeRawPointer(places).assumingMemoryBound(to: UInt64.self),
      states: pending.states, configurations: pending.configurations,
      knownPlaces: UnsafeMutableRawPointer(pending.knownPlaces).assumingMemoryBound(
        to: (lower: Int, upper: Int).self),
      deviceCount: deviceCount, interruptCount: pending.count, isEnabled: isEnabled)
  }
}
