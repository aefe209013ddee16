package import EventModel

// What each command does (IHI 0069, §5.3.1 … §5.3.21). GICv4's are in `ITS+VirtualCommands.swift`.
//
// Three readings of ours, where the text leaves room:
// · MAPD with V = 1 zeroes the new ITT. Software must supply it zeroed (§5.2.3, else UNPREDICTABLE),
//   but a recording does not hold those stores.
// · DISCARD, CLEAR and INV of a physical event whose collection is not mapped fail and change
//   nothing, as in QEMU and KVM.
// · MAPC moves no pending state; that is MOVALL's work.

extension ITS {
  /// Executes a command; the direct entry for recordings. The model is synchronous: when this
  /// returns, the effect is visible, so SYNC and VSYNC have nothing to wait for.
  /// - Returns: the error if the command had no effect. It is counted too.
  @discardableResult
  package mutating func execute(_ command: ITSCommand) -> ITSError? {
    counters.itsCommands += 1
    lastReads = []
    let opcode = command.opcode
    guard opcode.introduced <= configuration.version else {
      return count(ITSError(.unknownCommand, opcode))
    }
    do {
      try perform(command)
      cache.executed(command)
      caches.executed(command)
      return nil
    } catch {
      return count(ITSError(error, opcode))
    }
  }

  private mutating func perform(_ command: ITSCommand) throws(Condition) {
    switch command {
    case .mapd(let device, let size, let ittAddress, let valid):
      try mapDevice(device, size: size, ittAddress: ittAddress, valid: valid)
    case .mapc(let icid, let rdBase, let valid):
      try mapCollection(icid, rdBase: rdBase, valid: valid)
    case .mapti(let device, let event, let pINTID, let icid):
      try mapPhysical(device, event, pINTID: pINTID.rawValue, icid: icid)
    case .mapi(let device, let event, let icid):
      try mapPhysical(device, event, pINTID: event.rawValue, icid: icid)
    case .movi(let device, let event, let icid): try moveInterrupt(device, event, icid: icid)
    case .movall(let from, let to): try moveAll(from: from, to: to)
    case .int(let device, let event): _ = try trigger(device, event)
    case .clear(let device, let event): try clear(device, event)
    case .discard(let device, let event): try discard(device, event)
    case .inv(let device, let event): try invalidate(device, event)
    case .invall(let icid): try invalidateCollection(icid)
    case .sync(let rdBase):
      guard configuration.processor(rdBase) != nil else { throw .targetOutOfRange }
    case .vmapp(let command): try mapVPE(command)
    case .vmapti(let device, let event, let vPEID, let vINTID, let doorbell):
      try mapVirtual(
        device, event, vPEID: vPEID, vINTID: vINTID.rawValue, doorbell: doorbell.rawValue)
    case .vmapi(let device, let event, let vPEID, let doorbell):
      try mapVirtual(
        device, event, vPEID: vPEID, vINTID: event.rawValue, doorbell: doorbell.rawValue)
    case .vmovi(let device, let event, let vPEID, let doorbellValid, let doorbell):
      try moveVirtual(
        device, event, vPEID: vPEID, doorbell: doorbellValid ? doorbell.rawValue : nil)
    case .vmovp(let command): try moveVPE(command)
    case .vinvall(let vPEID):
      invalidateAll(vpt: try vPE(vPEID).vptAddress)
    case .vsync(let vPEID): _ = try vPE(vPEID)
    case .invdb(let vPEID):
      let entry = try vPE(vPEID)
      invalidate(entry.defaultDoorbell, at: Int(entry.processor))
    case .vsgi(let command): configureSGI(command, try vPE(command.vPEID))
    }
  }

  // MARK: Mapping

  private mutating func mapDevice(
    _ id: DeviceID, size: UInt8, ittAddress: UInt64, valid: Bool
  ) throws(Condition) {
    guard UInt64(id.rawValue) < deviceIDLimit else { throw .deviceIDOutOfRange }
    guard !valid || size < configuration.eventIDBits else { throw .tableSizeOutOfRange }
    let entry =
      valid
      ? DeviceTableEntry(valid: true, size: size, ittAddress: ittAddress) : DeviceTableEntry(0)
    try storeDevice(id, entry)
    if valid {
      memory.clear(ittAddress, sizeBytes: entry.eventCount * InterruptTranslationEntry.sizeBytes)
    }
  }

