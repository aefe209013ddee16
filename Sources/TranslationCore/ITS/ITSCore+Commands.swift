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
    case 0x22: if vPE(vpe) == 0 || rdBase >= UInt64(peCount) { fail(0x01_2211) }
    case 0x25: if vPE(vpe) == 0 { fail(0x01_2511) }
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
      guard vPE(vpe) != 0 else { return fail(0x01_2D11) }
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
    unsafe devices[Int(device)] = 0
    guard isValid else { return }
    guard let first = arena.allocate(log2Count: log2Events) else { return fail(0x01_0802) }
    unsafe devices[Int(device)] = UInt64(first) | 1 << (UInt64(log2Events) + 32)
  }

  /// Takes a device's ITT back, with its entries. Pending bits stay: MAPD does not know of them.
  private mutating func withdraw(_ device: UInt32) {
    // Safety: the caller has checked DeviceID; an ITT has as many entries as its device entry says.
    let entry = unsafe devices[Int(device)]
    let count = UInt32(entry >> 32)
    guard count > 0 else { return }
    let first = UInt32(truncatingIfNeeded: entry)
    for index in Int(first)..<Int(first) + Int(count) where unsafe itts[index] != 0 {
      unsafe itts[index] = 0
    }
    arena.release(first, log2Count: UInt32(count.trailingZeroBitCount))
  }

  /// MAPC.
  package mutating func mapCollection(_ icid: UInt16, pe: UInt16, isValid: Bool) {
    guard UInt32(icid) < collectionCount else { return fail(0x01_0903) }
    let enabled = disabledPEs.contains(pe) ? 0 : Self.lpisEnabled
    // Safety: checked above.
    unsafe collections[Int(icid)] = isValid ? UInt32(pe & 0x7FFF) | Self.valid | enabled : 0
  }

  /// GICR_CTLR.EnableLPIs of one PE.
  package mutating func setLPIs(enabled: Bool, pe: UInt16) {
    if enabled { disabledPEs.remove(pe) } else { disabledPEs.insert(pe) }
    for icid in 0..<Int(collectionCount) {
      // Safety: below the table's length.
      let entry = unsafe collections[icid]
      guard entry & Self.valid != 0, UInt16(truncatingIfNeeded: entry) == pe else { continue }
      unsafe collections[icid] = enabled ? entry | Self.lpisEnabled : entry & ~Self.lpisEnabled
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
    let entry = unsafe devices[Int(device)]
    guard UInt32(entry >> 32) > 0 else {
      fail(noDevice)
      return nil
    }
    guard event < UInt32(entry >> 32) else {
      fail(noEvent)
      return nil
    }
    return Int(UInt32(truncatingIfNeeded: entry)) + Int(event)
  }

  private mutating func mappedIndex(_ device: UInt32, _ event: UInt32, _ error: UInt32) -> Int? {
    guard let index = entryIndex(device, event, noDevice: error, noEvent: error) else { return nil }
    // Safety: `entryIndex` gives an index within the device's ITT.
    guard unsafe itts[index] & 1 != 0 else {
      fail(error)
      return nil
    }
    return index
  }

  private func isMapped(_ icid: UInt16) -> Bool {
    // Safety: checked in the same expression.
    unsafe UInt32(icid) < collectionCount && collections[Int(icid)] & Self.valid != 0
  }

  /// The entry of a mapped vPE, else 0.
  private func vPE(_ vpe: UInt16) -> UInt32 {
    // Safety: 65,536 entries.
    let entry = unsafe vpes[Int(vpe)]
    return entry & Self.valid != 0 ? entry : 0
  }

  /// Whether the vPE's pending table has a bit for the interrupt.
  private func isVirtualLPI(_ intid: UInt32, ofVPE vpe: UInt16) -> Bool {
    let entry = vPE(vpe)
    return entry != 0 && UInt64(intid) >> UInt64(entry & Self.log2INTIDs) == 0
  }

  /// Whether the event is mapped and so is its collection or vPE. Else the commands about it have no
  /// target to tell and do nothing, as in the reference model.
  private mutating func hasTarget(_ device: UInt32, _ event: UInt32, _ error: UInt32) -> Bool {
    guard let (_, isVirtual, place) = mapping(device, event),
      isVirtual ? vPE(place) != 0 : isMapped(place)
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
    unsafe itts[index] = 1 | UInt64(intid) << 8 | UInt64(icid) << 32
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
    unsafe itts[index] = 1 | 2 | UInt64(intid) << 8 | UInt64(vpe) << 32
    unsafe doorbells[index] = doorbell
  }

  private func target(ofVPE vpe: UInt16) -> InterruptTarget {
    InterruptTarget(rawValue: vpe | vPETargetBits)
  }

  /// MOVI. A virtual entry is not its business.
  package mutating func moveEvent(_ device: UInt32, _ event: UInt32, icid: UInt16) {
    guard let index = mappedIndex(device, event, 0x01_0107) else { return }
    // Safety: `mappedIndex` gives an index within the device's ITT.
    guard unsafe itts[index] & 2 == 0 else { return fail(0x01_0107) }
    guard isMapped(icid) else { return fail(0x01_0109) }
    unsafe itts[index] = itts[index] & ~(0xFFFF << 32) | UInt64(icid) << 32
  }

  /// VMOVI.
  package mutating func moveVirtualEvent(
    _ device: UInt32, _ event: UInt32, vpe: UInt16, doorbell: UInt32?
  ) {
    guard let index = mappedIndex(device, event, 0x01_2107) else { return }
    // Safety: `mappedIndex` gives an index within the device's ITT.
    guard unsafe itts[index] & 2 != 0 else { return fail(0x01_2107) }
    unsafe itts[index] = itts[index] & ~(0xFFFF << 32) | UInt64(vpe) << 32
    if let doorbell { unsafe doorbells[index] = doorbell }
  }

  /// VMAPP. A vPE is resident until the trace says that it left (`setResident`).
  /// - Parameter log2INTIDs: width of the vINTIDs that its pending table has room for, at most 31.
  package mutating func mapVPE(_ vpe: UInt16, log2INTIDs: UInt32, isValid: Bool) {
    // Safety: 65,536 entries.
    let old = vPE(vpe)
    let state = old != 0 ? old & ~Self.log2INTIDs : Self.valid | Self.resident
    unsafe vpes[Int(vpe)] = isValid ? state | log2INTIDs & Self.log2INTIDs : 0
  }

  /// GICR_VPENDBASER: a vPE is scheduled on a redistributor, or leaves it and wants a doorbell or not.
  package mutating func setResident(_ vpe: UInt16, _ isResident: Bool, wantsDoorbell: Bool) {
    // Safety: 65,536 entries.
    let old = vPE(vpe)
    guard old != 0 else { return }
    unsafe vpes[Int(vpe)] =
      Self.valid | old & Self.log2INTIDs | (isResident ? Self.resident : 0)
      | (wantsDoorbell ? Self.doorbellWanted : 0)
  }

  /// DISCARD: the mapping and its pending bit.
  package mutating func discard(_ device: UInt32, _ event: UInt32) {
    guard let index = mappedIndex(device, event, 0x01_0F07) else { return }
    // Safety: `mappedIndex` gives an index within the device's ITT.
    clearPending(unsafe itts[index])
    unsafe itts[index] = 0
  }

  /// The mapping goes and its pending bit stays: DISCARD by a host that keeps the bit for the guest.
  package mutating func remove(_ device: UInt32, _ event: UInt32) {
    guard let index = mappedIndex(device, event, 0x01_0F07) else { return }
    // Safety: `mappedIndex` gives an index within the device's ITT.
    unsafe itts[index] = 0
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
    clearPending(unsafe itts[index])
  }

  /// INT: as an MSI, but by command.
  package mutating func interrupt(_ device: UInt32, _ event: UInt32) {
    let before = counters
    let outcome = translate(deviceID: device, eventID: event)
    let isLost = outcome.outcome.isLost
    let pendingBitsSet = counters.pendingBitsSet
    let doorbells = counters.doorbells
    counters = before
    counters.pendingBitsSet = pendingBitsSet
    counters.doorbells = doorbells
    if isLost { fail(0x01_0307) }
  }

  /// INV: the configuration byte is read again.
  package mutating func invalidate(_ device: UInt32, _ event: UInt32) {
    guard let index = mappedIndex(device, event, 0x01_0C07) else { return }
    // Safety: as above.
    let entry = unsafe itts[index]
    pending.refresh(UInt32(truncatingIfNeeded: entry >> 8) & 0xFF_FFFF, target(of: entry))
  }

  private mutating func clearPending(_ entry: UInt64) {
    pending.clear(UInt32(truncatingIfNeeded: entry >> 8) & 0xFF_FFFF, target(of: entry))
  }

  /// Any target of the plane that the entry's interrupt is in.
  private func target(of entry: UInt64) -> InterruptTarget {
    entry & 2 == 0 ? .pe(0) : target(ofVPE: UInt16(truncatingIfNeeded: entry >> 32))
  }

  /// Whether an entry is there, and what it says: for tests and for the host's software.
  package func mapping(_ device: UInt32, _ event: UInt32)
    -> (intid: UInt32, isVirtual: Bool, place: UInt16)?
  {
    guard device < deviceCount else { return nil }
    // Safety: DeviceID and EventID are checked against the table and the ITT.
    let entry = unsafe devices[Int(device)]
    guard event < UInt32(entry >> 32) else { return nil }
    let ite = unsafe itts[Int(UInt32(truncatingIfNeeded: entry)) + Int(event)]
    guard ite & 1 != 0 else { return nil }
    return (
      UInt32(truncatingIfNeeded: ite >> 8) & 0xFF_FFFF, ite & 2 != 0,
      UInt16(truncatingIfNeeded: ite >> 32)
    )
  }
}
