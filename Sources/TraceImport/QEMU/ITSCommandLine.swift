import EventModel

// ITS commands of a log's lines: their 32 bytes as the log allows to rebuild them (IHI 0069, §5.3).
//
// The log prints fields shifted: ITT_addr is DW2 51:8 without its low eight bits, VPT_addr is DW3
// 51:16 without its low sixteen, Size and VPT_size are bits − 1. It prints no operand for SYNC
// (RDbase), VSYNC (vPEID) and INVALL (ICID), and no sequence number or ITS list for VMOVP: those
// bits are 0.

extension ITSCommandOpcode {
  /// The command that a line means: the opcode that QEMU fetched is the truth where the name leaves
  /// it open (MAPTI and MAPI, VMAPTI and VMAPI share code), else the name.
  func resolved(fetched: UInt8?) -> ITSCommandOpcode {
    guard let fetched, let opcode = ITSCommandOpcode(rawValue: fetched) else { return self }
    return opcode.isMapping && isMapping ? opcode : self
  }

  private var isMapping: Bool {
    switch self {
    case .mapti, .mapi, .vmapti, .vmapi: true
    default: false
    }
  }

  /// The command's words, or nil if a field is missing or too wide.
  func words(_ text: inout LineText) -> ITSCommandWords? {
    switch self {
    case .sync, .vsync, .invall:
      return ITSCommandWords(opcode: self)
    case .int, .clear, .inv, .discard:
      return device(&text)
    case .movi:
      guard var words = device(&text), let icid = text.number("ICID"), icid <= 0xFFFF
      else { return nil }
      words.dword2 = icid
      return words
    case .mapti, .mapi:
      return physicalMapping(&text)
    case .vmapti, .vmapi, .vmovi:
      return virtualMapping(&text)
    case .mapd, .mapc, .movall:
      return structure(&text)
    case .vmovp, .vmapp, .vinvall:
      return vPE(&text)
    case .vsgi, .invdb:
      // GICv4.1: no QEMU has them, and so no line.
      return nil
    }
  }

  /// DW0 63:32 DeviceID, DW1 31:0 EventID.
  private func device(_ text: inout LineText) -> ITSCommandWords? {
    guard let deviceID = text.number32("DeviceID"), let eventID = text.number32("EventID")
    else { return nil }
    return ITSCommandWords(opcode: self, deviceID: deviceID, dword1: UInt64(eventID))
  }

  /// MAPTI, MAPI: ICID in DW2 15:0, and for MAPTI pINTID in DW1 63:32.
  private func physicalMapping(_ text: inout LineText) -> ITSCommandWords? {
    guard var words = device(&text), let icid = text.number("ICID"), icid <= 0xFFFF
    else { return nil }
    words.dword2 = icid
    if self == .mapti {
      guard let intid = text.number32("pINTID") else { return nil }
      words.dword1 |= UInt64(intid) << 32
    }
    return words
  }

  /// VMAPTI, VMAPI, VMOVI: vPEID in DW1 47:32, doorbell in DW2 63:32; in DW2 31:0 the vINTID
  /// (VMAPTI) or the doorbell's valid bit (VMOVI).
  private func virtualMapping(_ text: inout LineText) -> ITSCommandWords? {
    guard var words = device(&text), let vPEID = text.number("vPEID"), vPEID <= 0xFFFF
    else { return nil }
    words.dword1 |= vPEID << 32
    if self == .vmapti {
      guard let intid = text.number32("vINTID") else { return nil }
      words.dword2 = UInt64(intid)
    } else if self == .vmovi {
      guard let isValid = text.number("D"), isValid <= 1 else { return nil }
      words.dword2 = isValid
    }
    guard let doorbell = text.number32("Dbell_pINTID") else { return nil }
    words.dword2 |= UInt64(doorbell) << 32
    return words
  }

  private func structure(_ text: inout LineText) -> ITSCommandWords? {
    switch self {
    case .mapd:
      guard let deviceID = text.number32("DeviceID"), let size = text.number("Size"),
        let address = text.number("ITT_addr"), let isValid = text.number("V"),
        size <= 0x1F, address <= 0xFFF_FFFF_FFFF, isValid <= 1
      else { return nil }
      return ITSCommandWords(
        opcode: self, deviceID: deviceID, dword1: size, dword2: address << 8 | isValid << 63)
    case .mapc:
      guard let icid = text.number("ICID"), let rdbase = text.number("RDbase"),
        let isValid = text.number("V"), icid <= 0xFFFF, rdbase <= 0xF_FFFF_FFFF, isValid <= 1
      else { return nil }
      return ITSCommandWords(opcode: self, dword2: icid | rdbase << 16 | isValid << 63)
    default:
      guard let from = text.number("RDbase1"), let to = text.number("RDbase2"),
        from <= 0xF_FFFF_FFFF, to <= 0xF_FFFF_FFFF
      else { return nil }
      return ITSCommandWords(opcode: self, dword2: from << 16, dword3: to << 16)
    }
  }

  private func vPE(_ text: inout LineText) -> ITSCommandWords? {
    guard let vPEID = text.number("vPEID"), vPEID <= 0xFFFF else { return nil }
    var words = ITSCommandWords(opcode: self, dword1: vPEID << 32)
    if self == .vinvall { return words }
    guard let rdbase = text.number("RDbase"), rdbase <= 0xF_FFFF_FFFF else { return nil }
    words.dword2 = rdbase << 16
    if self == .vmovp { return words }
    guard let isValid = text.number("V"), let address = text.number("VPT_addr"),
      let size = text.number("VPT_size"), isValid <= 1, address <= 0xF_FFFF_FFFF, size <= 0x1F
    else { return nil }
    words.dword2 |= isValid << 63
    words.dword3 = address << 16 | size
    return words
  }
}

struct ITSCommandWords: Equatable {
  var dword0: UInt64
  var dword1: UInt64
  var dword2: UInt64
  var dword3: UInt64

  init(
    opcode: ITSCommandOpcode, deviceID: UInt32 = 0, dword1: UInt64 = 0, dword2: UInt64 = 0,
    dword3: UInt64 = 0
  ) {
    dword0 = UInt64(opcode.rawValue) | UInt64(deviceID) << 32
    self.dword1 = dword1
    self.dword2 = dword2
    self.dword3 = dword3
  }
}
