/// The bits of an ITT entry; see `ITSCore`.
enum ITSEntry {
  static var valid: UInt64 { 1 << 49 }
  static var virtual: UInt64 { 1 << 48 }
  static func physical(_ intid: UInt32, icid: UInt16) -> UInt64 {
    valid | UInt64(icid) << 32 | UInt64(intid)
  }
  static func virtual(_ intid: UInt32, vPEID: UInt16) -> UInt64 {
    valid | virtual | UInt64(vPEID) << 32 | UInt64(intid)
  }
  static func isVirtual(_ entry: UInt64) -> Bool { entry & virtual != 0 }
  static func intid(_ entry: UInt64) -> UInt32 { UInt32(entry & 0xFF_FFFF) }
  static func number(_ entry: UInt64) -> UInt16 { UInt16(truncatingIfNeeded: entry >> 32) }
  /// Index of the place.
  static func place(_ entry: UInt64) -> Int { Int(entry >> 32 & 0x3_FFFF) }
  static func replacing(_ number: UInt16, in entry: UInt64) -> UInt64 {
    entry & ~(0xFFFF << 32) | UInt64(number) << 32
  }
}
