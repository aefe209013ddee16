/// An entry of a device's ITT: 8 bytes, all 0 if there is none.
@frozen
@usableFromInline
struct ITSEntry: BitwiseCopyable {
  @usableFromInline private(set) var intid: UInt32
  /// Distance of the gate in bytes.
  ///
  ///     19:4   ICID or vPEID ┐
  ///     20     valid         ├ index of the place and its gate
  ///     21     virtual       ┘
  @usableFromInline private(set) var gate: UInt32

  static let none = ITSEntry(intid: 0, gate: 0)
  static func physical(_ intid: UInt32, icid: UInt16) -> ITSEntry {
    ITSEntry(intid: intid, gate: UInt32(icid) << 4 | 1 << 20)
  }
  static func virtual(_ intid: UInt32, vPEID: UInt16) -> ITSEntry {
    ITSEntry(intid: intid, gate: UInt32(vPEID) << 4 | 1 << 20 | 1 << 21)
  }

  private init(intid: UInt32, gate: UInt32) {
    self.intid = intid
    self.gate = gate
  }

  var isValid: Bool { gate & 1 << 20 != 0 }
  var isVirtual: Bool { gate & 1 << 21 != 0 }
  /// 1 for a virtual entry.
  @inlinable var virtualCount: UInt64 { UInt64(gate &>> 21) }
  /// ICID or vPEID.
  var number: UInt16 {
    get { UInt16(truncatingIfNeeded: gate >> 4) }
    set { gate = gate & ~0xF_FFF0 | UInt32(newValue) << 4 }
  }
  var place: Int { Int(gate >> 4) }
}
