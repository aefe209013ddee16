import EventModel
import Replay
import TranslationCore

// Set-up: the guest's intents as its commands, registers and streams state them, and vCPU life.

extension X86Backend where Remapper: ~Copyable {
  mutating func configure(_ event: TraceEvent) {
    switch event.kind {
    case .itsCommand:
      if limits.accept(event) { command(GuestCommand(event)) }
    case .msixTableWrite:
      if Choice.isTrapped { tableWrite(event) }
    case .msixControl: work.configurationTraps += 1
    case .streamConfiguration:
      smmu.configureStream(event)
      doorbells.configure(event)
    case .itsRegisterWrite: registerWrite(event)
    case .redistributorWrite:
      guard event.registerOffset == 0, !event.target.isVPE else { break }
      guest.setLPIs(enabled: event.value & 1 == 1, pe: event.target.number)
      connectAll()
    case .lpiConfiguration:
      configurations.store(
        LPIConfigurations.key(event.intid, event.target),
        byte: UInt8(truncatingIfNeeded: event.word1))
    case .vcpuLoad, .vcpuMigrate:
      setState(event.target, .running(on: UInt32(truncatingIfNeeded: event.word3 >> 32)))
    case .vcpuPut: setState(event.target, .preempted)
    case .vcpuBlock: setState(event.target, .blocked)
    default: break
    }
  }

  private mutating func setState(_ target: InterruptTarget, _ state: VCPUState) {
    guard let vcpu = guestVectors.vcpu(target) else { return }
    unit.setState(vcpu: vcpu, state)
  }

  private mutating func registerWrite(_ event: TraceEvent) {
    switch event.registerOffset {
    case 0x0:
      guest.isEnabled = event.value & 1 == 1
      connectAll()
    case 0x88:
      if !Choice.isTrapped { work.commandTraps += 1 }
    default: break
    }
  }

  private mutating func command(_ command: GuestCommand) {
    switch command {
    case .mapDevice(let device, let log2Events, let isValid):
      for event in guest.events(ofDevice: device) { withdraw(device, event) }
      guest.mapDevice(device, eventCount: isValid ? 1 << min(log2Events, 31) : nil)
    case .mapCollection(let collection, let target, let isValid):
      guest.mapCollection(collection, isValid ? target : nil)
      for (device, event) in guest.events(ofCollection: collection) { connect(device, event) }
    case .map(let device, let event, let intid, let collection):
      guard guest.hasEvent(device, event) else { break }
      for place in places(device, event) { disconnect(device, place, forgetsPending: false) }
      if guest.map(device, event, .init(intid: intid, collection: collection)) {
        connect(device, event)
      }
    case .move(let device, let event, let collection):
      guard let mapping = guest.targeted(device, event), guest.collections[collection] != nil,
        mapping.isVirtual == GuestIntent.isVPE(collection)
      else { break }
      guest.move(device, event, collection: collection)
      if Choice.isTrapped { work.msixTraps += 5 * UInt64(places(device, event).count) }
      connect(device, event)
    case .discard(let device, let event):
      guard guest.targeted(device, event) != nil else { break }
      withdraw(device, event)
      guest.discard(device, event)
    case .clear(let device, let event): forgetPending(device, event)
    case .interrupt(let device, let event): raise(device, event)
    case .invalidate(let device, let event):
      guard let key = key(device, event) else { break }
      refresh(key, configurations.refresh(key))
    case .invalidateAll:
      for (key, isEnabled) in configurations.refreshAll() { refresh(key, isEnabled) }
    case .moveAll, .none: break
    }
  }

  // Pending and enable state by INTID.

  /// The interrupt of a mapped event that leads to a target, by plane.
  private func key(_ device: UInt32, _ event: UInt32) -> UInt32? {
    guard let mapping = guest.targeted(device, event) else { return nil }
    return LPIConfigurations.key(mapping.intid, mapping.plane)
  }

  private func place(_ key: UInt32) -> GuestVectors.Place? {
    guestVectors.place(key & 0x7FFF_FFFF, key >> 31 == 1 ? .vpe(0) : .pe(0))
  }

  private mutating func refresh(_ key: UInt32, _ isEnabled: Bool) {
    guestVectors.setEnabled(key & 0x7FFF_FFFF, key >> 31 == 1 ? .vpe(0) : .pe(0), isEnabled)
  }

  private mutating func forgetPending(_ device: UInt32, _ event: UInt32) {
    guard let key = key(device, event) else { return }
    held.remove(key)
    if let place = place(key) { _ = unit.acknowledge(vcpu: place.vcpu, vector: place.vector) }
  }

  /// INT: software makes the interrupt pending, if it leads anywhere.
  private mutating func raise(_ device: UInt32, _ event: UInt32) {
    guard case .interrupt = guest.resolve(device, event), let key = key(device, event) else {
      return
    }
    if let place = place(key) {
      if !unit.post(vcpu: place.vcpu, vector: place.vector) { work.pendingBitsSet += 1 }
      work.doorbellsRaised += unit.takeWakeUps()
    } else if held.insert(key).inserted {
      work.pendingBitsSet += 1
    }
  }

  // Ways from a device's place to a vector.

