import EventModel
import ReferenceModel
import TestSupport

@testable import TranslationCore

/// Random commands, register writes and events for an `ITSPair`: most of them meaningful, some wrong,
/// some noise. Events share INTIDs, collections change places under pending interrupts, vPEs share
/// pending tables: whatever software should not do is done here.
struct ITSEventSource {
  var random: SeededGenerator
  let version: ITSRules.Version
  /// What became pending lately, for somebody to take.
  private var arrived: [Outcome] = []

  init(seed: UInt64, _ version: ITSRules.Version) {
    random = SeededGenerator(seed: seed)
    self.version = version
  }

  mutating func pick(_ range: Range<UInt32>) -> UInt32 {
    UInt32.random(in: range, using: &random)
  }

  /// Mostly in range, sometimes just beyond, seldom anything.
  private mutating func number(_ limit: UInt32, end: UInt32) -> UInt32 {
    switch pick(0..<96) {
    case 0: pick(0..<UInt32.max)
    case 1: end
    case 2: end - 1
    default: pick(0..<limit)
    }
  }

  private mutating func device() -> DeviceID { DeviceID(number(3, end: 16)) }
  private mutating func event() -> EventID { EventID(number(4, end: 32)) }
  private mutating func processor() -> UInt64 { UInt64(number(3, end: 3)) }
  private mutating func pe() -> UInt16 { UInt16(pick(0..<3)) }
  private mutating func icid() -> UInt16 { UInt16(truncatingIfNeeded: number(6, end: 8)) }
  private mutating func vPEID() -> UInt16 { UInt16(truncatingIfNeeded: number(5, end: 8)) }
  private mutating func isValid() -> Bool { pick(0..<8) != 0 }
  /// 24 LPIs for everybody.
  private mutating func lpi() -> UInt32 { 8192 + pick(0..<24) }
  private mutating func intid() -> INTID {
    switch pick(0..<32) {
    case 0: INTID(pick(0..<UInt32.max))
    case 1: INTID(8191)
    case 2: INTID(16384)
    case 3: INTID(16383)
    default: INTID(lpi())
    }
  }
  private mutating func doorbell() -> INTID {
    switch pick(0..<16) {
    case 0: INTID(pick(0..<1023))
    case 1...6: .spurious
    default: INTID(8300 + pick(0..<4))
    }
  }
  /// Mostly the vPE's own.
  private mutating func vpt(_ vPEID: UInt16) -> UInt64 {
    let number = pick(0..<12) == 0 ? pick(0..<5) : UInt32(vPEID) & 7
    return 0x1_0000_0000 + UInt64(number) << 24
  }
  /// One table for two VPTs each.
  private func configurationTable(_ vpt: UInt64) -> UInt64 {
    0x2_0000_0000 + (vpt >> 25 & 3) << 24
  }
  private mutating func target() -> InterruptTarget {
    pick(0..<2) == 0 ? .pe(UInt16(pick(0..<4))) : .vpe(UInt16(pick(0..<6)))
  }

  mutating func command() -> ITSCommandPacket {
    let device = device()
    let event = event()
    switch pick(0..<44) {
    case 0 where pick(0..<3) == 0:
      return ITSCommand.mapd(
        device, size: UInt8(pick(0..<12) == 0 ? pick(0..<32) : pick(1..<5)),
        ittAddress: 0x4000_0000 + UInt64(device.rawValue & 0xFF) << 20, valid: isValid()
      ).packet
    case 1...4: return ITSCommand.mapc(icid: icid(), rdBase: processor(), valid: isValid()).packet
    case 0, 5...11: return ITSCommand.mapti(device, event, pINTID: intid(), icid: icid()).packet
    case 12: return ITSCommand.mapi(device, event, icid: icid()).packet
    case 13...16: return ITSCommand.movi(device, event, icid: icid()).packet
    case 17: return ITSCommand.movall(from: processor(), to: processor()).packet
    case 18: return ITSCommand.int(device, event).packet
    case 19: return ITSCommand.clear(device, event).packet
    case 20: return ITSCommand.discard(device, event).packet
    case 21...22: return ITSCommand.inv(device, event).packet
    case 23: return ITSCommand.invall(icid: icid()).packet
    case 24: return ITSCommand.sync(rdBase: processor()).packet
    case 25...27: return vmapp()
    case 28...32:
      return ITSCommand.vmapti(
        device, event, vPEID: vPEID(), vINTID: intid(), doorbell: doorbell()
      ).packet
    case 33: return ITSCommand.vmapi(device, event, vPEID: vPEID(), doorbell: doorbell()).packet
    case 34...35:
      return ITSCommand.vmovi(
        device, event, vPEID: vPEID(), doorbellValid: pick(0..<2) == 0, doorbell: doorbell()
      ).packet
    case 36...37:
      return ITSCommand.vmovp(
        .init(
          vPEID: vPEID(), rdBase: processor(), doorbellValid: pick(0..<3) == 0,
          defaultDoorbell: doorbell())
      ).packet
    case 38: return ITSCommand.vinvall(vPEID: vPEID()).packet
    case 39: return ITSCommand.vsync(vPEID: vPEID()).packet
    case 40: return ITSCommand.invdb(vPEID: vPEID()).packet
    case 41...42:
      return ITSCommand.vsgi(
        .init(
          vPEID: vPEID(), sgi: UInt8(pick(0..<16)), enable: pick(0..<4) != 0,
          clear: pick(0..<4) == 0, priority: UInt8(pick(0..<256)))
      ).packet
    // Opcodes that there are not.
    default:
      return ITSCommandPacket(
        UInt64(pick(0x30..<0x100)) | random.next() << 8, random.next(), random.next(),
        random.next())
    }
  }

