/// The bits of an ITT entry.
///
///     23:0   INTID
///     61:46  ICID or vPEID ┐
///     62     valid         ├ index of the place and its gate
///     63     virtual       ┘
///
/// The rest is 0, so that bits 63:42 are the distance of the gate in bytes, without another step.
enum ITSEntry {
  static var virtual: UInt64 { 1 << 63 }
  static var valid: UInt64 { 1 << 62 }
  private static var numberBits: UInt64 { 0xFFFF << 46 }

  static func physical(_ intid: UInt32, icid: UInt16) -> UInt64 {
    valid | UInt64(icid) << 46 | UInt64(intid)
  }
  static func virtual(_ intid: UInt32, vPEID: UInt16) -> UInt64 {
    virtual | valid | UInt64(vPEID) << 46 | UInt64(intid)
  }
  static func isVirtual(_ entry: UInt64) -> Bool { entry & virtual != 0 }
  static func intid(_ entry: UInt64) -> UInt32 { UInt32(entry & 0xFF_FFFF) }
  static func number(_ entry: UInt64) -> UInt16 { UInt16(truncatingIfNeeded: entry >> 46) }
  static func place(_ entry: UInt64) -> Int { Int(entry >> 46) }
  static func replacing(_ number: UInt16, in entry: UInt64) -> UInt64 {
    entry & ~numberBits | UInt64(number) << 46
  }
}
