package import EventModel

/// One command of the ITS command queue, as its fields (IHI 0069, §5.3 "ITS commands").
///
/// GICv3, GICv4.0 and GICv4.1 are all here; an ITS of an older version meets the newer opcodes as
/// unknown commands. Fields keep the value that stands in the packet: `size` and `vptSize` are
/// "bits − 1", `rdBase` is the 36-bit field DW2[51:16] (a processor number, or a physical address
/// shifted right by 16, as GITS_TYPER.PTA says). Addresses are whole byte addresses.
///
///     let command = ITSCommand.mapti(DeviceID(8), EventID(0), pINTID: INTID(8192), icid: 0)
///     command.packet.dw0      // 0x0000_0008_0000_000A
///     "\(command)"            // MAPTI DeviceID 0x8 EventID 0x0 pINTID 0x2000 ICID 0x0
///     try ITSCommand(command.packet) == command
///
/// There is no VDISCARD, VINT, VCLEAR or VINV: DISCARD, INT, CLEAR and INV act on whatever kind of
/// entry the translation table holds.
package enum ITSCommand: Hashable, Sendable {
  // Mapping of tables and collections.
  case mapd(DeviceID, size: UInt8, ittAddress: UInt64, valid: Bool)
  case mapc(icid: UInt16, rdBase: UInt64, valid: Bool)
  // Physical interrupts.
  case mapti(DeviceID, EventID, pINTID: INTID, icid: UInt16)
  case mapi(DeviceID, EventID, icid: UInt16)
  case movi(DeviceID, EventID, icid: UInt16)
  case movall(from: UInt64, to: UInt64)
  // Any interrupt.
  case int(DeviceID, EventID)
  case clear(DeviceID, EventID)
  case discard(DeviceID, EventID)
  case inv(DeviceID, EventID)
  case invall(icid: UInt16)
  case sync(rdBase: UInt64)
  // GICv4: virtual interrupts.
  case vmapp(VMAPP)
  case vmapti(DeviceID, EventID, vPEID: UInt16, vINTID: INTID, doorbell: INTID)
  case vmapi(DeviceID, EventID, vPEID: UInt16, doorbell: INTID)
  /// `doorbellValid` is the D bit: replace the doorbell too.
  case vmovi(DeviceID, EventID, vPEID: UInt16, doorbellValid: Bool, doorbell: INTID)
  case vmovp(VMOVP)
  case vinvall(vPEID: UInt16)
  case vsync(vPEID: UInt16)
  // GICv4.1.
  case vsgi(VSGI)
  case invdb(vPEID: UInt16)
}

extension ITSCommand {
  /// VMAPP: maps a vPE to a redistributor and gives it a virtual pending table (VPT). The last five
  /// fields exist in GICv4.1 only and are RES0 before.
  package struct VMAPP: Hashable, Sendable {
    package var vPEID: UInt16
    package var rdBase: UInt64
    package var valid: Bool
    /// Bits of the vINTID − 1.
    package var vptSize: UInt8
    /// 64 KiB aligned.
    package var vptAddress: UInt64
    /// Alloc: first mapping (V = 1) or last unmapping (V = 0) of this vPE among all ITSs.
    package var allocate: Bool
    /// PTZ: the VPT is known to hold zeros only.
    package var pendingTableZero: Bool
    /// VCONF_addr: the vPE's LPI configuration table, 64 KiB aligned.
    package var configurationAddress: UInt64
    package var defaultDoorbell: INTID

    package init(
      vPEID: UInt16, rdBase: UInt64, valid: Bool = true, vptSize: UInt8, vptAddress: UInt64,
      allocate: Bool = false, pendingTableZero: Bool = false, configurationAddress: UInt64 = 0,
      defaultDoorbell: INTID = INTID(0)
    ) {
      self.vPEID = vPEID
      self.rdBase = rdBase
      self.valid = valid
      self.vptSize = vptSize
      self.vptAddress = vptAddress
      self.allocate = allocate
      self.pendingTableZero = pendingTableZero
      self.configurationAddress = configurationAddress
      self.defaultDoorbell = defaultDoorbell
    }
  }

  /// VMOVP: moves a vPE to another redistributor. Sequence number and ITS list are used when
  /// GITS_TYPER.VMOVP = 0, the doorbell fields in GICv4.1.
  package struct VMOVP: Hashable, Sendable {
    package var vPEID: UInt16
    package var rdBase: UInt64
    package var sequenceNumber: UInt16
    package var itsList: UInt16
    /// DB: replace the default doorbell.
    package var doorbellValid: Bool
    package var defaultDoorbell: INTID

    package init(
      vPEID: UInt16, rdBase: UInt64, sequenceNumber: UInt16 = 0, itsList: UInt16 = 0,
      doorbellValid: Bool = false, defaultDoorbell: INTID = INTID(0)
    ) {
      self.vPEID = vPEID
      self.rdBase = rdBase
      self.sequenceNumber = sequenceNumber
      self.itsList = itsList
      self.doorbellValid = doorbellValid
      self.defaultDoorbell = defaultDoorbell
    }
  }

  /// VSGI: configures, or clears, one of a vPE's 16 virtual SGIs.
  package struct VSGI: Hashable, Sendable {
    package var vPEID: UInt16
    /// 0…15.
    package var sgi: UInt8
    package var enable: Bool
    package var clear: Bool
    package var group: Bool
    /// Bits 7:4 are kept, bits 3:0 read as 0.
    package var priority: UInt8

    package init(
      vPEID: UInt16, sgi: UInt8, enable: Bool, clear: Bool = false, group: Bool = true,
      priority: UInt8
    ) {
      self.vPEID = vPEID
      self.sgi = sgi & 0xF
      self.enable = enable
      self.clear = clear
      self.group = group
      self.priority = priority & 0xF0
    }
  }
}

extension ITSCommandOpcode {
  /// The GIC version that brought the command.
  package var introduced: ITS.Version { isOfGICv41 ? .v41 : isOfGICv4 ? .v4 : .v3 }
}

extension ITSCommand {
  package typealias Opcode = ITSCommandOpcode

  package var opcode: Opcode {
    switch self {
    case .mapd: .mapd
    case .mapc: .mapc
    case .mapti: .mapti
    case .mapi: .mapi
    case .movi: .movi
    case .movall: .movall
    case .int: .int
    case .clear: .clear
    case .discard: .discard
    case .inv: .inv
    case .invall: .invall
    case .sync: .sync
    case .vmapp: .vmapp
    case .vmapti: .vmapti
    case .vmapi: .vmapi
    case .vmovi: .vmovi
    case .vmovp: .vmovp
    case .vinvall: .vinvall
    case .vsync: .vsync
    case .vsgi: .vsgi
    case .invdb: .invdb
    }
  }
}
