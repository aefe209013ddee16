import EventModel

/// What the guest's ITS and redistributors can hold. A command beyond it has no effect on the guest's
/// own machine (IHI 0069, §5.5), so a design must not act on it.
struct GuestLimits {
  private let geometry: TableGeometry
  private let intidCount: UInt64

  init(_ geometry: TableGeometry) {
    self.geometry = geometry
    intidCount = 1 << UInt64(min(max(geometry.intidBits, 14), 24))
  }

  /// Whether the fields of an ITS command are in range. What they name may still not be mapped.
  func accept(_ event: TraceEvent) -> Bool {
    let upper1 = event.word1 >> 32
    let lower2 = event.word2 & 0xFFFF_FFFF
    let upper2 = event.word2 >> 32
    let isValid = event.word2 >> 63 == 1
    let rdBase = event.word2 >> 16 & 0xF_FFFF_FFFF
    let device = event.word0 >> 32
    switch event.word0 & 0xFF {
    case 0x08:
      return fits(device, geometry.deviceIDBits)
        && (!isValid || event.word1 & 0x1F < UInt64(geometry.eventIDBits))
    case 0x09:
      return fits(event.word2 & 0xFFFF, geometry.collectionIDBits)
        && (!isValid || rdBase < UInt64(max(geometry.peCount, 1)))
    case 0x0A: return isLPI(upper1) && fits(event.word2 & 0xFFFF, geometry.collectionIDBits)
    case 0x0B:
      return isLPI(event.word1 & 0xFFFF_FFFF)
        && fits(event.word2 & 0xFFFF, geometry.collectionIDBits)
    // MOVALL to where it comes from has nothing to do.
    case 0x0E:
      let pes = UInt64(max(geometry.peCount, 1))
      let to = event.word3 >> 16 & 0xF_FFFF_FFFF
      return rdBase < pes && to < pes && rdBase != to
    case 0x21:
      return isVPEID(upper1) && (event.word2 & 1 == 0 || isDoorbell(upper2))
    case 0x29:
      return isVPEID(upper1)
        && (!isValid
          || rdBase < UInt64(max(geometry.peCount, 1))
            && UInt64(2) << (event.word3 & 0x1F) <= intidCount)
    case 0x2A: return isVPEID(upper1) && isLPI(lower2) && isDoorbell(upper2)
    case 0x2B:
      return isVPEID(upper1) && isLPI(event.word1 & 0xFFFF_FFFF) && isDoorbell(upper2)
    default: return true
    }
  }

  private func fits(_ id: UInt64, _ bits: UInt8) -> Bool { bits >= 32 || id >> UInt64(bits) == 0 }
  private func isVPEID(_ upper: UInt64) -> Bool { fits(upper & 0xFFFF, geometry.vPEIDBits) }
  private func isLPI(_ intid: UInt64) -> Bool {
    intid >= UInt64(INTID.firstLPI.rawValue) && intid < intidCount
  }
  private func isDoorbell(_ intid: UInt64) -> Bool {
    intid == UInt64(INTID.spurious.rawValue) || isLPI(intid)
  }
}
