import EventModel

/// The command in one line, with the field names of the specification: `MAPD DeviceID 0x8 Size 0x0
/// ITT_addr 0x42e0c000 V 1`. Addresses are whole (an emulator's log may shift them).
extension ITSCommand: CustomStringConvertible {
  package var description: String {
    var line = Line("\(opcode)".uppercased())
    switch self {
    case .mapd(let device, let size, let ittAddress, let valid):
      line.add(device)
      line.add("Size", size)
      line.add("ITT_addr", ittAddress)
      line.add("V", valid)
    case .mapc(let icid, let rdBase, let valid):
      line.add("ICID", icid)
      line.add("RDbase", rdBase)
      line.add("V", valid)
    case .mapti(let device, let event, let pINTID, let icid):
      line.add(device, event)
      line.add("pINTID", pINTID.rawValue)
      line.add("ICID", icid)
    case .mapi(let device, let event, let icid), .movi(let device, let event, let icid):
      line.add(device, event)
      line.add("ICID", icid)
    case .movall(let from, let to):
      line.add("RDbase1", from)
      line.add("RDbase2", to)
    case .int(let device, let event), .clear(let device, let event),
      .discard(let device, let event), .inv(let device, let event):
      line.add(device, event)
    case .invall(let icid): line.add("ICID", icid)
    case .sync(let rdBase): line.add("RDbase", rdBase)
    case .vmapp(let c):
      line.add("vPEID", c.vPEID)
      line.add("RDbase", c.rdBase)
      line.add("V", c.valid)
      line.add("VPT_addr", c.vptAddress)
      line.add("VPT_size", c.vptSize)
      line.add("Alloc", c.allocate)
      line.add("PTZ", c.pendingTableZero)
      line.add("VCONF_addr", c.configurationAddress)
      line.add("Default_Doorbell", c.defaultDoorbell.rawValue)
    case .vmapti(let device, let event, let vPEID, let vINTID, let doorbell):
      line.add(device, event)
      line.add("vPEID", vPEID)
      line.add("vINTID", vINTID.rawValue)
      line.add("Dbell_pINTID", doorbell.rawValue)
    case .vmapi(let device, let event, let vPEID, let doorbell):
      line.add(device, event)
      line.add("vPEID", vPEID)
      line.add("Dbell_pINTID", doorbell.rawValue)
    case .vmovi(let device, let event, let vPEID, let doorbellValid, let doorbell):
      line.add(device, event)
      line.add("vPEID", vPEID)
      line.add("D", doorbellValid)
      line.add("Dbell_pINTID", doorbell.rawValue)
    case .vmovp(let c):
      line.add("vPEID", c.vPEID)
      line.add("RDbase", c.rdBase)
      line.add("SequenceNumber", c.sequenceNumber)
      line.add("ITSList", c.itsList)
      line.add("DB", c.doorbellValid)
      line.add("Default_Doorbell", c.defaultDoorbell.rawValue)
    case .vinvall(let vPEID), .vsync(let vPEID), .invdb(let vPEID): line.add("vPEID", vPEID)
    case .vsgi(let c):
      line.add("vPEID", c.vPEID)
      line.add("INTID", c.sgi)
      line.add("Priority", c.priority)
      line.add("En", c.enable)
      line.add("Clear", c.clear)
      line.add("Group", c.group)
    }
    return line.text
  }

  private struct Line {
    var text: String
    init(_ name: String) { text = name }
    mutating func add(_ name: String, _ value: some BinaryInteger) {
      text += " \(name) 0x\(String(value, radix: 16))"
    }
    mutating func add(_ name: String, _ flag: Bool) { text += " \(name) \(flag ? 1 : 0)" }
    mutating func add(_ device: DeviceID) { add("DeviceID", device.rawValue) }
    mutating func add(_ device: DeviceID, _ event: EventID) {
      add(device)
      add("EventID", event.rawValue)
    }
  }
}
