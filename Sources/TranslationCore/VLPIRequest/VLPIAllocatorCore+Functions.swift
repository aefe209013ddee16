package import EventModel

extension VLPIAllocatorCore {
  /// A function is given to a guest, with the Size of the guest's MAPD (as a number of bits). O(1), or
  /// O(vectors) where early events are kept.
  package mutating func plug<Queue: HostCommandQueue & ~Copyable>(
    function: UInt32, deviceID: DeviceID, vm: UInt16, log2Events: UInt32, vectorCount: UInt32,
    commands: inout Queue
  ) throws(VLPIRefusal) {
    let number = deviceID.rawValue
    guard function < host.functionCount, number >> host.deviceIDBits == 0,
      UInt32(vm) < host.vmCount, (1...32).contains(log2Events)
    else { throw refuse(.numberOutOfRange) }
    // Safety: function and DeviceID were checked above.
    let state = unsafe functions[Int(function)].state
    guard state != VLPIFunction.plugged, state != VLPIFunction.unplugging else {
      throw refuse(.alreadyPlugged)
    }
    let device = unsafe devices + Int(number)
    if unsafe device.pointee.log2Events == 0 {
      try unsafe mapDevice(device, number, vm, log2Events, &commands)
    } else if unsafe device.pointee.vm != vm {
      throw refuse(.aliasOwnedElsewhere)
    }
    unsafe device.pointee.functions += 1
    unsafe device.pointee.plugged += 1
    unsafe functions[Int(function)] = VLPIFunction(
      device: number, vectorCount: vectorCount, vm: vm, state: VLPIFunction.plugged)
    if host.earlyEvents == .pend { reserve(number, vectorCount, &commands) }
  }

  private mutating func mapDevice<Queue: HostCommandQueue & ~Copyable>(
    _ device: UnsafeMutablePointer<VLPIDevice>, _ number: UInt32, _ vm: UInt16,
    _ log2Events: UInt32, _ commands: inout Queue
  ) throws(VLPIRefusal) {
    let log2 = min(log2Events, host.eventIDBits)
    guard usedEntries + 1 << UInt64(log2) <= UInt64(host.tableEntryLimit),
      let first = arena.allocate(log2Count: log2)
    else { throw refuse(.tableMemoryExhausted) }
    usedEntries += 1 << UInt64(log2)
    if log2 < log2Events { cases.count(.cappedTable) }
    // Safety: the caller's record. A run of the arena is all zero: unplugging leaves it so.
    unsafe device.pointee = VLPIDevice(
      first: first, functions: 0, plugged: 0, vm: vm, log2Events: UInt8(log2))
    post(.mapd(number, log2Events: log2, address: host.tableAddress(number)), &commands)
  }

  private mutating func reserve<Queue: HostCommandQueue & ~Copyable>(
    _ number: UInt32, _ vectorCount: UInt32, _ commands: inout Queue
  ) {
    // Safety: the device has a table of 2^log2Events events from `first` on.
    let device = unsafe devices[Int(number)]
    let count = min(UInt64(vectorCount), 1 << UInt64(device.log2Events))
    for event in 0..<UInt32(count) {
      let record = unsafe events + Int(device.first) + Int(event)
      guard unsafe record.pointee.reserved == 0, unsafe record.pointee.serial == 0 else { continue }
      let pINTID = physicalLPIs.take()
      guard pINTID != 0 else { return cases.count(.unreservedVectors) }
      mapPhysical(number, event, pINTID, &commands)
      unsafe record.pointee.reserved = pINTID
    }
  }

  /// The guest discards the event. O(1).
  package mutating func release<Queue: HostCommandQueue & ~Copyable>(
    _ grant: VLPIGrant, commands: inout Queue
  ) throws(VLPIRefusal) {
    let place = try place(of: grant)
    withdraw(place, &commands)
    cases.count(.released)
  }

  /// How the event travels now. O(1).
  package mutating func delivery(of grant: VLPIGrant) throws(VLPIRefusal) -> VLPIGrant.Delivery {
    let place = try place(of: grant)
    return self.grant(place, grant.message).delivery
  }

  private mutating func place(of grant: VLPIGrant) throws(VLPIRefusal) -> Int {
    let number = grant.deviceID.rawValue
    guard number >> host.deviceIDBits == 0 else { throw refuse(.staleGrant) }
    // Safety: DeviceID was checked above, EventID is checked against the device's table.
    let device = unsafe devices[Int(number)]
    guard device.log2Events != 0, device.hasEvent(grant.eventID.rawValue) else {
      throw refuse(.staleGrant)
    }
    let place = Int(device.first) + Int(grant.eventID.rawValue)
    guard grant.serial != 0, unsafe events[place].serial == grant.serial else {
      throw refuse(.staleGrant)
    }
    return place
  }

  /// Takes a mapping away. A reserved interrupt of the host takes its place again.
  mutating func withdraw<Queue: HostCommandQueue & ~Copyable>(
    _ place: Int, _ commands: inout Queue
  ) {
    // Safety: `place` is that of a mapped event.
    let event = unsafe events[place]
    if event.reserved == 0 || event.eventfd == 0 {
      postDiscard(place, &commands)
      if event.reserved != 0 {
        let (device, number) = numbers(place)
        mapPhysical(device, number, event.reserved, &commands)
      }
    }
    forget(place)
  }

