package import EventModel

// Fields to bits and back (IHI 0069, §5.3.1 … §5.3.21, one diagram per command).
//
//   word  bits    field                            commands
//   DW0    7:0    opcode                           all
//         63:32   DeviceID                         those of one event, MAPD
//         51:16   VCONF_addr; Alloc 8, PTZ 9       VMAPP (4.1)
//         47:32   sequence number                  VMOVP
//         35:32   SGI; 23:20 priority; En 8, Clear 9, Group 10    VSGI
//   DW1   31:0    EventID                          those of one event
//          4:0    Size                             MAPD
//         63:32   pINTID                           MAPTI
//         47:32   vPEID                            GICv4 commands
//         31:0    default doorbell                 VMAPP (4.1)
//         15:0    ITS list                         VMOVP
//   DW2   15:0    ICID                             MAPC, MAPTI, MAPI, MOVI, INVALL
//         51:16   RDbase                           MAPC, SYNC, MOVALL, VMAPP, VMOVP
//         51:8    ITT_addr; V 63                   MAPD (V also MAPC, VMAPP)
//         31:0    vINTID                           VMAPTI
//         63:32   doorbell pINTID                  VMAPTI, VMAPI, VMOVI (D is bit 0)
//         63      DB                               VMOVP (4.1)
//   DW3   51:16   RDbase of the destination        MOVALL
//         51:16   VPT_addr; VPT_size 4:0           VMAPP
//         31:0    default doorbell                 VMOVP (4.1)

extension ITSCommand {
  /// The command as it stands in memory, with every RES0 bit 0.
  package var packet: ITSCommandPacket {
    var p = ITSCommandPacket(UInt64(opcode.rawValue))
    switch self {
    case .mapd(let device, let size, let ittAddress, let valid):
      p.dw0 |= .field(device.rawValue, 63, 32)
      p.dw1 = .field(size, 4, 0)
      p.dw2 = .field(ittAddress >> 8, 51, 8) | .field(valid, 63)
    case .mapc(let icid, let rdBase, let valid):
      p.dw2 = .field(icid, 15, 0) | .field(rdBase, 51, 16) | .field(valid, 63)
    case .mapti(let device, let event, let pINTID, let icid):
      p.encode(device, event)
      p.dw1 |= .field(pINTID.rawValue, 63, 32)
      p.dw2 = .field(icid, 15, 0)
    case .mapi(let device, let event, let icid), .movi(let device, let event, let icid):
      p.encode(device, event)
      p.dw2 = .field(icid, 15, 0)
    case .movall(let from, let to):
      p.dw2 = .field(from, 51, 16)
      p.dw3 = .field(to, 51, 16)
    case .int(let device, let event), .clear(let device, let event),
      .discard(let device, let event), .inv(let device, let event):
      p.encode(device, event)
    case .invall(let icid):
      p.dw2 = .field(icid, 15, 0)
    case .sync(let rdBase):
      p.dw2 = .field(rdBase, 51, 16)
    case .vmapp(let c):
      p.dw0 |=
        .field(c.allocate, 8) | .field(c.pendingTableZero, 9)
        | .field(c.configurationAddress >> 16, 51, 16)
      p.dw1 = .field(c.defaultDoorbell.rawValue, 31, 0) | .field(c.vPEID, 47, 32)
      p.dw2 = .field(c.rdBase, 51, 16) | .field(c.valid, 63)
      p.dw3 = .field(c.vptSize, 4, 0) | .field(c.vptAddress >> 16, 51, 16)
    case .vmapti(let device, let event, let vPEID, let vINTID, let doorbell):
      p.encode(device, event)
      p.dw1 |= .field(vPEID, 47, 32)
      p.dw2 = .field(vINTID.rawValue, 31, 0) | .field(doorbell.rawValue, 63, 32)
    case .vmapi(let device, let event, let vPEID, let doorbell):
      p.encode(device, event)
      p.dw1 |= .field(vPEID, 47, 32)
      p.dw2 = .field(doorbell.rawValue, 63, 32)
    case .vmovi(let device, let event, let vPEID, let doorbellValid, let doorbell):
      p.encode(device, event)
      p.dw1 |= .field(vPEID, 47, 32)
      p.dw2 = .field(doorbellValid, 0) | .field(doorbell.rawValue, 63, 32)
    case .vmovp(let c):
      p.dw0 |= .field(c.sequenceNumber, 47, 32)
      p.dw1 = .field(c.itsList, 15, 0) | .field(c.vPEID, 47, 32)
      p.dw2 = .field(c.rdBase, 51, 16) | .field(c.doorbellValid, 63)
      p.dw3 = .field(c.defaultDoorbell.rawValue, 31, 0)
    case .vinvall(let vPEID), .vsync(let vPEID), .invdb(let vPEID):
      p.dw1 = .field(vPEID, 47, 32)
    case .vsgi(let c):
      p.dw0 |=
        .field(c.enable, 8) | .field(c.clear, 9) | .field(c.group, 10)
        | .field(c.priority >> 4, 23, 20) | .field(c.sgi, 35, 32)
      p.dw1 = .field(c.vPEID, 47, 32)
    }
    return p
  }

