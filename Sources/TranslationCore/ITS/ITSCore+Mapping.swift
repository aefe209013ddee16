import EventModel

// MAPD, MAPC, MAPTI, MAPI, VMAPP, VMAPTI, VMAPI.

extension ITSCore {
  /// MAPD. A live device loses all its mappings.
  mutating func setDevice(
    _ device: UInt32, log2Events: UInt32, isValid: Bool
  ) throws(Condition) {
    guard device < deviceCount else { throw .deviceIDOutOfRange }
    guard !isValid || log2Events <= eventIDBits else { throw .tableSizeOutOfRange }
    withdraw(device)
    // Safety: checked above.
    unsafe path.devices[Int(device)] = .unmapped
    guard isValid else { return }
    guard let first = arena.allocate(log2Count: log2Events) else { throw .tableSizeOutOfRange }
    unsafe path.devices[Int(device)] = ITSDevice(firstEntry: first, eventCount: 1 << log2Events)
  }

  /// Takes a device's ITT back, with its entries. Pending bits stay: MAPD does not know of them.
  private mutating func withdraw(_ device: UInt32) {
    // Safety: the caller has checked DeviceID; an ITT has as many entries as its device entry says.
    let old = unsafe path.devices[Int(device)]
    guard old.eventCount > 0 else { return }
    let first = Int(old.firstEntry)
    for index in first..<first + Int(old.eventCount) where unsafe path.itts[index].isValid {
      unsafe path.itts[index] = .none
    }
    arena.release(old.firstEntry, log2Count: UInt32(old.eventCount.trailingZeroBitCount))
  }

  /// MAPC. Moves no pending bits; that is MOVALL's work.
  mutating func setCollection(_ icid: UInt16, rdBase: UInt64, isValid: Bool) throws(Condition) {
    guard UInt32(icid) < collectionCount else { throw .collectionOutOfRange }
    let place = isValid ? collection(of: try processor(rdBase)) : .unmapped
    store(place, at: ITSPlace.collection(icid))
  }

  private func collection(of pe: Int) -> ITSPlace {
    .collection(of: .pe(UInt16(pe)), takesLPIs: redistributors[pe].lpisEnabled)
  }

  /// The places of the collections of a redistributor whose EnableLPIs changed.
  func refreshCollections(of pe: Int) {
    for icid in 0..<collectionCount {
      let index = ITSPlace.collection(UInt16(icid))
      // Safety: a place for each ICID.
      let place = unsafe places[index]
      if place.isMapped, place.target == .pe(UInt16(pe)) { store(collection(of: pe), at: index) }
    }
  }

  /// MAPTI, MAPI.
  mutating func setEvent(
    _ device: UInt32, _ event: UInt32, intid: UInt32, icid: UInt16
  ) throws(Condition) {
    let index = try entryIndex(device, event)
    guard UInt32(icid) < collectionCount else { throw .collectionOutOfRange }
    guard isLPI(intid) else { throw .intidOutOfRange }
    guard mayMap(index) else { return }
    // Safety: `entryIndex` gives an index within the device's ITT.
    unsafe path.itts[index] = .physical(intid, icid: icid)
    highestLPI = max(highestLPI, intid)
  }

  /// VMAPTI, VMAPI. The vPE may be mapped later.
  mutating func setVirtualEvent(
    _ device: UInt32, _ event: UInt32, vPE: UInt16, intid: UInt32, doorbell: UInt32
  ) throws(Condition) {
    let index = try entryIndex(device, event)
    guard UInt32(vPE) < vPECount else { throw .vPEIDOutOfRange }
    guard isLPI(intid), isDoorbell(doorbell) else { throw .intidOutOfRange }
    guard mayMap(index) else { return }
    // Safety: `entryIndex` gives an index within the device's ITT.
    unsafe path.itts[index] = .virtual(intid, vPEID: vPE)
    unsafe doorbells[index] = doorbell
    note(intid, at: vPE)
  }

  private func mayMap(_ index: Int) -> Bool {
    // Safety: the callers' index is within an ITT.
    unsafe !path.itts[index].isValid || rules?.keepsLiveMappings != true
  }

  /// An entry names an interrupt of the vPE, whose gate may have to close.
  mutating func note(_ intid: UInt32, at vPE: UInt16) {
    highestVirtualLPI = max(highestVirtualLPI, intid)
    var place = vPEPlace(vPE)
    guard intid > place.highestINTID else { return }
    place.note(intid)
    store(place, at: ITSPlace.vPE(vPE))
  }

  /// VMAPP. A vPE that goes loses its doorbell request; one that is mapped again keeps it.
  mutating func setVPE(_ c: ITSCommandWords) throws(Condition) {
    guard UInt32(c.vPE) < vPECount else { throw .vPEIDOutOfRange }
    guard let rules else { return try setHostVPE(c) }
    guard c.isValid else {
      detach(c.vPE)
      // Safety: a record for each vPEID.
      unsafe vPERecords[Int(c.vPE)].isArmed = false
      return store(.unmapped, at: ITSPlace.vPE(c.vPE))
    }
    var record = vPERecord(c.vPE)
    record.processor = UInt16(try processor(c.rdBase))
    guard UInt64(1) << UInt64(c.log2INTIDs) <= UInt64(pending.count) else {
      throw .tableSizeOutOfRange
    }
    guard rules.version < .v41 || isDoorbell(c.defaultDoorbell) else { throw .intidOutOfRange }
    guard let plane = memory.allocatePlane(ofVPT: c.vptAddress) else { throw .tableSizeOutOfRange }
    record.log2INTIDs = c.log2INTIDs
    record.vptAddress = c.vptAddress
    record.plane = plane
    record.defaultDoorbell = INTID.spurious.rawValue
    if rules.version == .v41 {
      record.defaultDoorbell = c.defaultDoorbell
      record.configurationTable = memory.configurationTable(at: c.configurationAddress)
      pending.bind(plane: plane, toConfiguration: record.configurationTable)
      if c.zeroesVPT { clearVPT(plane, log2INTIDs: c.log2INTIDs) }
    }
    detach(c.vPE)
    memory.attach(c.vPE, toPlane: plane)
    // Safety: a record for each vPEID.
    unsafe vPERecords[Int(c.vPE)] = record
    refresh(vPE: c.vPE, isMapped: true)
  }

  private mutating func detach(_ vPE: UInt16) {
    guard isMapped(vPE: vPE) else { return }
    memory.detach(vPE, fromPlane: vPERecord(vPE).plane)
  }

  private func clearVPT(_ plane: Int, log2INTIDs: UInt32) {
    let byteCount = (1 << Int(log2INTIDs)) / 8
    pending.clear(plane: plane, below: min(UInt32(byteCount * 8), highestVirtualLPI + 1))
    // Safety: one for each plane.
    unsafe virtualSGIs[plane].clear(byteCount: byteCount)
  }
}
