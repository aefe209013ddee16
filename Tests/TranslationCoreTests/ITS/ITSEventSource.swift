import EventModel
import ReferenceModel
import TestSupport

/// Random commands and events for an `ITSPair`: most of them meaningful, some wrong, some noise.
///
/// An event always has the same INTID, its own, and a vPE its own pending table.
struct ITSEventSource {
  var random: SeededGenerator

  init(seed: UInt64) { random = SeededGenerator(seed: seed) }

  private mutating func pick(_ range: Range<UInt32>) -> UInt32 {
    UInt32.random(in: range, using: &random)
  }

  /// Mostly in range, sometimes just beyond, seldom anything.
  private mutating func number(_ limit: UInt32, end: UInt32) -> UInt32 {
    switch pick(0..<64) {
    case 0: pick(0..<UInt32.max)
    case 1: end
    case 2: end - 1
    default: pick(0..<limit)
    }
  }

  private mutating func device() -> DeviceID { DeviceID(number(6, end: 16)) }
  private mutating func event() -> EventID { EventID(number(6, end: 32)) }
  private mutating func processor() -> UInt64 { UInt64(number(3, end: 3)) }
  private mutating func icid() -> UInt16 { UInt16(truncatingIfNeeded: number(6, end: 8)) }
  private mutating func vPEID() -> UInt16 { UInt16(number(5, end: 5) & 0x7FFF) }
  private mutating func isValid() -> Bool { pick(0..<6) != 0 }

  private func lpi(_ device: DeviceID, _ event: EventID) -> UInt32 {
    8192 + (device.rawValue & 15) * 32 + (event.rawValue & 31)
  }
  private mutating func intid(_ device: DeviceID, _ event: EventID) -> INTID {
    switch pick(0..<24) {
    case 0: INTID(pick(0..<UInt32.max))
    case 1: INTID(8191)
    case 2: INTID(16384)
    default: INTID(lpi(device, event))
    }
  }
  private mutating func doorbell() -> INTID {
    pick(0..<16) == 0 ? INTID(pick(0..<1023)) : .spurious
  }

  mutating func command() -> ITSCommandPacket {
    let device = device()
    let event = event()
    switch pick(0..<38) {
    case 0...2:
      return ITSCommand.mapd(
        device, size: UInt8(pick(0..<16) == 0 ? pick(0..<32) : pick(1..<5)),
        ittAddress: 0x4000_0000 + UInt64(device.rawValue & 0xFF) << 20, valid: isValid()
      ).packet
    case 3...5: return ITSCommand.mapc(icid: icid(), rdBase: processor(), valid: isValid()).packet
    case 6...12:
      return ITSCommand.mapti(device, event, pINTID: intid(device, event), icid: icid()).packet
    case 13: return ITSCommand.mapi(device, event, icid: icid()).packet
    case 14...17: return ITSCommand.movi(device, event, icid: icid()).packet
    case 18: return ITSCommand.movall(from: processor(), to: processor()).packet
    case 19: return ITSCommand.int(device, event).packet
    case 20: return ITSCommand.clear(device, event).packet
    case 21...22: return ITSCommand.discard(device, event).packet
    case 23: return ITSCommand.inv(device, event).packet
    case 24: return ITSCommand.invall(icid: icid()).packet
    case 25: return ITSCommand.sync(rdBase: processor()).packet
    case 26...27:
      let vPEID = vPEID()
      let size = UInt8(pick(0..<12) == 0 ? pick(0..<32) : 13)
      return ITSCommand.vmapp(
        .init(
          vPEID: vPEID, rdBase: processor(), valid: isValid(), vptSize: size,
          vptAddress: 0x1_0000_0000 + UInt64(vPEID) << 24)
      ).packet
    case 28...31:
      return ITSCommand.vmapti(
        device, event, vPEID: vPEID(), vINTID: intid(device, event), doorbell: doorbell()
      ).packet
    case 32...33:
      return ITSCommand.vmovi(
        device, event, vPEID: vPEID(), doorbellValid: pick(0..<2) == 0, doorbell: doorbell()
      ).packet
    case 34: return ITSCommand.vmovp(.init(vPEID: vPEID(), rdBase: processor())).packet
    case 35: return ITSCommand.vinvall(vPEID: vPEID()).packet
    case 36: return ITSCommand.vsync(vPEID: vPEID()).packet
    // Opcodes that GICv4.0 does not have.
    default:
      return ITSCommandPacket(
        UInt64(pick(0x30..<0x100)) | random.next() << 8, random.next(), random.next(),
        random.next())
    }
  }

  mutating func step(_ pair: inout ITSPair) {
    switch pick(0..<64) {
    case 0..<24: pair.execute(command())
    case 24..<32:
      let target: InterruptTarget =
        pick(0..<2) == 0 ? .pe(UInt16(pick(0..<4))) : .vpe(UInt16(pick(0..<6)))
      pair.acknowledge(target, lpi(device(), event()))
    case 32: pair.enableITS(pick(0..<4) != 0)
    case 33: pair.enableLPIs(pick(0..<4) != 0, UInt16(pick(0..<3)))
    case 34..<37: pair.configure(lpi(device(), event()), enabled: pick(0..<2) == 0)
    default: pair.translate(device().rawValue, event().rawValue)
    }
  }
}
