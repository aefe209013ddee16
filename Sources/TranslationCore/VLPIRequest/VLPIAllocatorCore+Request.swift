package import EventModel

extension VLPIAllocatorCore {
  /// The guest maps an event: MAPTI, or a MOVI that names another vCPU. O(1).
  package mutating func request<Queue: HostCommandQueue & ~Copyable>(
    _ request: VLPIRequest, commands: inout Queue
  ) throws(VLPIRefusal) -> VLPIGrant {
    let place = try check(request)
    // Safety: `check` gave the place of an event in a device's table.
    if unsafe events[place].serial != 0 {
      try remap(place, request, &commands)
    } else {
      let interrupt = interruptIndex(request.vm, request.vINTID.rawValue)
      // Safety: `check` has bounded guest and vINTID.
      guard unsafe interrupts[interrupt] == 0 else { throw refuse(.intidTaken) }
      try install(request, place, &commands)
      unsafe interrupts[interrupt] = UInt32(place + 1)
    }
    return grant(place, request.message)
  }

  /// Index of the event, or the first thing that is wrong with the request by itself.
  private mutating func check(_ request: VLPIRequest) throws(VLPIRefusal) -> Int {
    guard request.function < host.functionCount else { throw refuse(.requestBeforePlug) }
    // Safety: checked above; a plugged function has a DeviceID with a table.
    let function = unsafe functions[Int(request.function)]
    switch function.state {
    case VLPIFunction.plugged: break
    case VLPIFunction.unplugging: throw refuse(.requestWhileUnplugging)
    case VLPIFunction.gone: throw refuse(.requestAfterUnplug)
    default: throw refuse(.requestBeforePlug)
    }
    guard function.vm == request.vm else { throw refuse(.foreignFunction) }
    guard isOwned(request.vPE, by: request.vm) else { throw refuse(.foreignVPE) }
    let device = unsafe devices[Int(function.device)]
    guard device.hasEvent(request.eventID.rawValue) else { throw refuse(.eventOutOfRange) }
    guard request.message.names(request.eventID) else { throw refuse(.wrongMessage) }
    let vINTID = request.vINTID.rawValue
    guard vINTID >= INTID.firstLPI.rawValue, UInt64(vINTID) >> UInt64(host.vINTIDBits) == 0 else {
      throw refuse(.intidOutOfRange)
    }
    return Int(device.first) + Int(request.eventID.rawValue)
  }

  private func isOwned(_ vPE: UInt16, by vm: UInt16) -> Bool {
    guard UInt32(vPE) < host.vPECount else { return false }
    // Safety: checked above.
    let record = unsafe vPEs[Int(vPE)]
    return record.exists && record.vm == vm
  }

  func interruptIndex(_ vm: UInt16, _ vINTID: UInt32) -> Int {
    Int(vm) << Int(host.vINTIDBits) | Int(vINTID)
  }

  /// A request for an event that is mapped: the same again, another vPE, or a mistake.
  private mutating func remap<Queue: HostCommandQueue & ~Copyable>(
    _ place: Int, _ request: VLPIRequest, _ commands: inout Queue
  ) throws(VLPIRefusal) {
    // Safety: `place` is that of an event; the caller has found it mapped.
    let event = unsafe events[place]
    guard event.function == request.function else { throw refuse(.aliasCollision) }
    guard event.vINTID == request.vINTID.rawValue else { throw refuse(.eventTaken) }
    guard event.vPE != request.vPE else {
      cases.count(.duplicate)
      if event.eventfd != 0, vPEID(for: event.vPE, &commands) != nil {
        returnToVLPI(place, &commands)
      }
      return
    }
    let vPEID = vPEID(for: request.vPE, &commands)
    if vPEID == nil {
      cases.count(.poolExhausted)
      guard event.eventfd != 0 || event.reserved != 0 || !physicalLPIs.isEmpty else {
        throw refuse(.physicalLPIsExhausted)
      }
    }
    cases.count(.retargeted)
    unlink(place)
    link(place, request.vPE)
    updateWaiting(event.vPE)
    if event.eventfd != 0 {
      if vPEID == nil { updateWaiting(request.vPE) } else { returnToVLPI(place, &commands) }
    } else if let vPEID {
      let (device, number) = numbers(place)
      postVirtual(
        .vmovi(device, number, vPEID: vPEID, doorbell: host.eventDoorbell(vPEID)), vPEID, &commands)
    } else {
      postDiscard(place, &commands)
      signalEventfd(place, isMapped: false, &commands)
    }
  }

  private mutating func install<Queue: HostCommandQueue & ~Copyable>(
    _ request: VLPIRequest, _ place: Int, _ commands: inout Queue
  ) throws(VLPIRefusal) {
    // Safety: `place` is that of an event.
    let event = unsafe events + place
    let isReserved = unsafe event.pointee.reserved != 0
    let isKept = unsafe event.pointee.isKept
    let vPEID = vPEID(for: request.vPE, &commands)
    if vPEID == nil {
      cases.count(.poolExhausted)
      guard isReserved || !physicalLPIs.isEmpty else { throw refuse(.physicalLPIsExhausted) }
    }
    unsafe event.pointee.isKept = false
    unsafe event.pointee.function = request.function
    unsafe event.pointee.vINTID = request.vINTID.rawValue
    unsafe event.pointee.serial = nextSerial
    nextSerial &+= 1
    link(place, request.vPE)
    if let vPEID {
      if isReserved { postDiscard(place, &commands) }
      mapVirtual(place, vPEID, &commands)
      if isKept {
        let (device, number) = numbers(place)
        postVirtual(.int(device, number), vPEID, &commands)
      }
      cases.count(.grantedVLPI)
    } else {
      signalEventfd(place, isMapped: isReserved, &commands)
      cases.count(.grantedEventfd)
    }
    if isKept { cases.count(.earlyEventHandedOver) }
    countSurroundings(place)
  }

  private mutating func countSurroundings(_ place: Int) {
    // Safety: `place` is that of a mapped event, and so is its function.
    let function = unsafe functions[Int(events[place].function)]
    let device = unsafe devices[Int(function.device)]
    let number = UInt32(place - Int(device.first))
    if number > 0, unsafe events[place - 1].serial == 0 { cases.count(.sparseEvent) }
    if number >= function.vectorCount { cases.count(.eventBeyondVectors) }
    if device.functions > 1 { cases.count(.sharedTable) }
  }

  func grant(_ place: Int, _ message: VLPIRequest.Message) -> VLPIGrant {
    // Safety: `place` is that of a mapped event, whose vPE exists.
    let event = unsafe events[place]
    let (device, number) = numbers(place)
    let delivery: VLPIGrant.Delivery
    if event.eventfd != 0 {
      delivery = .eventfd(pINTID: INTID(event.eventfd))
    } else {
      delivery = .vLPI(vPEID: unsafe UInt16(vPEs[Int(event.vPE)].vPEIDAndOne - 1))
    }
    return VLPIGrant(
      deviceID: DeviceID(device), eventID: EventID(number), serial: event.serial,
      delivery: delivery, message: message)
  }

  /// DeviceID and EventID of a mapped event.
  func numbers(_ place: Int) -> (device: UInt32, event: UInt32) {
    // Safety: as `countSurroundings`.
    let device = unsafe functions[Int(events[place].function)].device
    return unsafe (device, UInt32(place - Int(devices[Int(device)].first)))
  }
}
