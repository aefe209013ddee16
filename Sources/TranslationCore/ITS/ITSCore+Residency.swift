import EventModel

// Which vPE is on which redistributor (GICR_VPENDBASER; the reference model's ITS+Residency.swift
// draws the states). A vPE's place says what follows from it for an MSI.

extension ITSCore {
  /// GICv4.0 knows a vPE by its VPT, GICv4.1 by its vPEID, and only on the redistributor to which it
  /// is mapped.
  private func isResident(_ vPE: UInt16, _ record: VPERecord) -> Bool {
    let redistributor = redistributors[Int(record.processor)]
    guard redistributor.hasResident else { return false }
    return rules?.version == .v41
      ? redistributor.residentVPE == vPE : redistributor.residentVPT == record.vptAddress
  }

  /// The place of a vPE after anything changed that it depends on.
  ///
  /// The way is open for an MSI that can raise no doorbell and whose configuration can be read: of a
  /// GICv4.0 vPE while it is resident, of a GICv4.1 vPE unless it is away and armed.
  mutating func refresh(vPE: UInt16, isMapped: Bool) {
    guard isMapped, let rules else { return }
    let record = vPERecord(vPE)
    let resident = isResident(vPE, record)
    var log2INTIDs = record.log2INTIDs
    if rules.version < .v41, resident {
      let redistributor = redistributors[Int(record.processor)]
      log2INTIDs = min(log2INTIDs, redistributor.virtualIDBits)
      bind(record.plane, to: redistributor)
    }
    store(
      .vPE(
        .vpe(vPE), log2INTIDs: log2INTIDs, isResident: resident,
        wantsDoorbell: rules.version < .v41 || record.isArmed),
      at: ITSPlace.vPE(vPE))
  }

  private mutating func bind(_ plane: Int, to redistributor: RedistributorRecord) {
    pending.bind(
      plane: plane,
      toConfiguration: memory.configurationTable(
        at: redistributor.virtualConfigurationAddress))
  }

  mutating func arm(_ vPE: UInt16, _ isArmed: Bool) {
    guard UInt32(vPE) < vPECount else { return }
    // Safety: a record for each vPEID.
    unsafe vPERecords[Int(vPE)].isArmed = isArmed
    refresh(vPE: vPE, isMapped: isMapped(vPE: vPE))
  }

  /// The vPEs that GICR_VPENDBASER may speak of.
  private mutating func refreshNamed(by redistributor: RedistributorRecord) {
    if rules?.version == .v41 {
      let vPE = redistributor.residentVPE
      refresh(vPE: vPE, isMapped: UInt32(vPE) < vPECount && isMapped(vPE: vPE))
    } else if let plane = memory.plane(ofVPT: redistributor.residentVPT) {
      for vPE in memory.vPEs(ofPlane: plane) { refresh(vPE: vPE, isMapped: true) }
    }
  }

  /// GICR_VPROPBASER.
  mutating func writeVPROPBASER(_ value: UInt64, at pe: Int) {
    redistributors[pe].vpropbaser = value
    refreshNamed(by: redistributors[pe])
  }

  /// GICR_VPENDBASER. A write while Dirty, or one that changes a resident vPE, is UNPREDICTABLE and
  /// ignored.
  mutating func writeVPENDBASER(_ new: UInt64, at pe: Int) {
    guard redistributors[pe].dirtyReadsLeft == 0 else { return }
    switch (redistributors[pe].hasResident, new & RedistributorRecord.valid != 0) {
    case (false, false): redistributors[pe].vpendbaser = new & ~RedistributorRecord.dirty
    case (false, true):
      redistributors[pe].vpendbaser = new & ~RedistributorRecord.dirty
      redistributors[pe].dirtyReadsLeft = rules?.dirtyReads ?? 0
      if rules?.version == .v41 { arm(redistributors[pe].residentVPE, false) }
    case (true, false): makeNonResident(request: new, at: pe)
    case (true, true): return
    }
    refreshNamed(by: redistributors[pe])
  }

  /// PendingLast: an enabled interrupt is pending. GICv4.1: or software says that it wants no answer;
  /// with DB = 1 and PendingLast = 0 the default doorbell is promised.
  private mutating func makeNonResident(request: UInt64, at pe: Int) {
    let old = redistributors[pe]
    redistributors[pe].dirtyReadsLeft = rules?.dirtyReads ?? 0
    let bit62 = RedistributorRecord.bit62
    let pendingLast = RedistributorRecord.pendingLast
    var value = old.vpendbaser & ~(bit62 | pendingLast | RedistributorRecord.valid)
    if rules?.version == .v41 {
      let isPending = request & pendingLast != 0 || hasEnabledPending(vPE: old.residentVPE)
      if isPending { value |= pendingLast }
      redistributors[pe].vpendbaser = value
      if request & bit62 != 0 && !isPending { arm(old.residentVPE, true) }
    } else {
      if hasEnabledPending(on: old) { value |= pendingLast }
      redistributors[pe].vpendbaser = value
    }
  }

  mutating func readVPENDBASER(at pe: Int) -> UInt64 {
    let value = redistributors[pe].vpendbaser
    guard redistributors[pe].dirtyReadsLeft > 0 else { return value }
    redistributors[pe].dirtyReadsLeft -= 1
    return value | RedistributorRecord.dirty
  }

  /// GICv4.1. Reads the configuration of everything that is pending, as a search for the most urgent
  /// does.
  private func hasEnabledPending(vPE: UInt16) -> Bool {
    guard let plane = try? plane(ofVPE: vPE) else { return false }
    // Safety: one for each plane.
    var found = unsafe virtualSGIs[plane].hasEnabledPending
    for place in pendingPlaces(plane, below: 1 << vPERecord(vPE).log2INTIDs) {
      if pending.readConfiguration(place) == .delivered { found = true }
    }
    return found
  }

  /// GICv4.0: the redistributor knows the VPT and, by GICR_VPROPBASER, its configuration table.
  private mutating func hasEnabledPending(on redistributor: RedistributorRecord) -> Bool {
    guard let plane = memory.plane(ofVPT: redistributor.residentVPT) else { return false }
    bind(plane, to: redistributor)
    for place in pendingPlaces(plane, below: 1 << UInt64(redistributor.virtualIDBits)) {
      if pending.readConfiguration(place) == .delivered { return true }
    }
    return false
  }

  /// The places of a plane's pending interrupts, ascending.
  private func pendingPlaces(_ plane: Int, below end: UInt64) -> [Int] {
    let first = INTID.firstLPI.rawValue
    let end = max(UInt64(first), min(end, UInt64(highestVirtualLPI) + 1))
    var found: [Int] = []
    for intid in first..<UInt32(end) {
      let place = pending.place(intid, inPlane: plane)
      if pending.isPending(at: place) { found.append(place) }
    }
    return found
  }
}
