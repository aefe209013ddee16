package import EventModel

// Commands (IHI 0069, §5.3). Each either has its effect or is counted in `commandErrors` under the
// error number of Linux's arm-gic-v3.h and has none.

extension ITSCore {
  /// One raw command, as the queue holds it.
  package mutating func execute(
    _ dw0: UInt64, _ dw1: UInt64, _ dw2: UInt64, _ dw3: UInt64
  ) {
    counters.commands += 1
    let device = UInt32(dw0 >> 32)
    let event = UInt32(truncatingIfNeeded: dw1)
    let upper = UInt32(dw1 >> 32)
    let icid = UInt16(truncatingIfNeeded: dw2)
    let vpe = UInt16(truncatingIfNeeded: dw1 >> 32)
    let rdBase = dw2 >> 16 & 0xF_FFFF_FFFF
    let isValid = dw2 >> 63 == 1
    switch dw0 & 0xFF {
    case 0x01: if hasTarget(device, event, 0x01_0107) { moveEvent(device, event, icid: icid) }
    case 0x03: interrupt(device, event)
    case 0x04: if hasPendingBit(device, event, 0x01_0507) { clear(device, event) }
    // SYNC, VMOVP, VSYNC: no table of this model changes.
    case 0x05: if rdBase >= UInt64(peCount) { fail(0x01_0501) }
    case 0x22: if !vPE(vpe).isMapped || rdBase >= UInt64(peCount) { fail(0x01_2211) }
    case 0x25: if !vPE(vpe).isMapped { fail(0x01_2511) }
    case 0x08: mapDevice(device, log2Events: UInt32(dw1 & 0x1F) + 1, isValid: isValid)
    case 0x09:
      guard !isValid || rdBase < UInt64(peCount) else { return fail(0x01_0902) }
      mapCollection(icid, pe: UInt16(truncatingIfNeeded: rdBase), isValid: isValid)
    case 0x0A: mapEvent(device, event, intid: upper, icid: icid)
    case 0x0B: mapEvent(device, event, intid: event, icid: icid)
    case 0x0C: if hasTarget(device, event, 0x01_0C07) { invalidate(device, event) }
    case 0x0D:
      guard isMapped(icid) else { return fail(0x01_0D09) }
      pending.refreshConfigurations()
    case 0x2D:
      guard vPE(vpe).isMapped else { return fail(0x01_2D11) }
      pending.refreshConfigurations()
    // MOVALL: pending state has one place per INTID here.
    case 0x0E: if max(rdBase, dw3 >> 16 & 0xF_FFFF_FFFF) >= UInt64(peCount) { fail(0x01_0E01) }
    case 0x0F: if hasPendingBit(device, event, 0x01_0F07) { discard(device, event) }
    case 0x21:
      let doorbell = dw2 & 1 == 1 ? UInt32(dw2 >> 32) : nil
      guard hasTarget(device, event, 0x01_2107), let (intid, _, place) = mapping(device, event)
      else { return }
      if let doorbell, !isDoorbell(doorbell) { return fail(0x01_2106) }
      guard isVirtualLPI(intid, ofVPE: place), isVirtualLPI(intid, ofVPE: vpe) else {
        return fail(0x01_2106)
      }
      moveVirtualEvent(device, event, vpe: vpe, doorbell: doorbell)
    case 0x29:
      let log2INTIDs = UInt32(dw3 & 0x1F) + 1
      guard !isValid || rdBase < UInt64(peCount) else { return fail(0x01_2902) }
      guard !isValid || UInt64(1) << UInt64(log2INTIDs) <= UInt64(pending.count) else {
        return fail(0x01_2903)
      }
      mapVPE(vpe, log2INTIDs: log2INTIDs, isValid: isValid)
    case 0x2A:
      mapVirtualEvent(
        device, event, vpe: vpe, intid: UInt32(truncatingIfNeeded: dw2), doorbell: UInt32(dw2 >> 32)
      )
    case 0x2B:
      mapVirtualEvent(device, event, vpe: vpe, intid: event, doorbell: UInt32(dw2 >> 32))
    default: fail(0x01_0000 | UInt32(dw0 & 0xFF) << 8)
    }
  }

