package import EventModel

extension VLPIAllocatorCore {
  /// A vCPU of a guest.
  package mutating func addVPE(_ vPE: UInt16, vm: UInt16) throws(VLPIRefusal) {
    guard UInt32(vPE) < host.vPECount, UInt32(vm) < host.vmCount else {
      throw refuse(.numberOutOfRange)
    }
    // Safety: checked above.
    let record = unsafe vPEs + Int(vPE)
    guard unsafe !record.pointee.exists else { throw refuse(.knownVPE) }
    unsafe record.pointee.exists = true
    unsafe record.pointee.vm = vm
  }

  /// The vCPU goes, and takes its events with it. Its vPEID goes to whoever waits. O(its events).
  package mutating func removeVPE<Queue: HostCommandQueue & ~Copyable>(
    _ vPE: UInt16, commands: inout Queue
  ) throws(VLPIRefusal) {
    // Safety: checked in the same expression, as elsewhere in this function.
    guard UInt32(vPE) < host.vPECount, unsafe vPEs[Int(vPE)].exists else {
      throw refuse(.foreignVPE)
    }
    while unsafe vPEs[Int(vPE)].firstEvent != 0 {
      unsafe withdraw(Int(vPEs[Int(vPE)].firstEvent - 1), &commands)
      cases.count(.grantRevoked)
    }
    let vPEIDAndOne = unsafe vPEs[Int(vPE)].vPEIDAndOne
    unsafe vPEs[Int(vPE)].exists = false
    unsafe vPEs[Int(vPE)].vPEIDAndOne = 0
    guard vPEIDAndOne != 0 else { return }
    let vPEID = UInt16(vPEIDAndOne - 1)
    post(.vmapp(vPEID, host, isValid: false), &commands)
    if !host.isV41 { post(.vsync(vPEID), &commands) }
    vPEIDs.insert(vPEID)
    serveWaiting(&commands)
  }

  /// The vPE's vPEID; the lowest free one if it has none yet, nil if there is none.
  mutating func vPEID<Queue: HostCommandQueue & ~Copyable>(
    for vPE: UInt16, _ commands: inout Queue
  ) -> UInt16? {
    // Safety: the caller names a vPE that exists.
    let record = unsafe vPEs + Int(vPE)
    if unsafe record.pointee.vPEIDAndOne != 0 {
      return unsafe UInt16(record.pointee.vPEIDAndOne - 1)
    }
    guard let vPEID = vPEIDs.take() else { return nil }
    unsafe record.pointee.vPEIDAndOne = UInt32(vPEID) + 1
    updateWaiting(vPE)
    postVirtual(.vmapp(vPEID, host, isValid: true), vPEID, &commands)
    postVirtual(.vinvall(vPEID), vPEID, &commands)
    return vPEID
  }

  private mutating func serveWaiting<Queue: HostCommandQueue & ~Copyable>(
    _ commands: inout Queue
  ) {
    while !vPEIDs.isEmpty, firstWaiting != 0 {
      let vPE = UInt16(firstWaiting - 1)
      // Safety: a vPE that waits exists; links in its list are indices of events and one.
      if host.freedVPEID == .stayOnEventfd {
        cases.count(.stayedOnEventfd, unsafe UInt64(vPEs[Int(vPE)].eventfds))
        return
      }
      _ = vPEID(for: vPE, &commands)
      var link = unsafe vPEs[Int(vPE)].firstEvent
      while link != 0 {
        let place = Int(link - 1)
        if unsafe events[place].eventfd != 0 { returnToVLPI(place, &commands) }
        link = unsafe events[place].next
      }
    }
  }

  /// The host's interrupt gives way to the vLPI.
  mutating func returnToVLPI<Queue: HostCommandQueue & ~Copyable>(
    _ place: Int, _ commands: inout Queue
  ) {
    // Safety: `place` is that of a mapped event, whose vPE exists and has a vPEID.
    let vPEID = unsafe UInt16(vPEs[Int(events[place].vPE)].vPEIDAndOne - 1)
    postDiscard(place, &commands)
    mapVirtual(place, vPEID, &commands)
    releaseEventfd(place)
    cases.count(.returnedToVLPI)
  }

  mutating func mapVirtual<Queue: HostCommandQueue & ~Copyable>(
    _ place: Int, _ vPEID: UInt16, _ commands: inout Queue
  ) {
    let (device, number) = numbers(place)
    // Safety: as `returnToVLPI`.
    postVirtual(
      .vmapti(
        device, number, vPEID: vPEID, vINTID: unsafe events[place].vINTID,
        doorbell: host.eventDoorbell(vPEID)), vPEID, &commands)
  }

  /// Maps an event as the host's interrupt and enables that.
  mutating func mapPhysical<Queue: HostCommandQueue & ~Copyable>(
    _ device: UInt32, _ number: UInt32, _ pINTID: UInt32, _ commands: inout Queue
  ) {
    postPhysical(.mapti(device, number, pINTID: pINTID, icid: host.collection), &commands)
    postPhysical(.inv(device, number), &commands)
  }

  /// Hooks the event's eventfd up to the host's interrupt: the reserved one, or one of the pool, which
  /// the caller has found not to be empty.
  mutating func signalEventfd<Queue: HostCommandQueue & ~Copyable>(
    _ place: Int, isMapped: Bool, _ commands: inout Queue
  ) {
    // Safety: as `returnToVLPI`.
    let reserved = unsafe events[place].reserved
    let pINTID = reserved != 0 ? reserved : physicalLPIs.take()
    if !isMapped {
      let (device, number) = numbers(place)
      mapPhysical(device, number, pINTID, &commands)
    }
    unsafe events[place].eventfd = pINTID
    let vPE = unsafe events[place].vPE
    unsafe vPEs[Int(vPE)].eventfds += 1
    updateWaiting(vPE)
  }

  mutating func releaseEventfd(_ place: Int) {
    // Safety: as `returnToVLPI`.
    let event = unsafe events[place]
    guard event.eventfd != 0 else { return }
    if event.reserved == 0 { physicalLPIs.insert(event.eventfd) }
    unsafe events[place].eventfd = 0
    unsafe vPEs[Int(event.vPE)].eventfds -= 1
    updateWaiting(event.vPE)
  }

  mutating func postDiscard<Queue: HostCommandQueue & ~Copyable>(
    _ place: Int, _ commands: inout Queue
  ) {
    let (device, number) = numbers(place)
    postPhysical(.discard(device, number), &commands)
  }

  mutating func postPhysical<Queue: HostCommandQueue & ~Copyable>(
    _ command: HostCommand, _ commands: inout Queue
  ) {
    post(command, &commands)
    post(.sync(rdBase: host.rdBase), &commands)
  }

  mutating func postVirtual<Queue: HostCommandQueue & ~Copyable>(
    _ command: HostCommand, _ vPEID: UInt16, _ commands: inout Queue
  ) {
    post(command, &commands)
    post(.vsync(vPEID), &commands)
  }

  mutating func post<Queue: HostCommandQueue & ~Copyable>(
    _ command: HostCommand, _ commands: inout Queue
  ) {
    commands.post(command)
    commandCount &+= 1
  }
}
