import EventModel

// From the numbers in a command to entries of the tables, with the condition that fails.

extension ITSCore {
  // MARK: Devices and events

  func device(_ id: UInt32) throws(Condition) -> ITSDevice {
    guard id < deviceCount else { throw .deviceIDOutOfRange }
    // Safety: just checked.
    let entry = unsafe path.devices[Int(id)]
    guard entry.eventCount > 0 else { throw .unmappedDevice }
    return entry
  }

  /// Where the entry of an event is, mapped or not.
  func entryIndex(_ id: UInt32, _ event: UInt32) throws(Condition) -> Int {
    let device = try device(id)
    guard event < device.eventCount else { throw .eventIDOutOfRange }
    return device.entry(event)
  }

  func mappedEntry(
    _ id: UInt32, _ event: UInt32
  ) throws(Condition) -> (index: Int, entry: ITSEntry) {
    let index = try entryIndex(id, event)
    // Safety: `entryIndex` gives an index within the device's ITT.
    let entry = unsafe path.itts[index]
    guard entry.isValid else { throw .unmappedInterrupt }
    return (index, entry)
  }

  /// Whether an entry is there, and what it says: for tests and for the host's software.
  package func mapping(_ device: UInt32, _ event: UInt32)
    -> (intid: UInt32, isVirtual: Bool, place: UInt16)?
  {
    guard let entry = try? mappedEntry(device, event).entry else { return nil }
    return (entry.intid, entry.isVirtual, entry.number)
  }

  // MARK: Collections and redistributors

  /// The processor that RDbase names; GITS_TYPER.PTA is 0.
  func processor(_ rdBase: UInt64) throws(Condition) -> Int {
    guard rdBase < UInt64(redistributors.count) else { throw .targetOutOfRange }
    return Int(rdBase)
  }

  func processor(ofCollection icid: UInt16) throws(Condition) -> Int {
    guard UInt32(icid) < collectionCount else { throw .collectionOutOfRange }
    // Safety: a place for each ICID.
    let place = unsafe places[ITSPlace.collection(icid)]
    guard place.isMapped else { throw .unmappedCollection }
    return Int(place.target.number)
  }

  /// The plane of a redistributor's pending bits. A host's core has one for all.
  func plane(ofPE pe: Int) -> Int { rules == nil ? 1 : pe + 1 }

  func place(_ intid: UInt32, ofPE pe: Int) -> Int {
    pending.place(intid, inPlane: plane(ofPE: pe))
  }

  func isLPI(_ intid: UInt32) -> Bool {
    intid >= INTID.firstLPI.rawValue && intid < pending.count
  }

  /// 1023 means "none".
  func isDoorbell(_ intid: UInt32) -> Bool {
    intid == INTID.spurious.rawValue || isLPI(intid)
  }

  // MARK: vPEs

  func vPEPlace(_ vPE: UInt16) -> ITSPlace {
    // Safety: a place for each vPEID.
    unsafe places[ITSPlace.vPE(vPE)]
  }

  /// What is not in the place. A host's core keeps no records.
  func vPERecord(_ vPE: UInt16) -> VPERecord {
    // Safety: a record for each vPEID.
    unsafe vPERecords[Int(vPE)]
  }

  func isMapped(vPE: UInt16) -> Bool { vPEPlace(vPE).isMapped }

  func check(vPE: UInt16) throws(Condition) {
    guard UInt32(vPE) < vPECount else { throw .vPEIDOutOfRange }
    guard isMapped(vPE: vPE) else { throw .unmappedVPE }
  }

  func plane(ofVPE vPE: UInt16) throws(Condition) -> Int {
    try check(vPE: vPE)
    return planeNumber(of: vPEPlace(vPE), vPE: vPE)
  }

  func planeNumber(of place: ITSPlace, vPE: UInt16) -> Int {
    rules == nil
      ? pending.planeNumber(of: pending.plane(place.target)) : vPERecord(vPE).plane
  }

  /// Where the pending state of an entry's interrupt is.
  func place(of entry: ITSEntry, withinVPT: Bool) throws(Condition) -> Int {
    guard entry.isVirtual else {
      return place(entry.intid, ofPE: try processor(ofCollection: entry.number))
    }
    let plane = try plane(ofVPE: entry.number)
    guard !withinVPT || entry.intid >> log2INTIDs(ofVPE: entry.number) == 0 else {
      throw .intidOutOfRange
    }
    return pending.place(entry.intid, inPlane: plane)
  }
}