  mutating func fail(_ number: UInt32) { commandErrors[number, default: 0] += 1 }

  /// MAPD. A live device loses all its mappings.
  package mutating func mapDevice(_ device: UInt32, log2Events: UInt32, isValid: Bool) {
    guard device < deviceCount else { return fail(0x01_0801) }
    guard !isValid || log2Events <= eventIDBits else { return fail(0x01_0802) }
    // Safety: checked above; see `withdraw` for the ITT.
    withdraw(device)
    unsafe path.devices[Int(device)] = .unmapped
    guard isValid else { return }
    guard let first = arena.allocate(log2Count: log2Events) else { return fail(0x01_0802) }
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

  /// MAPC.
  package mutating func mapCollection(_ icid: UInt16, pe: UInt16, isValid: Bool) {
    guard UInt32(icid) < collectionCount else { return fail(0x01_0903) }
    store(isValid ? collection(of: pe) : .unmapped, at: ITSPlace.collection(icid))
  }

  private func collection(of pe: UInt16) -> ITSPlace {
    .collection(of: .pe(pe), takesLPIs: !disabledPEs.contains(pe))
  }

  /// GICR_CTLR.EnableLPIs of one PE.
  package mutating func setLPIs(enabled: Bool, pe: UInt16) {
    if enabled { disabledPEs.remove(pe) } else { disabledPEs.insert(pe) }
    for icid in 0..<collectionCount {
      let index = ITSPlace.collection(UInt16(icid))
      // Safety: a place for each ICID.
      let place = unsafe places[index]
      if place.isMapped, place.target == .pe(pe) { store(collection(of: pe), at: index) }
    }
  }

  /// Index of the ITT entry, or nil and an error.
  private mutating func entryIndex(
    _ device: UInt32, _ event: UInt32, noDevice: UInt32, noEvent: UInt32
  ) -> Int? {
    guard device < deviceCount else {
      fail(noDevice)
      return nil
    }
    // Safety: checked above.
    let entry = unsafe path.devices[Int(device)]
    guard entry.eventCount > 0 else {
      fail(noDevice)
      return nil
    }
    guard event < entry.eventCount else {
      fail(noEvent)
      return nil
    }
    return entry.entry(event)
  }

  private mutating func mappedIndex(_ device: UInt32, _ event: UInt32, _ error: UInt32) -> Int? {
    guard let index = entryIndex(device, event, noDevice: error, noEvent: error) else { return nil }
    // Safety: `entryIndex` gives an index within the device's ITT.
    guard unsafe path.itts[index].isValid else {
      fail(error)
      return nil
    }
    return index
  }

  private func isMapped(_ icid: UInt16) -> Bool {
    // Safety: a place for each ICID.
    unsafe places[ITSPlace.collection(icid)].isMapped
  }

  private func vPE(_ vpe: UInt16) -> ITSPlace {
    // Safety: a place for each vPEID.
    unsafe places[ITSPlace.vPE(vpe)]
  }

  /// Whether the vPE's pending table has a bit for the interrupt.
  private func isVirtualLPI(_ intid: UInt32, ofVPE vpe: UInt16) -> Bool {
    vPE(vpe).isMapped && vPE(vpe).has(intid)
  }

  /// Whether the event is mapped and so is its collection or vPE. Else the commands about it have no
  /// target to tell and do nothing, as in the reference model.
  private mutating func hasTarget(_ device: UInt32, _ event: UInt32, _ error: UInt32) -> Bool {
    guard let (_, isVirtual, place) = mapping(device, event),
      isVirtual ? vPE(place).isMapped : isMapped(place)
    else {
      fail(error)
      return false
    }
    return true
  }

  /// The same, and the target has a pending bit for the interrupt.
  private mutating func hasPendingBit(_ device: UInt32, _ event: UInt32, _ error: UInt32) -> Bool {
    guard hasTarget(device, event, error), let found = mapping(device, event) else { return false }
    guard found.isVirtual, !isVirtualLPI(found.intid, ofVPE: found.place) else { return true }
    fail(error)
    return false
  }

  private func isDoorbell(_ intid: UInt32) -> Bool {
    intid == INTID.spurious.rawValue || isLPI(intid)
  }

  private func isLPI(_ intid: UInt32) -> Bool {
    intid >= INTID.firstLPI.rawValue && intid < pending.count
  }

  /// MAPTI, MAPI. On a live mapping: overwrites (UNPREDICTABLE in the architecture).
  package mutating func mapEvent(_ device: UInt32, _ event: UInt32, intid: UInt32, icid: UInt16) {
    guard let index = entryIndex(device, event, noDevice: 0x01_0A04, noEvent: 0x01_0A05) else {
      return
    }
    guard isLPI(intid) else { return fail(0x01_0A06) }
    guard UInt32(icid) < collectionCount else { return fail(0x01_0A03) }
    // Safety: `entryIndex` gives an index within the device's ITT.
    unsafe path.itts[index] = ITSEntry.physical(intid, icid: icid)
  }

  /// VMAPTI, VMAPI.
  package mutating func mapVirtualEvent(
    _ device: UInt32, _ event: UInt32, vpe: UInt16, intid: UInt32, doorbell: UInt32
  ) {
    guard let index = entryIndex(device, event, noDevice: 0x01_2A04, noEvent: 0x01_2A05) else {
      return
    }
    guard isLPI(intid), isDoorbell(doorbell) else { return fail(0x01_2A06) }
    // Safety: `entryIndex` gives an index within the device's ITT.
    unsafe path.itts[index] = ITSEntry.virtual(intid, vPEID: vpe)
    unsafe doorbells[index] = doorbell
    note(intid, at: vpe)
  }

  /// An entry names an interrupt of the vPE, whose gate may have to close.
  private mutating func note(_ intid: UInt32, at vpe: UInt16) {
    var place = vPE(vpe)
    guard intid > place.highestINTID else { return }
    place.note(intid)
    store(place, at: ITSPlace.vPE(vpe))
  }

  private func target(ofVPE vpe: UInt16) -> InterruptTarget {
    InterruptTarget(rawValue: vpe | vPETargetBits)
  }

  /// MOVI. A virtual entry is not its business.
  package mutating func moveEvent(_ device: UInt32, _ event: UInt32, icid: UInt16) {
    guard let index = mappedIndex(device, event, 0x01_0107) else { return }
    // Safety: `mappedIndex` gives an index within the device's ITT.
    guard unsafe !path.itts[index].isVirtual else { return fail(0x01_0107) }
    guard isMapped(icid) else { return fail(0x01_0109) }
    unsafe path.itts[index].number = icid
  }

  /// VMOVI.
  package mutating func moveVirtualEvent(
    _ device: UInt32, _ event: UInt32, vpe: UInt16, doorbell: UInt32?
  ) {
    guard let index = mappedIndex(device, event, 0x01_2107) else { return }
    // Safety: `mappedIndex` gives an index within the device's ITT.
    guard unsafe path.itts[index].isVirtual else { return fail(0x01_2107) }
    unsafe path.itts[index].number = vpe
    if let doorbell { unsafe doorbells[index] = doorbell }
    note(unsafe path.itts[index].intid, at: vpe)
  }

  /// VMAPP. A vPE is resident until the trace says that it left (`setResident`).
  /// - Parameter log2INTIDs: width of the vINTIDs that its pending table has room for, at most 31.
  package mutating func mapVPE(_ vpe: UInt16, log2INTIDs: UInt32 = 24, isValid: Bool) {
    let old = vPE(vpe)
    let new = ITSPlace.vPE(
      target(ofVPE: vpe), log2INTIDs: log2INTIDs, isResident: !old.isMapped || old.isTaking,
      wantsDoorbell: old.wantsDoorbell)
    store(isValid ? new : .unmapped, at: ITSPlace.vPE(vpe))
  }

  /// GICR_VPENDBASER: a vPE is scheduled on a redistributor, or leaves it and wants a doorbell or not.
  package mutating func setResident(_ vpe: UInt16, _ isResident: Bool, wantsDoorbell: Bool) {
    let old = vPE(vpe)
    guard old.isMapped else { return }
    let new = ITSPlace.vPE(
      old.target, log2INTIDs: old.log2INTIDs, isResident: isResident, wantsDoorbell: wantsDoorbell)
    store(new, at: ITSPlace.vPE(vpe))
  }

  /// DISCARD: the mapping and its pending bit.
  package mutating func discard(_ device: UInt32, _ event: UInt32) {
    guard let index = mappedIndex(device, event, 0x01_0F07) else { return }
    // Safety: `mappedIndex` gives an index within the device's ITT.
    clearPending(unsafe path.itts[index])
    unsafe path.itts[index] = .none
  }

  /// The mapping goes and its pending bit stays: DISCARD by a host that keeps the bit for the guest.
  package mutating func remove(_ device: UInt32, _ event: UInt32) {
    guard let index = mappedIndex(device, event, 0x01_0F07) else { return }
    // Safety: `mappedIndex` gives an index within the device's ITT.
    unsafe path.itts[index] = .none
  }

  /// Makes an interrupt pending by software, as a hypervisor does for its guest.
  package mutating func raise(_ intid: UInt32, _ target: InterruptTarget) {
    guard isLPI(intid), pending.raise(intid, target) != .coalesced else { return }
    counters.pendingBitsSet += 1
  }

  /// CLEAR.
  package mutating func clear(_ device: UInt32, _ event: UInt32) {
    guard let index = mappedIndex(device, event, 0x01_0507) else { return }
    // Safety: as above.
    clearPending(unsafe path.itts[index])
  }

  /// INT: as an MSI, but by command: no interrupt of a device is offered, no read is one of an MSI's.
  package mutating func interrupt(_ device: UInt32, _ event: UInt32) {
    var before = counters
    let outcome = translateByEveryRule(device, event, onHost: false)
    before.pendingBitsSet = counters.pendingBitsSet
    before.doorbells = counters.doorbells
    counters = before
    if outcome.outcome.isLost { fail(0x01_0307) }
  }

  /// INV: the configuration byte is read again.
  package mutating func invalidate(_ device: UInt32, _ event: UInt32) {
    guard let index = mappedIndex(device, event, 0x01_0C07) else { return }
    // Safety: as above.
    let entry = unsafe path.itts[index]
    pending.refresh(entry.intid, target(of: entry))
  }

  private mutating func clearPending(_ entry: ITSEntry) {
    pending.clear(entry.intid, target(of: entry))
  }

  /// Any target of the plane that the entry's interrupt is in.
  private func target(of entry: ITSEntry) -> InterruptTarget {
    entry.isVirtual ? target(ofVPE: entry.number) : .pe(0)
  }

  /// Whether an entry is there, and what it says: for tests and for the host's software.
  package func mapping(_ device: UInt32, _ event: UInt32)
    -> (intid: UInt32, isVirtual: Bool, place: UInt16)?
  {
    guard device < deviceCount else { return nil }
    // Safety: DeviceID and EventID are checked against the table and the ITT.
    let entry = unsafe path.devices[Int(device)]
    guard event < entry.eventCount else { return nil }
    let ite = unsafe path.itts[entry.entry(event)]
    return ite.isValid ? (ite.intid, ite.isVirtual, ite.number) : nil
  }
}