  private mutating func forget(_ place: Int) {
    // Safety: as `withdraw`; its guest and vINTID were checked when it was mapped.
    let event = unsafe events[place]
    let vm = unsafe functions[Int(event.function)].vm
    unsafe interrupts[interruptIndex(vm, event.vINTID)] = 0
    releaseEventfd(place)
    unlink(place)
    unsafe events[place].serial = 0
  }
}

extension VLPIAllocatorCore {
  /// No more requests; what was granted is revoked. O(the device's table).
  package mutating func beginUnplug<Queue: HostCommandQueue & ~Copyable>(
    function: UInt32, commands: inout Queue
  ) throws(VLPIRefusal) {
    // Safety: checked in the same expression; a plugged function has a DeviceID with a table.
    guard function < host.functionCount,
      unsafe functions[Int(function)].state == VLPIFunction.plugged
    else { throw refuse(.notPlugged) }
    unsafe functions[Int(function)].state = VLPIFunction.unplugging
    let number = unsafe functions[Int(function)].device
    unsafe devices[Int(number)].plugged -= 1
    let device = unsafe devices[Int(number)]
    for event in 0..<UInt32(1) << UInt32(device.log2Events) {
      let place = Int(device.first) + Int(event)
      let record = unsafe events[place]
      let isRevoked = record.serial != 0 && record.function == function
      if isRevoked { cases.count(.grantRevoked) }
      if device.plugged == 0 {
        clear(place, number, event, &commands)
      } else if isRevoked {
        withdraw(place, &commands)
      }
    }
  }

  /// Nobody with this DeviceID is left to use the entry.
  private mutating func clear<Queue: HostCommandQueue & ~Copyable>(
    _ place: Int, _ device: UInt32, _ number: UInt32, _ commands: inout Queue
  ) {
    // Safety: `place` is that of the device's event `number`.
    let event = unsafe events[place]
    guard event.serial != 0 || event.reserved != 0 else { return }
    postPhysical(.discard(device, number), &commands)
    if event.isKept { cases.count(.earlyEventDiscarded) }
    if event.serial != 0 { forget(place) }
    if event.reserved != 0 { physicalLPIs.insert(event.reserved) }
    unsafe events[place].reserved = 0
    unsafe events[place].isKept = false
  }

  /// The function is gone; the last one takes the table with it. O(1).
  package mutating func finishUnplug<Queue: HostCommandQueue & ~Copyable>(
    function: UInt32, commands: inout Queue
  ) throws(VLPIRefusal) {
    // Safety: as `beginUnplug`.
    guard function < host.functionCount,
      unsafe functions[Int(function)].state == VLPIFunction.unplugging
    else { throw refuse(.notPlugged) }
    unsafe functions[Int(function)].state = VLPIFunction.gone
    let number = unsafe functions[Int(function)].device
    let device = unsafe devices + Int(number)
    unsafe device.pointee.functions -= 1
    guard unsafe device.pointee.functions == 0 else { return }
    let log2 = unsafe UInt32(device.pointee.log2Events)
    unsafe arena.release(device.pointee.first, log2Count: log2)
    usedEntries -= 1 << UInt64(log2)
    unsafe device.pointee.log2Events = 0
    post(.mapd(number, log2Events: 0, address: 0), &commands)
  }

  /// A function raises an event: where that ends. O(1).
  package mutating func event(function: UInt32, _ eventID: EventID) -> VLPIEventOutcome {
    // Safety: checked in the same expression; a function that was ever plugged has a DeviceID.
    guard function < host.functionCount, unsafe functions[Int(function)].state != 0 else {
      cases.count(.eventOfUnknownFunction)
      return .lost
    }
    let known = unsafe functions[Int(function)]
    let device = unsafe devices[Int(known.device)]
    guard device.log2Events != 0 else { return lose(known) }
    guard device.hasEvent(eventID.rawValue) else {
      cases.count(.eventOutOfTable)
      return .lost
    }
    // Safety: checked against the device's table; a mapped event has a vPE.
    let place = Int(device.first) + Int(eventID.rawValue)
    let event = unsafe events[place]
    if event.serial != 0 {
      if event.function != function || known.state != VLPIFunction.plugged {
        cases.count(.eventOfAlias)
      }
      if event.eventfd != 0 {
        cases.count(.eventThroughEventfd)
        return .eventfd(vPE: event.vPE, vINTID: INTID(event.vINTID))
      }
      cases.count(.eventAsVLPI)
      return .vLPI(
        vPEID: unsafe UInt16(vPEs[Int(event.vPE)].vPEIDAndOne - 1), vINTID: INTID(event.vINTID))
    }
    guard event.reserved != 0 else { return lose(known) }
    unsafe events[place].isKept = true
    cases.count(.earlyEventPended)
    return .pended
  }

  private mutating func lose(_ function: VLPIFunction) -> VLPIEventOutcome {
    switch function.state {
    case VLPIFunction.unplugging: cases.count(.eventWhileUnplugging)
    case VLPIFunction.gone: cases.count(.eventAfterUnplug)
    default: cases.count(.earlyEventDropped)
    }
    return .lost
  }
}
