extension ITSCore {
  /// Where the tables lie that `translateOnHost` reads and writes, laid out as `ITSCore` says. For code
  /// in another language that has to use the very same ones. Valid as long as the `ITSCore`.
  @unsafe
  package struct Tables {
    /// Of `ITSDevice`, `ITSEntry`, `ITSGate`, `ITSPlace`.
    package let devices, entries, gates, places: UnsafeRawPointer
    /// As `PendingTable` lays them out.
    package let states: UnsafeMutablePointer<UInt8>
    package let configurations: UnsafePointer<UInt8>
    /// A `Range<Int>` for each plane.
    package let knownPlaces: UnsafeMutableRawPointer
    package let deviceCount: UInt32
    package let interruptCount: UInt32
    package let isEnabled: Bool
  }

  package var tables: Tables {
    // Safety: marked unsafe for the caller, who has to keep `self` alive.
    unsafe Tables(
      devices: UnsafeRawPointer(path.devices), entries: UnsafeRawPointer(path.itts),
      gates: UnsafeRawPointer(path.gates), places: UnsafeRawPointer(places),
      states: pending.states, configurations: pending.configurations,
      knownPlaces: UnsafeMutableRawPointer(pending.knownPlaces),
      deviceCount: deviceCount, interruptCount: pending.count, isEnabled: isEnabled)
  }
}
