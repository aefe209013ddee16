import EventModel

/// The guest's enable bits: stored in its configuration table, seen when an INV, an INVALL or the
/// interrupt's first mapping reads them. Local APICs have no such bit: see `X86Backend`.
struct LPIConfigurations {
  private var stored: [UInt32: Bool] = [:]
  private var seen: [UInt32: Bool] = [:]

  /// INTID and, in bit 31, the plane of vPEs.
  static func key(_ intid: UInt32, _ target: InterruptTarget) -> UInt32 {
    intid | (target.isVPE ? 1 << 31 : 0)
  }

  mutating func store(_ key: UInt32, byte: UInt8) {
    // A byte of 0 counts as never stored, as for the other designs.
    stored[key] = byte == 0 ? nil : byte & 1 == 1
  }

  /// The bit as the hardware knows it, read now if it never was.
  mutating func isEnabled(_ key: UInt32) -> Bool {
    if let known = seen[key] { return known }
    return refresh(key)
  }

  @discardableResult
  mutating func refresh(_ key: UInt32) -> Bool {
    let isEnabled = stored[key] ?? true
    seen[key] = isEnabled
    return isEnabled
  }

  /// Everything that was ever read is read again.
  mutating func refreshAll() -> [(key: UInt32, isEnabled: Bool)] {
    seen.keys.sorted().map { ($0, refresh($0)) }
  }
}