  /// Reads a packet. RES0 bits are ignored, as an ITS ignores them; `ITSCommandPacket.reservedBits`
  /// tells which were set.
  package init(_ p: ITSCommandPacket) throws(ITSError) {
    let code = UInt8(truncatingIfNeeded: p.dw0)
    guard let opcode = Opcode(rawValue: code) else { throw ITSError(.unknownCommand, code) }
    let device = DeviceID(UInt32(p.dw0.bits(63, 32)))
    let event = EventID(UInt32(p.dw1.bits(31, 0)))
    let icid = UInt16(p.dw2.bits(15, 0))
    let rdBase = p.dw2.bits(51, 16)
    let valid = p.dw2.bit(63)
    let vPEID = UInt16(p.dw1.bits(47, 32))
    let doorbell = INTID(UInt32(p.dw2.bits(63, 32)))
    switch opcode {
    case .mapd:
      self = .mapd(
        device, size: UInt8(p.dw1.bits(4, 0)), ittAddress: p.dw2.bits(51, 8) << 8, valid: valid)
    case .mapc: self = .mapc(icid: icid, rdBase: rdBase, valid: valid)
    case .mapti:
      self = .mapti(device, event, pINTID: INTID(UInt32(p.dw1.bits(63, 32))), icid: icid)
    case .mapi: self = .mapi(device, event, icid: icid)
    case .movi: self = .movi(device, event, icid: icid)
    case .movall: self = .movall(from: rdBase, to: p.dw3.bits(51, 16))
    case .int: self = .int(device, event)
    case .clear: self = .clear(device, event)
    case .discard: self = .discard(device, event)
    case .inv: self = .inv(device, event)
    case .invall: self = .invall(icid: icid)
    case .sync: self = .sync(rdBase: rdBase)
    case .vmapp:
      self = .vmapp(
        VMAPP(
          vPEID: vPEID, rdBase: rdBase, valid: valid, vptSize: UInt8(p.dw3.bits(4, 0)),
          vptAddress: p.dw3.bits(51, 16) << 16, allocate: p.dw0.bit(8),
          pendingTableZero: p.dw0.bit(9), configurationAddress: p.dw0.bits(51, 16) << 16,
          defaultDoorbell: INTID(UInt32(p.dw1.bits(31, 0)))))
    case .vmapti:
      self = .vmapti(
        device, event, vPEID: vPEID, vINTID: INTID(UInt32(p.dw2.bits(31, 0))), doorbell: doorbell)
    case .vmapi: self = .vmapi(device, event, vPEID: vPEID, doorbell: doorbell)
    case .vmovi:
      self = .vmovi(
        device, event, vPEID: vPEID, doorbellValid: p.dw2.bit(0), doorbell: doorbell)
    case .vmovp:
      self = .vmovp(
        VMOVP(
          vPEID: vPEID, rdBase: rdBase, sequenceNumber: UInt16(p.dw0.bits(47, 32)),
          itsList: UInt16(p.dw1.bits(15, 0)), doorbellValid: valid,
          defaultDoorbell: INTID(UInt32(p.dw3.bits(31, 0)))))
    case .vinvall: self = .vinvall(vPEID: vPEID)
    case .vsync: self = .vsync(vPEID: vPEID)
    case .invdb: self = .invdb(vPEID: vPEID)
    case .vsgi:
      self = .vsgi(
        VSGI(
          vPEID: vPEID, sgi: UInt8(p.dw0.bits(35, 32)), enable: p.dw0.bit(8), clear: p.dw0.bit(9),
          group: p.dw0.bit(10), priority: UInt8(p.dw0.bits(23, 20)) << 4))
    }
  }
}

extension ITSCommandPacket {
  /// The RES0 bits that are set. Software must write them as 0; every ITS that we know of ignores
  /// them, so they are a note about the driver, never an error.
  ///
  /// The fields of a command are what survives decoding and encoding a packet of ones.
  package var reservedBits: ITSCommandPacket {
    let ones = ITSCommandPacket(dw0 | ~0xFF, ~0, ~0, ~0)
    guard let fields = try? ITSCommand(ones).packet else { return ITSCommandPacket() }
    return self & ~fields
  }

  fileprivate mutating func encode(_ device: DeviceID, _ event: EventID) {
    dw0 |= .field(device.rawValue, 63, 32)
    dw1 |= .field(event.rawValue, 31, 0)
  }
}
