import EventModel

/// An entry of the collection or the vPE table.
///
///     15:0   target, as `InterruptTarget` has it
///     20:16  bits of an INTID that the target has a pending bit for (VMAPP's VPT_size)
///     27     mapped
///     28     LPIs enabled (collection), resident (vPE)
///     29     doorbell wanted
///     31     open: an interrupt may be raised here without asking further
struct ITSPlace: BitwiseCopyable {
  private(set) var bits: UInt32

  /// Bits 49:32 of an ITT entry: number, kind, valid. The lower half, of entries that are not valid,
  /// is never written.
  static var count: Int { 1 << 18 }
  static func collection(_ icid: UInt16) -> Int { Int(icid) | 1 << 17 }
  static func vPE(_ vPEID: UInt16) -> Int { Int(vPEID) | 1 << 16 | 1 << 17 }

  static let unmapped = ITSPlace(bits: 0)

  init(bits: UInt32) { self.bits = bits }

  /// - Parameter intidCount: INTIDs that an entry may have; a target with fewer is not open.
  init(
    _ target: InterruptTarget, log2INTIDs: UInt32, isTaking: Bool, isVPE: Bool,
    wantsDoorbell: Bool, intidCount: UInt32
  ) {
    bits = UInt32(target.rawValue) | (log2INTIDs & 0x1F) << 16 | 1 << 27
    if isTaking { bits |= 1 << 28 }
    if wantsDoorbell { bits |= 1 << 29 }
    // A vPE that is away takes interrupts, too; what it may need is a doorbell.
    if isTaking || isVPE && !wantsDoorbell, has(intidCount - 1) { bits |= 1 << 31 }
  }

  var target: InterruptTarget { InterruptTarget(rawValue: UInt16(truncatingIfNeeded: bits)) }
  /// Whether the target has a pending bit for the interrupt.
  func has(_ intid: UInt32) -> Bool { intid >> (bits >> 16 & 0x1F) == 0 }
  var isOpen: Bool { bits >> 31 != 0 }

  var isMapped: Bool { bits & 1 << 27 != 0 }
  var isTaking: Bool { bits & 1 << 28 != 0 }
  var wantsDoorbell: Bool { bits & 1 << 29 != 0 }
  var log2INTIDs: UInt32 { bits >> 16 & 0x1F }
}
