import EventModel

/// An entry of the collection or the vPE table.
///
///     15:0   target, as `InterruptTarget` has it
///     20:16  bits of an INTID that the target has a pending bit for (VMAPP's VPT_size)
///     27     mapped
///     28     LPIs enabled (collection), resident (vPE)
///     29     doorbell wanted
///     30     vPE
///     63:32  the highest INTID that an entry of the ITTs ever named here (vPE)
struct ITSPlace: BitwiseCopyable {
  private var bits: UInt32 = 0
  private(set) var highestINTID: UInt32 = 0

  /// Bits 63:46 of an ITT entry: kind, valid, number. Those of entries that are not valid stay unused.
  static var count: Int { 1 << 18 }
  static func collection(_ icid: UInt16) -> Int { Int(icid) | 1 << 16 }
  static func vPE(_ vPEID: UInt16) -> Int { Int(vPEID) | 1 << 16 | 1 << 17 }

  static let unmapped = ITSPlace()

  private init() {}

  static func collection(of pe: InterruptTarget, takesLPIs: Bool) -> ITSPlace {
    var place = ITSPlace()
    place.bits = UInt32(pe.rawValue) | 24 << 16 | 1 << 27 | (takesLPIs ? 1 << 28 : 0)
    return place
  }

  static func vPE(
    _ target: InterruptTarget, log2INTIDs: UInt32, isResident: Bool, wantsDoorbell: Bool
  ) -> ITSPlace {
    var place = ITSPlace()
    place.bits = UInt32(target.rawValue) | (log2INTIDs & 0x1F) << 16 | 1 << 27 | 1 << 30
    if isResident { place.bits |= 1 << 28 }
    if wantsDoorbell { place.bits |= 1 << 29 }
    return place
  }

  var target: InterruptTarget { InterruptTarget(rawValue: UInt16(truncatingIfNeeded: bits)) }
  var log2INTIDs: UInt32 { bits >> 16 & 0x1F }
  var isMapped: Bool { bits & 1 << 27 != 0 }
  var isTaking: Bool { bits & 1 << 28 != 0 }
  var wantsDoorbell: Bool { bits & 1 << 29 != 0 }
  private var isVPE: Bool { bits & 1 << 30 != 0 }

  /// Whether the target has a pending bit for the interrupt.
  func has(_ intid: UInt32) -> Bool { intid >> log2INTIDs == 0 }

  /// Whether any interrupt that an entry names here may be raised without asking further. A vPE that
  /// is away takes interrupts, too; what it may need is a doorbell.
  var isOpen: Bool {
    isMapped && (isTaking || isVPE && !wantsDoorbell) && has(highestINTID)
  }

  mutating func note(_ intid: UInt32) { highestINTID = max(highestINTID, intid) }
}
