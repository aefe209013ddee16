package import EventModel

// Commands (IHI 0069, §5.3). Each either has its effect or is counted in `errors` and has none; the
// conditions, and the order in which they are looked for, are those of the reference model.

extension ITSCore {
  typealias Condition = ITSError.Condition

  /// One raw command, as the queue holds it. Everything is done when this returns, so SYNC and VSYNC
  /// have nothing to wait for.
  /// - Returns: the error if the command had no effect. It is counted too.
  @discardableResult
  package mutating func execute(
    _ dw0: UInt64, _ dw1: UInt64, _ dw2: UInt64, _ dw3: UInt64
  ) -> ITSError? {
    counters.commands += 1
    let words = ITSCommandWords(dw0: dw0, dw1: dw1, dw2: dw2, dw3: dw3)
    guard let opcode = ITSCommandOpcode(rawValue: words.code), knows(opcode) else {
      return count(ITSError(.unknownCommand, words.code))
    }
    do {
      try perform(opcode, words)
      return nil
    } catch {
      return count(ITSError(error, opcode))
    }
  }

  private func knows(_ opcode: ITSCommandOpcode) -> Bool {
    guard let version = rules?.version else { return !opcode.isOfGICv41 }
    return version >= (opcode.isOfGICv41 ? .v41 : opcode.isOfGICv4 ? .v4 : .v3)
  }

  @discardableResult
  mutating func count(_ error: ITSError) -> ITSError {
    errors[error, default: 0] += 1
    return error
  }

  private mutating func perform(
    _ opcode: ITSCommandOpcode, _ c: ITSCommandWords
  ) throws(Condition) {
    switch opcode {
    case .mapd: try setDevice(c.device, log2Events: c.log2Events, isValid: c.isValid)
    case .mapc: try setCollection(c.icid, rdBase: c.rdBase, isValid: c.isValid)
    case .mapti: try setEvent(c.device, c.event, intid: c.pINTID, icid: c.icid)
    case .mapi: try setEvent(c.device, c.event, intid: c.event, icid: c.icid)
    case .movi: try move(c.device, c.event, icid: c.icid)
    case .movall: try moveAll(from: c.rdBase, to: c.destination)
    case .int: try interrupt(c.device, c.event)
    case .clear: try clearPending(of: mappedEntry(c.device, c.event).entry)
    case .discard: try discard(c.device, c.event)
    case .inv: try invalidate(c.device, c.event)
    case .invall: try invalidateAll(icid: c.icid)
    case .sync: _ = try processor(c.rdBase)
    case .vmapp: try setVPE(c)
    case .vmapti:
      try setVirtualEvent(c.device, c.event, vPE: c.vPE, intid: c.vINTID, doorbell: c.doorbell)
    case .vmapi:
      try setVirtualEvent(c.device, c.event, vPE: c.vPE, intid: c.event, doorbell: c.doorbell)
    case .vmovi:
      try moveVirtual(
        c.device, c.event, vPE: c.vPE, doorbell: c.hasDoorbell ? c.doorbell : nil)
    case .vmovp: try moveVPE(c)
    case .vinvall: pending.refreshConfigurations(ofPlane: try plane(ofVPE: c.vPE))
    case .vsync: try check(vPE: c.vPE)
    case .vsgi: try configureSGI(c)
    case .invdb:
      try check(vPE: c.vPE)
      let record = vPERecord(c.vPE)
      guard isLPI(record.defaultDoorbell) else { return }
      pending.refresh(at: place(record.defaultDoorbell, ofPE: Int(record.processor)))
    }
  }

  // MARK: Pending state and configuration

  /// DISCARD: the mapping and its pending bit.
  private mutating func discard(_ device: UInt32, _ event: UInt32) throws(Condition) {
    let (index, entry) = try mappedEntry(device, event)
    try clearPending(of: entry)
    // Safety: `mappedEntry` gives an index within the device's ITT.
    unsafe path.itts[index] = .none
  }

  private func clearPending(of entry: ITSEntry) throws(Condition) {
    pending.acknowledge(at: try place(of: entry, withinVPT: true))
  }

  /// INV: the configuration byte is read again.
  private func invalidate(_ device: UInt32, _ event: UInt32) throws(Condition) {
    pending.refresh(at: try place(of: mappedEntry(device, event).entry, withinVPT: false))
  }

  private func invalidateAll(icid: UInt16) throws(Condition) {
    let pe = try processor(ofCollection: icid)
    guard let rules, rules.invallReachesEveryRedistributor else {
      return pending.refreshConfigurations(ofPlane: plane(ofPE: pe))
    }
    for pe in redistributors.indices {
      pending.refreshConfigurations(ofPlane: plane(ofPE: pe))
    }
  }

  /// INT: as an MSI, but by command: no interrupt of a device is offered, no read is one of an MSI's.
  private mutating func interrupt(_ device: UInt32, _ event: UInt32) throws(Condition) {
    var before = counters
    let outcome = translateByEveryRule(device, event, onHost: false)
    before.pendingBitsSet = counters.pendingBitsSet
    before.doorbells = counters.doorbells
    counters = before
    if let condition = Condition(loss: outcome.outcome) { throw condition }
  }
}

extension ITSError.Condition {
  /// Why an interrupt was lost; nil if it was not.
  fileprivate init?(loss: OutcomeClass) {
    switch loss {
    case .itsDisabled: self = .itsDisabled
    case .deviceIDOutOfRange: self = .deviceIDOutOfRange
    case .unmappedDevice: self = .unmappedDevice
    case .eventIDOutOfRange: self = .eventIDOutOfRange
    case .unmappedEvent: self = .unmappedInterrupt
    case .unmappedCollection: self = .unmappedCollection
    case .unmappedVPE: self = .unmappedVPE
    case .intidOutOfRange: self = .intidOutOfRange
    case .lpisDisabled: self = .lpisDisabled
    default: return nil
    }
  }
}
