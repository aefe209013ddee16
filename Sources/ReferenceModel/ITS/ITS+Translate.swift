package import EventModel

// From (DeviceID, EventID) to a pending interrupt (IHI 0069, §5.2.2 and the pseudocode of INT).
//
//     DeviceID → device table → ITT ┐
//     EventID ──────────────────────┴→ entry ┬ physical: ICID → collection → redistributor
//                                            └ virtual:  vPEID → vPE → redistributor, VPT

extension ITS {
  /// A device's MSI: translates and makes the interrupt pending. `lastReads` tells what was read:
  /// with caches switched on, what they left over.
  ///
  /// `intid` and `target` are those that became pending, 0 if the MSI is lost. An interrupt that was
  /// pending already is `coalesced`, enabled or not. The INT command takes the same way but is not
  /// an interrupt offered by a device, and is not counted as one.
  @discardableResult
  package mutating func translate(deviceID: DeviceID, eventID: EventID) -> Outcome {
    counters.interruptsOffered += 1
    lastReads = []
    let reads = readsThroughCaches(deviceID, eventID)
    let hit = cache.lookUp(deviceID, eventID)
    let outcome: Outcome
    do {
      let translation = try trigger(deviceID, eventID)
      if hit != nil && hit != translation.cached { cache.staleHits += 1 }
      outcome = translation.outcome
    } catch {
      if hit != nil && cache.answersFor(error) { cache.staleHits += 1 }
      let error = count(ITSError(error, ITSCommand.Opcode.int))
      outcome = Outcome(address: configuration.doorbell, outcome: error.outcome)
    }
    if let reads { lastReads = reads }
    countReads()
    outcomes[outcome.outcome, default: 0] += 1
    return outcome
  }

  /// The common way of an MSI and of INT.
  mutating func trigger(
    _ deviceID: DeviceID, _ eventID: EventID
  ) throws(Condition) -> (outcome: Outcome, cached: TranslationCachePolicy.Translation) {
    guard registers.enabled else { throw .itsDisabled }
    let (_, entry) = try mappedEntry(deviceID, eventID)
    let cached = TranslationCachePolicy.Translation(entry)
    var outcome = Outcome(
      address: configuration.doorbell, intid: entry.intid, outcome: .delivered)
    if entry.isPhysical {
      let processor = try target(ofCollection: entry.icid)
      outcome.target = .pe(processor)
      outcome.outcome = try makePending(entry.intid, at: Int(processor))
    } else {
      let vPE = try vPE(entry.vPEID)
      outcome.target = .vpe(entry.vPEID)
      let made = try makeVirtualPending(
        entry.intid, ofVPE: entry.vPEID, vPE, doorbell: entry.doorbell)
      outcome.outcome = made.outcome
      if made.doorbellRaised { outcome.flags = Outcome.doorbellRaised }
    }
    cache.fill(deviceID, eventID, cached)
    return (outcome, cached)
  }

  /// What an MSI reads with caches in front of the tables; nil if all are switched off.
  private mutating func readsThroughCaches(
    _ deviceID: DeviceID, _ eventID: EventID
  ) -> [TableRead]? {
    guard caches.areOn else { return nil }
    try? walkThroughCaches(deviceID, eventID)
    defer { lastReads = [] }
    return lastReads
  }

  private mutating func countReads() {
    for read in lastReads {
      switch read.table {
      case .deviceLevel1, .device: counters.deviceTableReads += 1
      case .itt: counters.ittReads += 1
      case .collectionLevel1, .collection: counters.collectionTableReads += 1
      case .vPELevel1, .vPE: counters.vPETableReads += 1
      }
    }
  }

  // MARK: The CPU's side

  /// The interrupt that the target would take next: the lowest priority value among those pending
  /// and enabled, then the lowest INTID. Nil if there is none, or if a vPE is not mapped.
  package mutating func highestPriorityPending(_ target: InterruptTarget) -> INTID? {
    if target.isVPE {
      guard let entry = mappedVPE(target.number) else { return nil }
      return highestPriorityPending(ofVPE: target.number, entry)
    }
    let n = Int(target.number)
    guard n < redistributors.count, redistributors[n].lpisEnabled else { return nil }
    var best: (priority: UInt8, intid: UInt32)?
    for intid in pendingLPIs(at: n) {
      let configuration = configuration(of: intid, at: n)
      guard configuration.isEnabled else { continue }
      if best == nil || configuration.priority < best!.priority {
        best = (configuration.priority, intid)
      }
    }
    return best.map { INTID($0.intid) }
  }

  mutating func highestPriorityPending(ofVPE vPEID: UInt16, _ entry: VPETableEntry) -> INTID? {
    var best: (priority: UInt8, intid: UInt32)?
    if configuration.version == .v41 {
      for sgi in UInt8(0)..<16 where memory.loadBit(UInt32(sgi), base: entry.vptAddress) {
        let configuration = configurationOfSGI(sgi, entry)
        guard configuration.isEnabled else { continue }
        if best == nil || configuration.priority < best!.priority {
          best = (configuration.priority, UInt32(sgi))
        }
      }
    }
    guard let table = virtualConfigurationTable(vPEID, entry) else {
      return best.map { INTID($0.intid) }
    }
    for intid in pendingINTIDs(in: entry.vptAddress, idBits: UInt64(entry.vptSize) + 1) {
      let configuration = virtualConfiguration(of: intid, table: table, vpt: entry.vptAddress)
      guard configuration.isEnabled else { continue }
      if best == nil || configuration.priority < best!.priority {
        best = (configuration.priority, intid)
      }
    }
    return best.map { INTID($0.intid) }
  }

  /// The target takes `intid`: its pending bit is cleared. End of interrupt does nothing to an LPI.
  /// - Returns: whether it was pending there.
  @discardableResult
  package mutating func acknowledge(target: InterruptTarget, intid: INTID) -> Bool {
    if !target.isVPE {
      let n = Int(target.number)
      return n < redistributors.count && clearPending(intid.rawValue, at: n)
    }
    guard let entry = mappedVPE(target.number), UInt64(intid.rawValue) < entry.intidCount,
      intid.rawValue >= INTID.firstLPI.rawValue
        || configuration.version == .v41 && intid.rawValue < 16
    else { return false }
    return memory.storeBit(false, intid.rawValue, base: entry.vptAddress)
  }

  /// The target takes what is most urgent; 1023 if there is nothing.
  package mutating func acknowledge(target: InterruptTarget) -> INTID {
    guard let intid = highestPriorityPending(target) else { return .spurious }
    acknowledge(target: target, intid: intid)
    return intid
  }
}
