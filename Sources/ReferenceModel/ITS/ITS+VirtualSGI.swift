import EventModel

// Virtual SGIs of GICv4.1 (IHI 0069, §5.4, GITS_SGIR, the VSGI command).
//
// Their state lies in the part of the VPT that the architecture leaves to the implementation, the
// first KiB. Ours: bytes 0…1, one pending bit per SGI (the place where INTID 0…15 would be); bytes
// 16…31, one configuration byte per SGI: priority 7:4, group 1, enable 0.

extension ITS {
  func configurationOfSGI(_ sgi: UInt8, _ entry: VPETableEntry) -> LPIConfiguration {
    LPIConfiguration(byte: memory.loadByte(entry.vptAddress + 16 + UInt64(sgi)))
  }

  mutating func configureSGI(_ command: ITSCommand.VSGI, _ entry: VPETableEntry) {
    if command.clear {
      memory.storeBit(false, UInt32(command.sgi), base: entry.vptAddress)
      return
    }
    let byte = command.priority & 0xF0 | (command.group ? 2 : 0) | (command.enable ? 1 : 0)
    memory.storeByte(byte, at: entry.vptAddress + 16 + UInt64(command.sgi))
  }

  /// GITS_SGIR: an SGI for a vPE. Lost if the vPE is not mapped.
  mutating func raiseSGI(vPEID: UInt16, sgi: UInt8) {
    guard let entry = try? vPE(vPEID) else {
      count(ITSError(.unmappedVPE, ITSCommand.Opcode.vsgi))
      return
    }
    let was = memory.storeBit(true, UInt32(sgi), base: entry.vptAddress)
    guard !was, !isResident(vPEID, entry) else { return }
    _ = ringDoorbell(
      vPEID, entry, individual: INTID.spurious.rawValue,
      enabled: configurationOfSGI(sgi, entry).isEnabled)
  }

  /// What GICR_VSGIR asks for: one bit per pending SGI.
  mutating func pendingSGIs(ofVPE vPEID: UInt16) -> UInt16 {
    guard let entry = try? vPE(vPEID) else { return 0 }
    return memory.load(UInt16.self, at: entry.vptAddress)
  }
}
