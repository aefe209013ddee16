import EventModel

// The commands of GICv4.0 and 4.1 (IHI 0069, §5.3 and §5.4).
//
// VMAPTI accepts a vPE that is not mapped (yet), as QEMU does: an MSI then is lost as "unmapped vPE".
// With GITS_TYPER.VMOVP = 0 every ITS of the ITS list must get the same VMOVP; there is one ITS here,
// so its own copy is all that is waited for.

extension ITS {
  mutating func mapVPE(_ command: ITSCommand.VMAPP) throws(Condition) {
    guard UInt64(command.vPEID) < vPEIDLimit else { throw .vPEIDOutOfRange }
    guard command.valid else {
      armedDoorbells.remove(command.vPEID)
      return try storeVPE(
        command.vPEID, VPETableEntry(valid: false, vptSize: 0, vptAddress: 0, processor: 0))
    }
    guard let processor = configuration.processor(command.rdBase) else { throw .targetOutOfRange }
    guard command.vptSize < configuration.intidBits else { throw .tableSizeOutOfRange }
    var entry = VPETableEntry(
      valid: true, vptSize: command.vptSize, vptAddress: command.vptAddress, processor: processor)
    if configuration.version == .v4_1 {
      guard isDoorbell(command.defaultDoorbell.rawValue) else { throw .intidOutOfRange }
      entry.configurationAddress = command.configurationAddress
      entry.defaultDoorbell = command.defaultDoorbell.rawValue
      // PTZ promises a zero table; it is meaningful with Alloc only.
      if command.allocate && command.pendingTableZero {
        memory.clear(command.vptAddress, sizeBytes: entry.intidCount / 8)
      }
    }
    try storeVPE(command.vPEID, entry)
  }

  /// 1023 means "none".
  private func isDoorbell(_ intid: UInt32) -> Bool {
    intid == INTID.spurious.rawValue || isLPI(intid)
  }

  mutating func mapVirtual(
    _ id: DeviceID, _ event: EventID, vPEID: UInt16, vINTID: UInt32, doorbell: UInt32
  ) throws(Condition) {
    let device = try device(id)
    guard UInt64(event.rawValue) < device.eventCount else { throw .eventIDOutOfRange }
    guard UInt64(vPEID) < vPEIDLimit else { throw .vPEIDOutOfRange }
    guard isLPI(vINTID), isDoorbell(doorbell) else { throw .intidOutOfRange }
    guard try mayMap(event, of: device) else { return }
    storeEntry(
      event, of: device,
      InterruptTranslationEntry(virtual: vINTID, vPEID: vPEID, doorbell: doorbell))
  }

  /// VMOVI: to another vPE, with its pending bit; the doorbell rules hold at the new place.
  mutating func moveVirtual(
    _ id: DeviceID, _ event: EventID, vPEID: UInt16, doorbell: UInt32?
  ) throws(Condition) {
    var (device, entry) = try mappedEntry(id, event)
    guard !entry.isPhysical else { throw .wrongInterruptKind }
    if let doorbell, !isDoorbell(doorbell) { throw .intidOutOfRange }
    let old = try vPE(entry.vPEID)
    let new = try vPE(vPEID)
    guard UInt64(entry.intid) < min(old.intidCount, new.intidCount) else { throw .intidOutOfRange }
    let moved = entry.vPEID != vPEID
    entry.vPEID = vPEID
    if let doorbell { entry.doorbell = doorbell }
    storeEntry(event, of: device, entry)
    if moved, memory.storeBit(false, entry.intid, base: old.vptAddress) {
      _ = try? makeVirtualPending(entry.intid, ofVPE: vPEID, new, doorbell: entry.doorbell)
    }
  }

  /// VMOVP: the vPE's redistributor changes, its pending bits stay where they are, in the VPT.
  mutating func moveVPE(_ command: ITSCommand.VMOVP) throws(Condition) {
    var entry = try vPE(command.vPEID)
    guard let processor = configuration.processor(command.rdBase) else { throw .targetOutOfRange }
    if configuration.version == .v4_1, command.doorbellValid {
      guard isDoorbell(command.defaultDoorbell.rawValue) else { throw .intidOutOfRange }
      entry.defaultDoorbell = command.defaultDoorbell.rawValue
    }
    entry.processor = processor
    try storeVPE(command.vPEID, entry)
  }
}
