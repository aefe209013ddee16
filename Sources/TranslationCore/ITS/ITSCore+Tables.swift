extension ITSCore {
  /// Where the tables lie that `translateOnHost` reads and writes, laid out as `ITSCore` says. For code
  /// in another language that has to use the very same ones. Valid as long as the `ITSCore`.
  @unsafe
  package struct Tables {
    package let devices: UnsafePointer<UInt64>
    package let entries: UnsafePointer<UInt64>
    package let vpes: UnsafePointer<UInt32>
    /// Two planes of `interruptCount` bytes each: interrupts of PEs, then of vPEs.
    package let raised: UnsafeMutablePointer<UInt8>
    package let acknowledged: UnsafeMutablePointer<UInt8>
    /// As read by the redistributor (0: not yet), and as software stored it.
    package let configuration: UnsafeMutablePointer<UInt8>
    package let stored: UnsafePointer<UInt8>
    package let deviceCount: UInt32
    package let interruptCount: UInt32
    package let isEnabled: Bool
  }

  package var tables: Tables {
    // Safety: marked unsafe for the caller, who has to keep `self` alive.
    unsafe Tables(
      devices: devices, entries: itts, vpes: vpes, raised: pending.raised,
      acknowledged: pending.acknowledged, configuration: pending.cachedConfiguration,
      stored: pending.storedConfiguration,
      deviceCount: deviceCount, interruptCount: pending.count,
      isEnabled: isEnabled)
  }
}
