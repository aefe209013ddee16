package import EventModel

// Making interrupts pending at a redistributor or a vPE, doorbells, virtual SGIs.

extension ITSCore {
  /// - Returns: delivered, coalesced (it was pending already) or masked (pending, but disabled).
  mutating func makePending(_ intid: UInt32, at pe: Int) throws(Condition) -> OutcomeClass {
    guard redistributors[pe].lpisEnabled else { throw .lpisDisabled }
    guard isLPI(intid) else { throw .intidOutOfRange }
    let outcome = pending.raise(at: place(intid, ofPE: pe))
    if outcome != .coalesced {
      counters.pendingBitsSet += 1
      highestLPI = max(highestLPI, intid)
    }
    return outcome
  }

  /// - Returns: whether it was pending.
  @discardableResult
  func clearPending(_ intid: UInt32, at pe: Int) -> Bool {
    guard isLPI(intid) else { return false }
    let place = place(intid, ofPE: pe)
    guard pending.isPending(at: place) else { return false }
    pending.acknowledge(at: place)
    return true
  }

  /// Sets the vLPI's bit in the VPT and rings the doorbell if the rules say so.
  ///
  /// Nobody can tell whether an interrupt of a GICv4.0 vPE that is away is enabled: its configuration
  /// table is named by the redistributor on which it is resident. It counts as delivered.
  mutating func makeVirtualPending(
    _ intid: UInt32, vPE: UInt16, doorbell: UInt32
  ) throws(Condition) -> (outcome: OutcomeClass, doorbellRaised: Bool) {
    let place = vPEPlace(vPE)
    guard place.has(intid) else { throw .intidOutOfRange }
    let state = pending.place(intid, inPlane: vPERecord(vPE).plane)
    let wasPending = pending.isPending(at: state)
    if wasPending {
      guard rules?.ringsForEveryEvent == true else { return (.coalesced, false) }
    } else {
      counters.pendingBitsSet += 1
      pending.rise(at: state)
    }
    let isReadable = place.isTaking || rules?.version == .v41
    let outcome = isReadable ? pending.readConfiguration(state) : .delivered
    let isRaised =
      !place.isTaking
      && ring(vPE, individual: doorbell, isEnabled: outcome == .delivered)
    return (wasPending ? .coalesced : outcome, isRaised)
  }

  /// A doorbell LPI for a vPE that is away: GICv4.0, the event's own (1023: none); GICv4.1, the vPE's
  /// default doorbell, once after a departure that asked for it, and only for an interrupt that is
  /// enabled.
  mutating func ring(_ vPE: UInt16, individual: UInt32, isEnabled: Bool) -> Bool {
    let record = vPERecord(vPE)
    var doorbell = individual
    if rules?.version == .v41 {
      guard isEnabled, record.isArmed else { return false }
      doorbell = record.defaultDoorbell
    }
    guard doorbell != INTID.spurious.rawValue,
      (try? makePending(doorbell, at: Int(record.processor))) != nil
    else { return false }
    if record.isArmed { arm(vPE, false) }
    counters.doorbells += 1
    return true
  }

  /// The target takes the interrupt: its pending bit is cleared.
  /// - Returns: whether it was pending there.
  @discardableResult
  package func acknowledge(_ target: InterruptTarget, _ intid: UInt32) -> Bool {
    guard rules != nil else {
      defer { pending.acknowledge(intid, target) }
      return pending.isPending(intid, target)
    }
    guard target.isVPE else {
      return target.number < redistributors.count && clearPending(intid, at: Int(target.number))
    }
    let vPE = target.number
    guard isMapped(vPE: vPE), intid >> vPERecord(vPE).log2INTIDs == 0 else { return false }
    let plane = vPERecord(vPE).plane
    guard intid >= INTID.firstLPI.rawValue else {
      return rules?.version == .v41 && intid < 16 && clearSGI(Int(intid), plane: plane)
    }
    let place = pending.place(intid, inPlane: plane)
    guard pending.isPending(at: place) else { return false }
    pending.acknowledge(at: place)
    return true
  }

  // MARK: Virtual SGIs (GICv4.1)

  private func clearSGI(_ sgi: Int, plane: Int) -> Bool {
    // Safety: one for each plane.
    let was = unsafe virtualSGIs[plane].pending >> UInt16(sgi) & 1 != 0
    unsafe virtualSGIs[plane].pending &= ~(1 << UInt16(sgi))
    return was
  }

  /// VSGI.
  mutating func configureSGI(_ c: ITSCommandWords) throws(Condition) {
    let plane = try plane(ofVPE: c.vPE)
    if c.clearsSGI {
      _ = clearSGI(c.sgi, plane: plane)
    } else {
      // Safety: one for each plane; SGIs are 0…15.
      unsafe virtualSGIs[plane].configurations[c.sgi] = c.sgiConfiguration
    }
  }

  /// GITS_SGIR: an SGI for a vPE. Lost if the vPE is not mapped.
  package mutating func raiseSGI(_ sgi: UInt8, vPE: UInt16) {
    guard rules?.version == .v41 else { return }
    guard let plane = try? plane(ofVPE: vPE) else {
      count(ITSError(.unmappedVPE, ITSCommandOpcode.vsgi))
      return
    }
    let bit = UInt16(1) << UInt16(sgi & 0xF)
    // Safety: one for each plane.
    let sgis = unsafe virtualSGIs[plane]
    unsafe virtualSGIs[plane].pending |= bit
    guard sgis.pending & bit == 0, !vPEPlace(vPE).isTaking else { return }
    _ = ring(
      vPE, individual: INTID.spurious.rawValue, isEnabled: sgis.isEnabled(Int(sgi & 0xF)))
  }
}
