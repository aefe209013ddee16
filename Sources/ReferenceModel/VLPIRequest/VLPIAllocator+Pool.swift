package import EventModel

// vPEIDs are few: a vPE gets one with its first event, keeps it, and gives it back when it goes. Whoever
// finds the pool empty has its events on eventfds, and waits.

extension VLPIAllocator {
  /// A vCPU of a guest.
  package mutating func addVPE(_ vPE: UInt16, vm: UInt16) throws(VLPIRefusal) {
    try counted { (host) throws(VLPIRefusal) in
      guard UInt32(vPE) < host.host.vPECount, UInt32(vm) < host.host.vmCount else {
        throw host.refuse(.numberOutOfRange)
      }
      guard host.vPEs[vPE] == nil else { throw host.refuse(.knownVPE) }
      host.vPEs[vPE] = VPE(vm: vm)
    }
  }

  /// The vCPU goes, and takes its events with it. Its vPEID goes to whoever waits.
  package mutating func removeVPE(_ vPE: UInt16) throws(VLPIRefusal) {
    try counted { (host) throws(VLPIRefusal) in
      guard let old = host.vPEs[vPE] else { throw host.refuse(.foreignVPE) }
      for place in old.events {
        host.withdraw(place)
        host.cases.count(.grantRevoked)
      }
      host.vPEs[vPE] = nil
      guard let vPEID = old.vPEID else { return }
      host.post(.vmapp(host.mapping(ofVPE: vPEID, valid: false)))
      // GICv4.1: unmapping waits for itself (IHI 0069, §5.3.19; Linux, its_build_vmapp_cmd).
      if !host.host.isV41 { host.post(.vsync(vPEID: vPEID)) }
      host.freeVPEIDs.insert(vPEID)
      host.serveWaiting()
    }
  }

  /// The vPE's vPEID; the lowest free one if it has none yet, nil if there is none.
  mutating func vPEID(for vPE: UInt16) -> UInt16? {
    if let vPEID = vPEs[vPE]!.vPEID { return vPEID }
    guard let vPEID = freeVPEIDs.min() else { return nil }
    freeVPEIDs.remove(vPEID)
    vPEs[vPE]!.vPEID = vPEID
    updateWaiting(vPE)
    postVirtual(.vmapp(mapping(ofVPE: vPEID, valid: true)), vPEID)
    postVirtual(.vinvall(vPEID: vPEID), vPEID)
    return vPEID
  }

  private func mapping(ofVPE vPEID: UInt16, valid: Bool) -> ITSCommand.VMAPP {
    var mapping = ITSCommand.VMAPP(
      vPEID: vPEID, rdBase: valid ? host.rdBase : 0, valid: valid,
      vptSize: valid ? UInt8(host.vINTIDBits - 1) : 0,
      vptAddress: valid ? host.pendingTable(vPEID) : 0)
    guard host.isV41 else { return mapping }
    mapping.allocate = true
    guard valid else { return mapping }
    mapping.pendingTableZero = true
    mapping.configurationAddress = host.configurationTable(vPEID)
    mapping.defaultDoorbell = INTID(host.doorbell(vPEID))
    return mapping
  }

  /// A vPE waits as long as it has no vPEID and some event on an eventfd.
  mutating func updateWaiting(_ vPE: UInt16) {
    let waits =
      vPEs[vPE]!.vPEID == nil && vPEs[vPE]!.events.contains { mapping(at: $0)?.eventfd != nil }
    if !waits {
      waiting.removeAll { $0 == vPE }
    } else if !waiting.contains(vPE) {
      waiting.append(vPE)
    }
  }

  private mutating func serveWaiting() {
    while !freeVPEIDs.isEmpty, let first = waiting.first {
      let events = vPEs[first]!.events.filter { mapping(at: $0)?.eventfd != nil }
      if host.freedVPEID == .stayOnEventfd {
        cases.count(.stayedOnEventfd, UInt64(events.count))
        return
      }
      _ = vPEID(for: first)
      for place in events { returnToVLPI(place) }
    }
  }

  /// The host's interrupt gives way to the vLPI.
  mutating func returnToVLPI(_ place: Place) {
    let vPEID = vPEs[mapping(at: place)!.vPE]!.vPEID!
    postPhysical(.discard(DeviceID(place.device), EventID(place.event)))
    mapVirtual(place, vPEID)
    releaseEventfd(place)
    cases.count(.returnedToVLPI)
  }

  mutating func mapVirtual(_ place: Place, _ vPEID: UInt16) {
    postVirtual(
      .vmapti(
        DeviceID(place.device), EventID(place.event), vPEID: vPEID,
        vINTID: INTID(mapping(at: place)!.vINTID), doorbell: INTID(host.eventDoorbell(vPEID))),
      vPEID)
  }
}

// The host's own LPIs, for events that are no vLPI.
extension VLPIAllocator {
  func hasPhysicalLPI(_ place: Place) -> Bool {
    devices[place.device]!.events[place.event]?.reserved != nil || !freePhysicalLPIs.isEmpty
      || nextPhysicalLPI < host.firstPhysicalLPI + host.physicalLPICount
  }

  mutating func takePhysicalLPI() -> UInt32? {
    if let free = freePhysicalLPIs.popLast() { return free }
    guard nextPhysicalLPI < host.firstPhysicalLPI + host.physicalLPICount else { return nil }
    defer { nextPhysicalLPI += 1 }
    return nextPhysicalLPI
  }

  /// Maps the event as the host's interrupt and enables that: the second is a byte in memory and an INV.
  mutating func mapPhysical(_ place: Place, _ pINTID: UInt32) {
    let (device, event) = (DeviceID(place.device), EventID(place.event))
    postPhysical(.mapti(device, event, pINTID: INTID(pINTID), icid: host.collection))
    postPhysical(.inv(device, event))
  }

  /// Hooks the event's eventfd up to the host's interrupt. There is one: `hasPhysicalLPI`.
  mutating func signalEventfd(_ place: Place, isMapped: Bool) {
    let pINTID = devices[place.device]!.events[place.event]!.reserved ?? takePhysicalLPI()!
    if !isMapped { mapPhysical(place, pINTID) }
    update(place) { $0.mapping!.eventfd = pINTID }
    updateWaiting(mapping(at: place)!.vPE)
  }

  mutating func releaseEventfd(_ place: Place) {
    guard let pINTID = mapping(at: place)!.eventfd else { return }
    if devices[place.device]!.events[place.event]!.reserved == nil {
      freePhysicalLPIs.append(pINTID)
    }
    update(place) { $0.mapping!.eventfd = nil }
    updateWaiting(mapping(at: place)!.vPE)
  }

  func mapping(at place: Place) -> Mapping? { devices[place.device]?.events[place.event]?.mapping }

  mutating func update(_ place: Place, _ body: (inout Event) -> Void) {
    body(&devices[place.device]!.events[place.event, default: Event()])
  }
}
