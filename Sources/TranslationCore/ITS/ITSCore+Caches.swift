package import EventModel

// The core behind `ITSCaches`: the entry points of an ITS whose tables are far away.

extension ITSCore {
  @discardableResult
  package mutating func execute(
    _ dw0: UInt64, _ dw1: UInt64, _ dw2: UInt64, _ dw3: UInt64, through caches: inout ITSCaches
  ) -> ITSError? {
    let words = ITSCommandWords(dw0: dw0, dw1: dw1, dw2: dw2, dw3: dw3)
    let wasMapped = (try? device(words.device)) != nil
    if let error = execute(dw0, dw1, dw2, dw3) { return error }
    if let opcode = ITSCommandOpcode(rawValue: words.code) {
      caches.executed(opcode, words, wasMapped: wasMapped)
    }
    return nil
  }

  /// GITS_CTLR.Enabled.
  package mutating func setEnabled(_ enabled: Bool, through caches: inout ITSCaches) {
    if isEnabled && !enabled { caches.itsDisabled() }
    isEnabled = enabled
  }

  package mutating func write(
    _ register: RedistributorRegister, _ value: UInt64, pe: UInt16, through caches: inout ITSCaches
  ) {
    if register == .ctlr, value & 1 == 0, read(.ctlr, pe: pe) == 1 { caches.lpisDisabled() }
    write(register, value, pe: pe)
  }

  /// One MSI, to the pending bit. Each step asks its cache, and its table when that misses; the
  /// collection's cache decides what counts as read, and the place answers either way.
  package mutating func translate(
    deviceID: UInt32, eventID: UInt32, through caches: inout ITSCaches
  ) -> Outcome {
    guard isEnabled && deviceID < deviceCount else {
      return translateByEveryRule(deviceID, eventID, onHost: false)
    }
    counters.others += 1
    let found: ITSCaches.Event
    let key = ITSCaches.key(deviceID, eventID)
    if let hit = caches.event.find(key) {
      found = hit
    } else {
      let device = device(deviceID, through: &caches)
      guard eventID < device.eventCount else {
        counters.noDevice += 1
        return Outcome(outcome: device.eventCount == 0 ? .unmappedDevice : .eventIDOutOfRange)
      }
      let index = device.entry(eventID)
      // Safety: EventID was checked against the ITT.
      found = unsafe ITSCaches.Event(entry: path.itts[index], doorbell: doorbells[index])
      guard found.entry.isValid else {
        counters.noEvent += 1
        return Outcome(outcome: .unmappedEvent)
      }
      caches.event.insert(key, found)
    }
    if !found.entry.isVirtual { find(collection: found.entry.number, through: &caches) }
    return arrive(found.entry, doorbell: found.doorbell, onHost: false)
  }

  private func device(_ id: UInt32, through caches: inout ITSCaches) -> ITSDevice {
    if let hit = caches.device.find(UInt64(id)) { return hit }
    // Safety: the caller has checked DeviceID.
    let device = unsafe path.devices[Int(id)]
    if device.eventCount > 0 { caches.device.insert(UInt64(id), device) }
    return device
  }

  private func find(collection icid: UInt16, through caches: inout ITSCaches) {
    guard caches.collection.find(UInt64(icid)) == nil,
      let processor = try? processor(ofCollection: icid)
    else { return }
    caches.collection.insert(UInt64(icid), UInt16(processor))
  }
}
