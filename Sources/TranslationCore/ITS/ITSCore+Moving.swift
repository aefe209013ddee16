import EventModel

// MOVI, MOVALL, VMOVI, VMOVP: a pending bit belongs to a redistributor or a vPE and moves with them.

extension ITSCore {
  /// MOVI.
  mutating func move(_ device: UInt32, _ event: UInt32, icid: UInt16) throws(Condition) {
    let (index, entry) = try mappedEntry(device, event)
    guard !entry.isVirtual else { throw .wrongInterruptKind }
    let from = try processor(ofCollection: entry.number)
    let to = try processor(ofCollection: icid)
    // Safety: `mappedEntry` gives an index within the device's ITT.
    unsafe path.itts[index].number = icid
    if from != to { movePending(entry.intid, from: from, to: to) }
  }

  mutating func moveAll(from: UInt64, to: UInt64) throws(Condition) {
    let from = try processor(from)
    let to = try processor(to)
    guard from != to, rules != nil else { return }
    for intid in INTID.firstLPI.rawValue..<max(highestLPI, 8191) + 1
    where pending.isPending(at: place(intid, ofPE: from)) {
      movePending(intid, from: from, to: to)
    }
  }

  /// What the destination does not take is lost. In a host's core an LPI has one place anyway.
  private mutating func movePending(_ intid: UInt32, from: Int, to: Int) {
    guard rules != nil, redistributors[from].lpisEnabled, clearPending(intid, at: from) else {
      return
    }
    _ = try? makePending(intid, at: to)
  }

  /// VMOVI: to another vPE, with its pending bit; the doorbell rules hold at the new place.
  mutating func moveVirtual(
    _ device: UInt32, _ event: UInt32, vPE: UInt16, doorbell: UInt32?
  ) throws(Condition) {
    let (index, entry) = try mappedEntry(device, event)
    guard entry.isVirtual else { throw .wrongInterruptKind }
    if let doorbell, !isDoorbell(doorbell) { throw .intidOutOfRange }
    let old = entry.number
    try check(vPE: old)
    try check(vPE: vPE)
    guard entry.intid >> min(log2INTIDs(ofVPE: old), log2INTIDs(ofVPE: vPE)) == 0 else {
      throw .intidOutOfRange
    }
    // Safety: `mappedEntry` gives an index within the device's ITT.
    unsafe path.itts[index].number = vPE
    if let doorbell { unsafe doorbells[index] = doorbell }
    note(entry.intid, at: vPE)
    // A host's core has one place for a vLPI, whatever its vPE.
    guard rules != nil, old != vPE else { return }
    let place = pending.place(entry.intid, inPlane: vPERecord(old).plane)
    guard pending.isPending(at: place) else { return }
    pending.acknowledge(at: place)
    _ = try? makeVirtualPending(entry.intid, vPE: vPE, doorbell: unsafe doorbells[index])
  }

  func log2INTIDs(ofVPE vPE: UInt16) -> UInt32 {
    rules == nil ? vPEPlace(vPE).log2INTIDs : vPERecord(vPE).log2INTIDs
  }

  /// VMOVP: the vPE's redistributor changes, its pending bits stay where they are, in the VPT.
  mutating func moveVPE(_ c: ITSCommandWords) throws(Condition) {
    try check(vPE: c.vPE)
    let processor = try processor(c.rdBase)
    guard let rules else { return }
    var record = vPERecord(c.vPE)
    if rules.version == .v41, c.isValid {
      guard isDoorbell(c.newDoorbell) else { throw .intidOutOfRange }
      record.defaultDoorbell = c.newDoorbell
    }
    record.processor = UInt16(processor)
    // Safety: a record for each vPEID.
    unsafe vPERecords[Int(c.vPE)] = record
    refresh(vPE: c.vPE, isMapped: true)
  }
}