  /// Places that lead, or in `owned` set-up would lead, to the event.
  private func places(_ device: UInt32, _ event: UInt32) -> [UInt32] {
    if Choice.isTrapped { return vectors.forwarded(device, toEvent: event) }
    return event < 2_048 ? [2_048 | event] : []
  }

  /// The event goes, and what is pending of it.
  private mutating func withdraw(_ device: UInt32, _ event: UInt32) {
    forgetPending(device, event)
    for place in places(device, event) { disconnect(device, place, forgetsPending: true) }
  }

  /// After a change of the guest's tables.
  private mutating func connect(_ device: UInt32, _ event: UInt32) {
    for place in places(device, event) {
      if !Choice.isTrapped { guard claim(device, place) else { continue } }
      if connect(device, place, toEvent: event) != nil {
        disconnect(device, place, forgetsPending: false)
      }
    }
  }

  private mutating func connectAll() {
    for (device, event) in guest.events { connect(device, event) }
  }

  /// Owned: the entry that the guest's event is. Made on first use.
  private mutating func claim(_ device: UInt32, _ place: UInt32) -> Bool {
    guard device >> 16 == 0 else { return false }
    if vectors.hostEvent(device, place) != 0 { return true }
    let requester = UInt16(truncatingIfNeeded: device)
    guard unit.claim(requester: requester, index: place & 2_047),
      vectors.assign(place & 2_047 + 1, device, place)
    else {
      work.vectorShortages += 1
      return false
    }
    return true
  }

  /// Leads a place to where the guest's tables send its event. Returns how the event is lost, if it is;
  /// then the way is as it was.
  mutating func connect(
    _ device: UInt32, _ place: UInt32, toEvent event: UInt32
  ) -> OutcomeClass? {
    switch guest.resolve(device, event) {
    case .lost(let loss): return loss
    case .interrupt(let intid, let target):
      let key = LPIConfigurations.key(intid, target)
      guard
        let vector = guestVectors.acquire(
          intid, target, isEnabled: configurations.isEnabled(key))
      else { return .noRoute }
      let old = links.updateValue(vector, forKey: Link(device, place))
      vectors[device, place].forwarded = event
      if old != vector { point(device, place, at: vector) }
      if let old { release(old, forgetsPending: false) }
      if held.remove(key) != nil { _ = unit.post(vcpu: vector.vcpu, vector: vector.vector) }
      return nil
    }
  }

  /// The entry (posted) or the route (eventfd) for a vector.
  private mutating func point(_ device: UInt32, _ place: UInt32, at vector: GuestVectors.Place) {
    let requester = UInt16(truncatingIfNeeded: device)
    let index = vectors.hostEvent(device, place) - 1
    if Choice.isVLPI {
      unit.routeToGuest(
        requester: requester, index: index, vcpu: vector.vcpu, vector: vector.vector)
      return
    }
    if vectors[device, place].hostINTID == 0 {
      guard let interrupt = allocateHostInterrupt(device, place, 0) else { return }
      vectors[device, place].hostINTID = interrupt + 1
      unit.routeToHost(requester: requester, index: index, interrupt: interrupt)
    }
    let route = hostInterrupt(device, place)
    routes[route].vcpu = vector.vcpu
    routes[route].vector = vector.vector
    routes[route].isConnected = true
  }

  /// The host's interrupt of a place that has one; the table holds one more, so that 0 means none.
  private func hostInterrupt(_ device: UInt32, _ place: UInt32) -> Int {
    Int(vectors[device, place].hostINTID) - 1
  }

  /// The place leads nowhere: its entry is the host's again (trapped) or empty (owned).
  mutating func disconnect(_ device: UInt32, _ place: UInt32, forgetsPending: Bool) {
    guard let vector = links.removeValue(forKey: Link(device, place)) else { return }
    vectors[device, place].forwarded = nil
    if !Choice.isVLPI {
      routes[hostInterrupt(device, place)].isConnected = false
    } else {
      let requester = UInt16(truncatingIfNeeded: device)
      let index = vectors.hostEvent(device, place) - 1
      if Choice.isTrapped {
        unit.routeToHost(
          requester: requester, index: index, interrupt: UInt32(hostInterrupt(device, place)))
      } else {
        unit.remove(requester: requester, index: index)
      }
    }
    release(vector, forgetsPending: forgetsPending)
  }

  /// A vector loses a user. What is pending at a vector that is free now goes where its interrupt went.
  private mutating func release(_ vector: GuestVectors.Place, forgetsPending: Bool) {
    let interrupt = guestVectors.interrupt(vcpu: vector.vcpu, vector: vector.vector)
    guard guestVectors.release(vector),
      unit.acknowledge(vcpu: vector.vcpu, vector: vector.vector), !forgetsPending
    else { return }
    if let now = guestVectors.place(interrupt.intid, interrupt.target) {
      _ = unit.post(vcpu: now.vcpu, vector: now.vector)
    } else {
      held.insert(LPIConfigurations.key(interrupt.intid, interrupt.target))
    }
  }

  /// The host's next interrupt, with the route of its eventfd.
  mutating func allocateHostInterrupt(
    _ device: UInt32, _ place: UInt32, _ streamID: UInt32
  ) -> UInt32? {
    guard routes.count < Int(HostInterrupt.limit) else { return nil }
    routes.append(X86Route(deviceID: device, place: place, streamID: streamID))
    return UInt32(routes.count - 1)
  }
}
