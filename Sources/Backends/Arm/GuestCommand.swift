import EventModel

/// A guest's ITS command as far as a design acts on it (IHI 0069, §5.3; encodings as in the
/// reference model, which the tests compare).
enum GuestCommand {
  case mapDevice(UInt32, log2Events: UInt32, isValid: Bool)
  /// MAPC and VMAPP: a name for a target comes or goes.
  case mapCollection(UInt32, InterruptTarget, isValid: Bool)
  case map(UInt32, UInt32, intid: UInt32, collection: UInt32)
  case move(UInt32, UInt32, collection: UInt32)
  case discard(UInt32, UInt32)
  case clear(UInt32, UInt32)
  case interrupt(UInt32, UInt32)
  case invalidate(UInt32, UInt32)
  case invalidateAll
  case moveAll
  /// SYNC, VSYNC, VMOVP, and what this version does not know.
  case none

  init(_ event: TraceEvent) {
    let dw0 = event.word0
    let dw1 = event.word1
    let dw2 = event.word2
    let device = UInt32(dw0 >> 32)
    let id = UInt32(truncatingIfNeeded: dw1)
    let upper = UInt32(dw1 >> 32)
    let icid = UInt32(dw2 & 0xFFFF)
    let vpe = UInt16(truncatingIfNeeded: upper)
    switch dw0 & 0xFF {
    case 0x01: self = .move(device, id, collection: icid)
    case 0x03: self = .interrupt(device, id)
    case 0x04: self = .clear(device, id)
    case 0x08:
      self = .mapDevice(device, log2Events: UInt32(dw1 & 0x1F) + 1, isValid: dw2 >> 63 == 1)
    case 0x09:
      self = .mapCollection(
        icid, .pe(UInt16(truncatingIfNeeded: dw2 >> 16)), isValid: dw2 >> 63 == 1)
    case 0x0A: self = .map(device, id, intid: upper, collection: icid)
    case 0x0B: self = .map(device, id, intid: id, collection: icid)
    case 0x0C: self = .invalidate(device, id)
    case 0x0D, 0x2D: self = .invalidateAll
    case 0x0E: self = .moveAll
    case 0x0F: self = .discard(device, id)
    case 0x21: self = .move(device, id, collection: GuestIntent.collection(ofVPE: vpe))
    case 0x29:
      self = .mapCollection(
        GuestIntent.collection(ofVPE: vpe), .vpe(vpe & 0x7FFF), isValid: dw2 >> 63 == 1)
    case 0x2A:
      self = .map(
        device, id, intid: UInt32(truncatingIfNeeded: dw2),
        collection: GuestIntent.collection(ofVPE: vpe))
    case 0x2B:
      self = .map(device, id, intid: id, collection: GuestIntent.collection(ofVPE: vpe))
    default: self = .none
    }
  }
}
