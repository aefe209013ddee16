public import EventModel

/// An entry of the collection or the vPE table.
///
///     15:0   target, as `InterruptTarget` has it
///     20:16  bits of an INTID that the target has a pending bit for (VMAPP's VPT_size)
///     27     mapped
///     28     LPIs enabled (collection), resident (vPE)
///     29     doorbell wanted
///     31     open: an interrupt may be raised here without asking further
@frozen
@usableFromInline
struct ITSPlace: BitwiseCopyable {
  @usableFromInline var bits: UInt32

  static var count: Int { 1 << 17 }
  static func collection(_ icid: UInt16) -> Int { Int(icid) }
  static func vPE(_ vPEID: UInt16) -> Int { Int(vPEID) | 1 << 16 }

  static let unmapped = ITSPlace(bits: 0)

  init(bits: UInt32) { self.bits = bits }

  init(
    _ target: InterruptTarget, log2INTIDs: UInt32, isTaking: Bool, isVPE: Bool,
    wantsDoorbell: Bool
  ) {
    bits = UInt32(target.rawValue) | (log2INTIDs & 0x1F) << 16 | 1 << 27
    if isTaking { bits |= 1 << 28 }
    if wantsDoorbell { bits |= 1 << 29 }
    // A vPE that is away takes interrupts, too; what it may need is a doorbell.
    if isTaking || isVPE && !wantsDoorbell { bits |= 1 << 31 }
  }

  @inlinable @inline(__always)
  var target: InterruptTarget { InterruptTarget(rawValue: UInt16(truncatingIfNeeded: bits)) }
  /// Whether the target has a pending bit for the interrupt.
  @inlinable @inline(__always)
  func has(_ intid: UInt32) -> Bool { intid &>> (bits &>> 16 & 0x1F) == 0 }
  @inlinable @inline(__always)
  var isOpen: Bool { bits &>> 31 != 0 }

  var isMapped: Bool { bits & 1 << 27 != 0 }
  var isTaking: Bool { bits & 1 << 28 != 0 }
  var wantsDoorbell: Bool { bits & 1 << 29 != 0 }
  var log2INTIDs: UInt32 { bits >> 16 & 0x1F }
}
