/// DW0[7:0] of an ITS command (IHI 0069, §5.3). GICv4's are those of GICv3 with bit 5 set.
package enum ITSCommandOpcode: UInt8, CaseIterable, Sendable {
  case movi = 0x01
  case int = 0x03
  case clear = 0x04
  case sync = 0x05
  case mapd = 0x08
  case mapc = 0x09
  case mapti = 0x0A
  case mapi = 0x0B
  case inv = 0x0C
  case invall = 0x0D
  case movall = 0x0E
  case discard = 0x0F
  case vmovi = 0x21
  case vmovp = 0x22
  case vsgi = 0x23
  case vsync = 0x25
  case vmapp = 0x29
  case vmapti = 0x2A
  case vmapi = 0x2B
  case vinvall = 0x2D
  case invdb = 0x2E

  /// DW0 63:32 is a DeviceID.
  package var namesDevice: Bool {
    switch self {
    case .movi, .int, .clear, .mapd, .mapti, .mapi, .inv, .discard, .vmovi, .vmapti, .vmapi: true
    default: false
    }
  }

  package var isOfGICv4: Bool { rawValue & 0x20 != 0 }
  package var isOfGICv41: Bool { self == .vsgi || self == .invdb }
}
