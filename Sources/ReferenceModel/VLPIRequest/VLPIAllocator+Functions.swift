package import EventModel

extension VLPIAllocator {
  /// A function is given to a guest, with the Size of the guest's MAPD (as a number of bits): the
  /// host's table of the DeviceID has to have room for the guest's EventIDs.
  ///
  /// A second function with the same DeviceID, which bridges and quirks can cause, shares the table as
  /// it is.
  package mutating func plug(
    function: UInt32, deviceID: DeviceID, vm: UInt16, log2Events: UInt32, vectorCount: UInt32
  ) throws(VLPIRefusal) {
    try counted { (host) throws(VLPIRefusal) in
      let device = deviceID.rawValue
      guard function < host.host.functionCount,
        UInt64(device) < 1 << UInt64(host.host.deviceIDBits),
        UInt32(vm) < host.host.vmCount, (1...32).contains(log2Events)
      else { throw host.refuse(.numberOutOfRange) }
      if let known = host.functions[function], known.state != .gone {
        throw host.refuse(.alreadyPlugged)
      }
      if let shared = host.devices[device] {
        guard shared.vm == vm else { throw host.refuse(.aliasOwnedElsewhere) }
        host.devices[device]!.functions.insert(function)
      } else {
        try host.mapDevice(device, vm, log2Events)
        host.devices[device]!.functions.insert(function)
      }
      host.functions[function] = Function(deviceID: device, vm: vm, vectorCount: vectorCount)
      if host.host.earlyEvents == .pend { host.reserve(device, vectorCount) }
    }
  }

  private mutating func mapDevice(
    _ device: UInt32, _ vm: UInt16, _ log2Events: UInt32
  ) throws(VLPIRefusal) {
    let log2 = min(log2Events, host.eventIDBits)
    let used = devices.values.reduce(0) { $0 + 1 << UInt64($1.log2Events) }
    guard used + 1 << UInt64(log2) <= UInt64(host.tableEntryLimit) else {
      throw refuse(.tableMemoryExhausted)
    }
    if log2 < log2Events { cases.count(.cappedTable) }
    devices[device] = Device(vm: vm, log2Events: log2, functions: [])
    post(
      .mapd(
        DeviceID(device), size: UInt8(log2 - 1), ittAddress: host.tableAddress(device), valid: true)
    )
  }

  /// Maps the vectors as interrupts of the host, so that an early event leaves a trace.
  private mutating func reserve(_ device: UInt32, _ vectorCount: UInt32) {
    let count = min(UInt64(vectorCount), 1 << UInt64(devices[device]!.log2Events))
    for number in 0..<UInt32(count) {
      let event = devices[device]!.events[number] ?? Event()
      guard event.reserved == nil, event.mapping == nil else { continue }
      guard let pINTID = takePhysicalLPI() else { return cases.count(.unreservedVectors) }
      let place = Place(device: device, event: number)
      mapPhysical(place, pINTID)
      update(place) { $0.reserved = pINTID }
    }
  }

  /// The guest discards the event.
  package mutating func release(_ grant: VLPIGrant) throws(VLPIRefusal) {
    try counted { (host) throws(VLPIRefusal) in
      let place = try host.place(of: grant)
      host.withdraw(place)
      host.cases.count(.released)
    }
  }

  /// How the event travels now.
  package mutating func delivery(of grant: VLPIGrant) throws(VLPIRefusal) -> VLPIGrant.Delivery {
    try counted { (host) throws(VLPIRefusal) in
      host.grant(try host.place(of: grant), grant.message).delivery
    }
  }

  private func place(of grant: VLPIGrant) throws(VLPIRefusal) -> Place {
    let place = Place(device: grant.deviceID.rawValue, event: grant.eventID.rawValue)
    guard let mapping = mapping(at: place), mapping.serial == grant.serial else {
      throw refuse(.staleGrant)
    }
    return place
  }

  func grant(_ place: Place, _ message: VLPIRequest.Message) -> VLPIGrant {
    let mapping = mapping(at: place)!
    return VLPIGrant(
      deviceID: DeviceID(place.device), eventID: EventID(place.event), serial: mapping.serial,
      delivery: mapping.eventfd.map { .eventfd(pINTID: INTID($0)) }
        ?? .vLPI(vPEID: vPEs[mapping.vPE]!.vPEID!),
      message: message)
  }

