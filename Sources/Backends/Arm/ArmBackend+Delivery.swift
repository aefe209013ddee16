import EventModel
import Replay
import TranslationCore

// The way of one access. Everything below `translate` is inlined into the loop.

extension ArmBackend where Host: ~Copyable {
  @inline(__always)
  mutating func translate(_ event: TraceEvent) -> Outcome {
    if event.kind == .dma { return access(event) }
    var unmarked = NoMark()
    if Choice.isVLPI { return deliverVirtual(event, &unmarked) }
    let signal = signalHost(event, &unmarked)
    guard signal.route != Signal.none else { return signal.outcome }
    return injectRoute(signal.route)
  }

  @inline(__always)
  mutating func signal(_ event: TraceEvent) -> Signal {
    var unmarked = NoMark()
    return send(event, &unmarked)
  }

  mutating func signal(_ event: TraceEvent, noting passage: inout PassageMark) -> Signal {
    send(event, &passage)
  }

  @inline(__always)
  private mutating func send(_ event: TraceEvent, _ passage: inout some Mark) -> Signal {
    Choice.isVLPI ? Signal(outcome: deliverVirtual(event, &passage)) : signalHost(event, &passage)
  }

  mutating func inject(route: UInt32) -> Outcome { injectRoute(route) }

  @inline(__always)
  mutating func access(_ event: TraceEvent) -> Outcome {
    let found = smmu.translate(
      streamID: event.streamID, address: event.iova,
      need: SMMUCore.need(event.flags.rawValue))
    return found.fault == 0
      ? Outcome(address: found.address, outcome: .translated)
      : Outcome(outcome: .smmuFault(found.fault))
  }

  /// The device's write, through the SMMU to the physical doorbell. Nil, or how it was lost.
  @inline(__always)
  mutating func reachDoorbell(_ streamID: UInt32, _ address: UInt64) -> OutcomeClass? {
    let found = smmu.translate(
      streamID: streamID, address: address, need: SMMUCore.need(EventFlags.write.rawValue))
    if found.fault != 0 { return .smmuFault(found.fault) }
    return found.address == HostLayout.doorbell ? nil : .notADoorbell
  }

  /// vlpi: the physical ITS makes the guest's interrupt pending.
  @inline(__always)
  mutating func deliverVirtual(_ event: TraceEvent, _ passage: inout some Mark) -> Outcome {
    var eventID = event.data
    var address = event.iova
    if Choice.isTrapped {
      eventID = vectors.hostEvent(event.deviceID, VectorTable.place(event))
      if eventID == 0 || event.vector >= 2_048 {
        guard let given = programUnseen(event) else { return Outcome(outcome: .noRoute) }
        eventID = given
      }
      address = HostLayout.windowDoorbell
    }
    if let loss = reachDoorbell(event.streamID, address) { return Outcome(outcome: loss) }
    passage.note()
    var outcome = its.translateOnHost(deviceID: event.deviceID, eventID: eventID)
    if Choice.isTrapped && outcome.flags & Outcome.takenByHost != 0 {
      outcome = forwardLate(event)
    }
    outcome.address = HostLayout.doorbell
    return outcome
  }

  /// irqfd, bounce: the physical ITS finds the host's interrupt; its handler signals an eventfd.
  @inline(__always)
  mutating func signalHost(_ event: TraceEvent, _ passage: inout some Mark) -> Signal {
    var eventID = event.data
    var address = event.iova
    if Choice.isTrapped {
      eventID = vectors.hostEvent(event.deviceID, VectorTable.place(event))
      if eventID == 0 || event.vector >= 2_048 {
        guard let given = programUnseen(event) else {
          return Signal(outcome: Outcome(outcome: .noRoute))
        }
        eventID = given
      }
      address = HostLayout.windowDoorbell
    }
    if let loss = reachDoorbell(event.streamID, address) {
      return Signal(outcome: Outcome(outcome: loss))
    }
    passage.note()
    let outcome = its.translateOnHost(deviceID: event.deviceID, eventID: eventID)
    guard outcome.outcome == .delivered else { return Signal(outcome: outcome) }
    return Signal(outcome: outcome, route: outcome.intid &- INTID.firstLPI.rawValue)
  }

  /// Route cache → virtual-ITS translation cache → pending.
  @inline(__always)
  mutating func injectRoute(_ index: UInt32) -> Outcome {
    work.routeReads &+= 1
    if Choice.isBounce {
      // The VMM's thread wakes, reads the eventfd and calls KVM_SIGNAL_MSI: counted, not timed.
      work.wakeUps &+= 1
      work.syscalls &+= 2
    }
    guard let route = routes[index] else { return Outcome(outcome: .noRoute) }
    if !route.isResolved {
      if let loss = resolveRoute(index) { return Outcome(outcome: loss) }
    }
    var outcome = virtualITS.inject(deviceID: route.deviceID, eventID: route.eventID)
    outcome.address = HostLayout.doorbell
    return outcome
  }
}

/// Told when a write has passed the SMMU.
protocol Mark {
  mutating func note()
}

/// Costs nothing.
struct NoMark: Mark {
  @inline(__always) mutating func note() {}
}

extension PassageMark: Mark {}