  private mutating func mapCollection(
    _ icid: UInt16, rdBase: UInt64, valid: Bool
  ) throws(Condition) {
    guard UInt64(icid) < collectionIDLimit else { throw .collectionOutOfRange }
    guard valid else {
      return try storeCollection(icid, CollectionTableEntry(0))
    }
    guard let processor = configuration.processor(rdBase) else { throw .targetOutOfRange }
    try storeCollection(icid, CollectionTableEntry(valid: true, processor: processor))
  }

  /// Whether a MAPTI or VMAPTI may go on: the event exists, and is free or may be overwritten.
  mutating func mayMap(
    _ event: EventID, of device: DeviceTableEntry
  ) throws(Condition) -> Bool {
    let old = try entry(event, of: device)
    return !old.valid || policy.liveMapping == .overwrite
  }

  func isLPI(_ intid: UInt32) -> Bool {
    intid >= INTID.firstLPI.rawValue && UInt64(intid) < 1 << UInt64(configuration.intidBits)
  }

  private mutating func mapPhysical(
    _ id: DeviceID, _ event: EventID, pINTID: UInt32, icid: UInt16
  ) throws(Condition) {
    let device = try device(id)
    guard UInt64(event.rawValue) < device.eventCount else { throw .eventIDOutOfRange }
    guard UInt64(icid) < collectionIDLimit else { throw .collectionOutOfRange }
    guard isLPI(pINTID) else { throw .intidOutOfRange }
    guard try mayMap(event, of: device) else { return }
    storeEntry(event, of: device, InterruptTranslationEntry(physical: pINTID, icid: icid))
  }

  // MARK: Moving

  private mutating func moveInterrupt(
    _ id: DeviceID, _ event: EventID, icid: UInt16
  ) throws(Condition) {
    var (device, entry) = try mappedEntry(id, event)
    guard entry.isPhysical else { throw .wrongInterruptKind }
    let from = Int(try target(ofCollection: entry.icid))
    let to = Int(try target(ofCollection: icid))
    entry.icid = icid
    storeEntry(event, of: device, entry)
    if from != to { movePending(entry.intid, from: from, to: to) }
  }

  private mutating func movePending(_ intid: UInt32, from: Int, to: Int) {
    guard redistributors[from].lpisEnabled, clearPending(intid, at: from) else { return }
    _ = try? makePending(intid, at: to)
  }

  private mutating func moveAll(from: UInt64, to: UInt64) throws(Condition) {
    guard let from = configuration.processor(from), let to = configuration.processor(to) else {
      throw .targetOutOfRange
    }
    guard from != to else { return }
    for intid in pendingLPIs(at: Int(from)) {
      movePending(intid, from: Int(from), to: Int(to))
    }
  }

  // MARK: Pending state and configuration

  private mutating func clear(_ id: DeviceID, _ event: EventID) throws(Condition) {
    try clearPending(of: try mappedEntry(id, event).entry)
  }

  private mutating func clearPending(of entry: InterruptTranslationEntry) throws(Condition) {
    if entry.isPhysical {
      let processor = try target(ofCollection: entry.icid)
      clearPending(entry.intid, at: Int(processor))
    } else {
      let vPE = try vPE(entry.vPEID)
      guard UInt64(entry.intid) < vPE.intidCount else { throw .intidOutOfRange }
      memory.storeBit(false, entry.intid, base: vPE.vptAddress)
    }
  }

  private mutating func discard(_ id: DeviceID, _ event: EventID) throws(Condition) {
    let (device, entry) = try mappedEntry(id, event)
    try clearPending(of: entry)
    storeEntry(event, of: device, .invalid)
  }

  private mutating func invalidate(_ id: DeviceID, _ event: EventID) throws(Condition) {
    let entry = try mappedEntry(id, event).entry
    if entry.isPhysical {
      invalidate(entry.intid, at: Int(try target(ofCollection: entry.icid)))
    } else {
      invalidate(entry.intid, vpt: try vPE(entry.vPEID).vptAddress)
    }
  }

  private mutating func invalidateCollection(_ icid: UInt16) throws(Condition) {
    let processor = Int(try target(ofCollection: icid))
    switch policy.invallScope {
    case .redistributorOfCollection: invalidateAll(at: processor)
    case .everyRedistributor: for n in redistributors.indices { invalidateAll(at: n) }
    }
  }
}