  /// Takes a mapping away. A reserved interrupt of the host takes its place again.
  mutating func withdraw(_ place: Place) {
    let event = devices[place.device]!.events[place.event]!
    if event.reserved == nil || event.mapping!.eventfd == nil {
      postPhysical(.discard(DeviceID(place.device), EventID(place.event)))
      if let reserved = event.reserved { mapPhysical(place, reserved) }
    }
    forget(place)
  }

  private mutating func forget(_ place: Place) {
    guard let mapping = mapping(at: place) else { return }
    releaseEventfd(place)
    interrupts[Interrupt(vm: devices[place.device]!.vm, vINTID: mapping.vINTID)] = nil
    vPEs[mapping.vPE]!.events.removeAll { $0 == place }
    updateWaiting(mapping.vPE)
    update(place) { $0.mapping = nil }
  }
}

// Hot-unplug takes time: between its beginning and its end the function may still write, and requests
// for it may still be under way.
extension VLPIAllocator {
  /// No more requests; what was granted is revoked.
  package mutating func beginUnplug(function: UInt32) throws(VLPIRefusal) {
    try counted { (host) throws(VLPIRefusal) in
      guard let known = host.functions[function], known.state == .plugged else {
        throw host.refuse(.notPlugged)
      }
      host.functions[function]!.state = .unplugging
      let device = host.devices[known.deviceID]!
      let isLast = !device.functions.contains { host.functions[$0]!.state == .plugged }
      for number in device.events.keys.sorted() {
        let place = Place(device: known.deviceID, event: number)
        if let mapping = host.mapping(at: place), mapping.function == function {
          host.cases.count(.grantRevoked)
          if !isLast { host.withdraw(place) }
        }
        if isLast { host.clear(place) }
      }
    }
  }

  /// Nobody with this DeviceID is left to use the entry.
  private mutating func clear(_ place: Place) {
    let event = devices[place.device]!.events[place.event]!
    if event.mapping != nil || event.reserved != nil {
      postPhysical(.discard(DeviceID(place.device), EventID(place.event)))
    }
    if event.isKept { cases.count(.earlyEventDiscarded) }
    forget(place)
    if let reserved = event.reserved { freePhysicalLPIs.append(reserved) }
    devices[place.device]!.events[place.event] = nil
  }

  /// The function is gone; the last one takes the table with it.
  package mutating func finishUnplug(function: UInt32) throws(VLPIRefusal) {
    try counted { (host) throws(VLPIRefusal) in
      guard let known = host.functions[function], known.state == .unplugging else {
        throw host.refuse(.notPlugged)
      }
      host.functions[function]!.state = .gone
      host.devices[known.deviceID]!.functions.remove(function)
      guard host.devices[known.deviceID]!.functions.isEmpty else { return }
      host.devices[known.deviceID] = nil
      host.post(.mapd(DeviceID(known.deviceID), size: 0, ittAddress: 0, valid: false))
    }
  }

  /// A function raises an event: where that ends. The ITS sees a DeviceID and knows no functions.
  package mutating func event(function: UInt32, _ eventID: EventID) -> VLPIEventOutcome {
    guard let known = functions[function] else {
      cases.count(.eventOfUnknownFunction)
      return .lost
    }
    let lost: VLPIRequestCase
    switch known.state {
    case .plugged: lost = .earlyEventDropped
    case .unplugging: lost = .eventWhileUnplugging
    case .gone: lost = .eventAfterUnplug
    }
    guard let device = devices[known.deviceID] else {
      cases.count(lost)
      return .lost
    }
    guard UInt64(eventID.rawValue) < 1 << UInt64(device.log2Events) else {
      cases.count(.eventOutOfTable)
      return .lost
    }
    let place = Place(device: known.deviceID, event: eventID.rawValue)
    let event = device.events[place.event] ?? Event()
    if let mapping = event.mapping {
      if mapping.function != function || known.state != .plugged { cases.count(.eventOfAlias) }
      let vINTID = INTID(mapping.vINTID)
      if mapping.eventfd != nil {
        cases.count(.eventThroughEventfd)
        return .eventfd(vPE: mapping.vPE, vINTID: vINTID)
      }
      cases.count(.eventAsVLPI)
      return .vLPI(vPEID: vPEs[mapping.vPE]!.vPEID!, vINTID: vINTID)
    }
    guard event.reserved != nil else {
      cases.count(lost)
      return .lost
    }
    update(place) { $0.isKept = true }
    cases.count(.earlyEventPended)
    return .pended
  }
}
