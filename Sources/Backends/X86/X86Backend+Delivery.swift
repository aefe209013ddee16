import EventModel
import Replay
import TranslationCore

// The way of one access. Everything below `translate` is inlined into the loop.

extension X86Backend where Remapper: ~Copyable {
  @inline(__always)
  mutating func translate(_ event: TraceEvent) -> Outcome {
    if event.kind == .dma { return access(event) }
    if Choice.isVLPI { return deliverPosted(event) }
    let signal = signalHost(event)
    guard signal.route != Signal.none else { return signal.outcome }
    return injectRoute(signal.route)
  }

  @inline(__always)
  mutating func signal(_ event: TraceEvent) -> Signal {
    Choice.isVLPI ? Signal(outcome: deliverPosted(event)) : signalHost(event)
  }

  mutating func inject(route: UInt32) -> Outcome { injectRoute(route) }

  @inline(__always)
  mutating func access(_ event: TraceEvent) -> Outcome {
    let found = smmu.translate(
      streamID: event.streamID, address: event.iova, write: event.flags.contains(.write),
      read: event.flags.contains(.read))
    return found.fault == 0
      ? Outcome(address: found.address, outcome: .translated)
      : Outcome(outcome: .smmuFault(found.fault))
  }

  /// What the device's entry made of its message; nil and the loss if it sent no interrupt request.
  @inline(__always)
  private mutating func request(_ event: TraceEvent, _ loss: inout OutcomeClass) -> X86Translation?
  {
    work.interruptsOffered &+= 1
    let requester = UInt16(truncatingIfNeeded: event.deviceID)
    if Choice.isTrapped {
      var number = vectors.hostEvent(event.deviceID, VectorTable.place(event))
      if number == 0 || event.vector >= 2_048 {
        number = programUnseen(event)
        if number == 0 {
          loss = .noRoute
          return nil
        }
      }
      return unit.request(requester: requester, index: number &- 1)
    }
    if !reached.contains(event.streamID, event.iova, doorbells.changes) {
      if let lost = reach(event) {
        loss = lost
        return nil
      }
    }
    guard event.deviceID >> 16 == 0, event.data < 2_048 else {
      loss = .remappingFault(0x31)
      return nil
    }
    return unit.request(requester: requester, index: event.data)
  }

  @inline(never)
  private mutating func reach(_ event: TraceEvent) -> OutcomeClass? {
    switch doorbells.meaning(event.streamID, event.iova) {
    case .elsewhere: return .noRoute
    case .otherRegister: return .notADoorbell
    case .doorbell:
      reached.insert(event.streamID, event.iova, doorbells.changes)
      return nil
    }
  }

  /// vlpi: the unit makes the guest's vector pending.
  @inline(__always)
  mutating func deliverPosted(_ event: TraceEvent) -> Outcome {
    var loss = OutcomeClass.noRoute
    guard let found = request(event, &loss) else { return Outcome(outcome: loss) }
    switch found.kind {
    case .posted: return posted(found.destination, found.vector, wasPending: found.coalesced)
    case .interrupt: return forwardLate(event)
    case .dropped: return Outcome(outcome: .remappingFault(found.code))
    }
  }

  @inline(__always)
  mutating func posted(_ vcpu: UInt32, _ vector: UInt8, wasPending: Bool) -> Outcome {
    let interrupt = guestVectors.interrupt(vcpu: vcpu, vector: vector)
    let wakeUps = unit.takeWakeUps()
    if wakeUps > 0 { work.doorbellsRaised &+= wakeUps }
    if !wasPending { work.pendingBitsSet &+= 1 }
    return Outcome(
      address: X86Layout.doorbell, intid: interrupt.intid, target: interrupt.target,
      outcome: wasPending ? .coalesced : interrupt.isEnabled ? .delivered : .masked,
      flags: wakeUps > 0 ? Outcome.doorbellRaised : 0)
  }

  /// irqfd, bounce: the entry sends the host's interrupt; its handler signals an eventfd.
  @inline(__always)
  mutating func signalHost(_ event: TraceEvent) -> Signal {
    var loss = OutcomeClass.noRoute
    guard let found = request(event, &loss) else { return Signal(outcome: Outcome(outcome: loss)) }
    guard found.kind == .interrupt else {
      return Signal(outcome: Outcome(outcome: .remappingFault(found.code)))
    }
    return Signal(
      outcome: Outcome(
        address: X86Layout.doorbell, outcome: .delivered, flags: Outcome.takenByHost),
      route: HostInterrupt.number(vector: found.vector, destination: found.destination))
  }

  /// Route cache → local APIC's request bit.
  @inline(__always)
  mutating func injectRoute(_ index: UInt32) -> Outcome {
    work.routeReads &+= 1
    if Choice.isBounce {
      // The VMM's thread wakes, reads the eventfd and calls KVM_SIGNAL_MSI: counted, not timed.
      work.wakeUps &+= 1
      work.syscalls &+= 2
    }
    guard Int(index) < routes.count else { return Outcome(outcome: .noRoute) }
    if !routes[Int(index)].isConnected {
      if let loss = connectRoute(index) { return Outcome(outcome: loss) }
    }
    let vcpu = routes[Int(index)].vcpu
    let vector = routes[Int(index)].vector
    return posted(vcpu, vector, wasPending: unit.post(vcpu: vcpu, vector: vector))
  }
}
