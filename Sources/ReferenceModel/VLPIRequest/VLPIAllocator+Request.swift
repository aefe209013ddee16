package import EventModel

extension VLPIAllocator {
  /// The guest maps an event: MAPTI, or a MOVI that names another vCPU.
  package mutating func request(_ request: VLPIRequest) throws(VLPIRefusal) -> VLPIGrant {
    try counted { (host) throws(VLPIRefusal) in try host.answer(request) }
  }

  private mutating func answer(_ request: VLPIRequest) throws(VLPIRefusal) -> VLPIGrant {
    let place = try check(request)
    let event = devices[place.device]!.events[place.event] ?? Event()
    if let mapping = event.mapping {
      guard mapping.function == request.function else { throw refuse(.aliasCollision) }
      guard mapping.vINTID == request.vINTID.rawValue else { throw refuse(.eventTaken) }
      if mapping.vPE == request.vPE {
        cases.count(.duplicate)
        if mapping.eventfd != nil, vPEID(for: mapping.vPE) != nil { returnToVLPI(place) }
      } else {
        try retarget(place, to: request.vPE)
      }
    } else {
      let interrupt = Interrupt(vm: request.vm, vINTID: request.vINTID.rawValue)
      guard interrupts[interrupt] == nil else { throw refuse(.intidTaken) }
      try install(request, at: place)
      interrupts[interrupt] = place
    }
    return grant(place, request.message)
  }

  /// Everything that can be wrong with a request by itself.
  private func check(_ request: VLPIRequest) throws(VLPIRefusal) -> Place {
    guard let function = functions[request.function] else { throw refuse(.requestBeforePlug) }
    switch function.state {
    case .plugged: break
    case .unplugging: throw refuse(.requestWhileUnplugging)
    case .gone: throw refuse(.requestAfterUnplug)
    }
    guard function.vm == request.vm else { throw refuse(.foreignFunction) }
    guard vPEs[request.vPE]?.vm == request.vm else { throw refuse(.foreignVPE) }
    let event = request.eventID.rawValue
    guard UInt64(event) < 1 << UInt64(devices[function.deviceID]!.log2Events) else {
      throw refuse(.eventOutOfRange)
    }
    guard request.message.names(request.eventID) else { throw refuse(.wrongMessage) }
    let vINTID = request.vINTID.rawValue
    guard vINTID >= INTID.firstLPI.rawValue, UInt64(vINTID) < 1 << UInt64(host.vINTIDBits) else {
      throw refuse(.intidOutOfRange)
    }
    return Place(device: function.deviceID, event: event)
  }

  private mutating func install(_ request: VLPIRequest, at place: Place) throws(VLPIRefusal) {
    let kept = devices[place.device]!.events[place.event]?.isKept ?? false
    let vPEID = vPEID(for: request.vPE)
    if vPEID == nil {
      cases.count(.poolExhausted)
      guard hasPhysicalLPI(place) else { throw refuse(.physicalLPIsExhausted) }
    }
    let mapping = Mapping(
      function: request.function, vINTID: request.vINTID.rawValue, vPE: request.vPE,
      serial: nextSerial, eventfd: nil)
    nextSerial += 1
    update(place) {
      $0.isKept = false
      $0.mapping = mapping
    }
    vPEs[request.vPE]!.events.append(place)
    if let vPEID {
      if devices[place.device]!.events[place.event]!.reserved != nil {
        postPhysical(.discard(DeviceID(place.device), EventID(place.event)))
      }
      mapVirtual(place, vPEID)
      // DISCARD took the pending bit with it: raise it again, on the other side.
      if kept { postVirtual(.int(DeviceID(place.device), EventID(place.event)), vPEID) }
      cases.count(.grantedVLPI)
    } else {
      let isReserved = devices[place.device]!.events[place.event]!.reserved != nil
      signalEventfd(place, isMapped: isReserved)
      cases.count(.grantedEventfd)
    }
    if kept { cases.count(.earlyEventHandedOver) }
    countSurroundings(place, functions[request.function]!)
  }

  private mutating func countSurroundings(_ place: Place, _ function: Function) {
    let device = devices[place.device]!
    if place.event > 0, device.events[place.event - 1]?.mapping == nil { cases.count(.sparseEvent) }
    if place.event >= function.vectorCount { cases.count(.eventBeyondVectors) }
    if device.functions.count > 1 { cases.count(.sharedTable) }
  }

  /// MOVI to another vCPU: what `its_vlpi_map` makes of a mapping that is there already.
  private mutating func retarget(_ place: Place, to vPE: UInt16) throws(VLPIRefusal) {
    let old = devices[place.device]!.events[place.event]!.mapping!
    let vPEID = vPEID(for: vPE)
    if vPEID == nil {
      cases.count(.poolExhausted)
      guard old.eventfd != nil || hasPhysicalLPI(place) else {
        throw refuse(.physicalLPIsExhausted)
      }
    }
    cases.count(.retargeted)
    update(place) { $0.mapping!.vPE = vPE }
    vPEs[old.vPE]!.events.removeAll { $0 == place }
    vPEs[vPE]!.events.append(place)
    updateWaiting(old.vPE)
    if old.eventfd != nil {
      if vPEID == nil { updateWaiting(vPE) } else { returnToVLPI(place) }
    } else if let vPEID {
      postVirtual(
        .vmovi(
          DeviceID(place.device), EventID(place.event), vPEID: vPEID, doorbellValid: true,
          doorbell: INTID(host.eventDoorbell(vPEID))), vPEID)
    } else {
      postPhysical(.discard(DeviceID(place.device), EventID(place.event)))
      signalEventfd(place, isMapped: false)
    }
  }
}