  private mutating func vmapp() -> ITSCommandPacket {
    let vPEID = vPEID()
    let vpt = vpt(vPEID)
    let isNew = pick(0..<6) == 0
    var command = ITSCommand.VMAPP(
      vPEID: vPEID, rdBase: processor(), valid: isValid(),
      vptSize: UInt8(pick(0..<12) == 0 ? pick(0..<32) : 13), vptAddress: vpt)
    if version == .v41 {
      command.allocate = isNew
      command.pendingTableZero = isNew
      command.configurationAddress = configurationTable(vpt)
      command.defaultDoorbell = doorbell()
    }
    return ITSCommand.vmapp(command).packet
  }

  /// A machine at work: everything mapped, half of it to vPEs.
  mutating func prepare(_ pair: inout ITSPair) {
    for icid in 0..<6 as Range<UInt16> {
      pair.execute(.mapc(icid: icid, rdBase: UInt64(icid % 3), valid: true))
    }
    if version > .v3 { for _ in 0..<12 { pair.execute(vmapp()) } }
    for device in 0..<3 as Range<UInt32> {
      pair.execute(
        .mapd(
          DeviceID(device), size: 1, ittAddress: 0x4000_0000 + UInt64(device) << 20, valid: true))
      for event in 0..<4 as Range<UInt32> {
        pair.execute(
          version > .v3 && event % 2 == 0
            ? .vmapti(
              DeviceID(device), EventID(event), vPEID: UInt16(pick(0..<5)), vINTID: INTID(lpi()),
              doorbell: doorbell())
            : .mapti(
              DeviceID(device), EventID(event), pINTID: INTID(lpi()), icid: UInt16(pick(0..<6))))
      }
    }
  }

  mutating func step(_ pair: inout ITSPair) {
    switch pick(0..<96) {
    case 0..<28: pair.execute(command())
    case 28..<38, 60..<75: acknowledge(&pair)
    case 38:
      pair.enableITS(false)
      if pick(0..<4) == 0 { pair.translate(device().rawValue, event().rawValue) }
      if pick(0..<16) != 0 { pair.enableITS(true) }
    case 39..<43: registers(&pair)
    case 43..<49: residency(&pair)
    case 49..<52: configure(&pair)
    case 52 where version == .v41: pair.raiseSGI(UInt8(pick(0..<16)), vPE: vPEID())
    default:
      let outcome = pair.translate(device().rawValue, event().rawValue)
      if !outcome.outcome.isLost { arrived.append(outcome) }
      if arrived.count > 8 { arrived.removeFirst() }
    }
  }

  private mutating func acknowledge(_ pair: inout ITSPair) {
    if pick(0..<4) != 0, let outcome = arrived.randomElement(using: &random) {
      return pair.acknowledge(outcome.target, outcome.intid)
    }
    let target = target()
    let intid: UInt32
    switch pick(0..<8) {
    case 0: intid = 8300 + pick(0..<4)
    case 1: intid = pick(0..<20)
    case 2: intid = pick(0..<2) == 0 ? 16383 : 16384
    default: intid = lpi()
    }
    pair.acknowledge(target, intid)
  }

  /// A byte of a configuration table, with or without the invalidation that belongs to it.
  private mutating func configure(_ pair: inout ITSPair) {
    let target = target()
    let lpi = lpi()
    pair.store(target, lpi, configuration: [0xA3, 0xA2, 0x02, 0][Int(pick(0..<4))])
    guard pick(0..<2) == 0 else { return }
    let vPE = target.isVPE ? 1 << 63 | UInt64(target.number) << 32 : 0
    pair.write(.invlpir, vPE | UInt64(lpi), pe: target.isVPE ? 0 : target.number)
  }

  private mutating func registers(_ pair: inout ITSPair) {
    let vPE = UInt64(pick(0..<6))
    switch pick(0..<10) {
    case 0:
      let pe = pe()
      if pick(0..<2) == 0 { pair.write(.ctlr, 0, pe: pe) }
      if pick(0..<8) != 0 { pair.write(.ctlr, 1, pe: pe) }
    case 1: pair.write(.setlpir, UInt64(intid().rawValue), pe: pe())
    case 2: pair.write(.clrlpir, UInt64(intid().rawValue), pe: pe())
    case 3...4: pair.write(.invlpir, UInt64(intid().rawValue), pe: pe())
    case 5: pair.write(.invlpir, 1 << 63 | vPE << 32 | UInt64(intid().rawValue), pe: pe())
    case 6: pair.write(.invallr, 0, pe: pe())
    case 7: pair.write(.invallr, 1 << 63 | vPE << 32, pe: pe())
    case 8: pair.write(.vsgir, vPE, pe: pe())
    default: pair.read(.vsgipendr, pe: pe())
    }
  }

  private mutating func residency(_ pair: inout ITSPair) {
    let vPEID = UInt16(pick(0..<6))
    // Mostly where the vPE is mapped to, and its own table.
    var pe = pe()
    if pick(0..<4) != 0, let vPE = pair.core.vPE(vPEID) { pe = vPE.processor }
    switch pick(0..<8) {
    case 0:
      let idBits = pick(0..<4) == 0 ? pick(11..<16) : 13
      pair.write(
        .vpropbaser, configurationTable(vpt(vPEID)) | UInt64(idBits), pe: pe)
    case 1...3:
      let requests = UInt64(pick(0..<4)) << 61
      pair.write(
        .vpendbaser,
        1 << 63 | requests | (version == .v41 ? UInt64(vPEID) | 1 << 58 : vpt(vPEID)), pe: pe)
    case 4...6: pair.write(.vpendbaser, UInt64(pick(0..<4)) << 61, pe: pe)
    default: pair.read(.vpendbaser, pe: pe)
    }
  }
}
