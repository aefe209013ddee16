import EventModel
import Replay
import TranslationCore

// Trapped set-up: the guest's MSI-X table is emulated, the device's holds the host's messages.

extension ArmBackend where Host: ~Copyable {
  /// A guest's store to its MSI-X table: a trap. When it leaves the entry complete and unmasked, the
  /// host programs the device.
  mutating func tableWrite(_ event: TraceEvent) {
    work.msixTraps += 1
    let device = event.deviceID
    guard device != TraceEvent.unknownDevice, event.vector < 2_048 else { return }
    let place = UInt32(event.vector)
    var entry = vectors[device, place]
    entry.store(event)
    vectors[device, place] = entry
    guard entry.isComplete, entry.control & 1 == 0 else { return }
    program(device, place, streamID: event.streamID)
  }

  /// The host gives the vector its own EventID and LPI the first time, then routes the guest's message.
  private mutating func program(_ device: UInt32, _ place: UInt32, streamID: UInt32) {
    if vectors.hostEvent(device, place) == 0 {
      if mappedDevices.insert(device).inserted {
        its.mapDevice(device, log2Events: HostLayout.log2Events, isValid: true)
        post(1)
      }
      guard let intid = allocateHostINTID(), let event = vectors.allocateEvent(device, place) else {
        return
      }
      vectors[device, place].hostINTID = intid
      its.mapEvent(device, event, intid: intid, icid: HostLayout.collection)
      post(1)
      work.syscalls += Choice.ioctlsToUseVector
    } else {
      // The message may have changed: the old forwarding goes first.
      if vectors[device, place].forwarded != nil { unforward(device, place) }
      work.syscalls += Choice.ioctlsToChangeMessage
    }
    let entry = vectors[device, place]
    if Choice.isVLPI {
      _ = forward(device, place, streamID: streamID, entry)
    } else {
      routes[entry.hostINTID - INTID.firstLPI.rawValue] = RouteTable.Route(
        deviceID: device, eventID: entry.data, streamID: streamID, place: place,
        isResolved: doorbells.meaning(streamID, entry.address) == .doorbell)
    }
  }

  /// Resolves the guest's message and turns the host's entry into a virtual one (Linux:
  /// its_map_vlpi: DISCARD, VMAPTI). Returns how the message is lost, if it is.
  private mutating func forward(
    _ device: UInt32, _ place: UInt32, streamID: UInt32, _ entry: VectorTable.Entry
  ) -> OutcomeClass? {
    switch doorbells.meaning(streamID, entry.address) {
    case .elsewhere: return .noRoute
    case .otherRegister: return .notADoorbell
    case .doorbell: break
    }
    switch guest.resolve(device, entry.data) {
    case .lost(let loss): return loss
    case .interrupt(let intid, let target):
      let hostEvent = vectors.hostEvent(device, place)
      its.remove(device, hostEvent)
      its.mapVirtualEvent(
        device, hostEvent, vpe: target.rawValue, intid: intid, doorbell: INTID.spurious.rawValue)
      post(2)
      vectors[device, place].forwarded = entry.data
      return nil
    }
  }

  /// The host's own interrupt again (Linux: its_unmap_vlpi: DISCARD, MAPTI). The vLPI's pending bit,
  /// which DISCARD takes, is the guest's; the host puts it back.
  mutating func unforward(_ device: UInt32, _ place: UInt32) {
    let hostEvent = vectors.hostEvent(device, place)
    its.remove(device, hostEvent)
    its.mapEvent(
      device, hostEvent, intid: vectors[device, place].hostINTID, icid: HostLayout.collection)
    post(2)
    vectors[device, place].forwarded = nil
  }

  /// An MSI of a vector whose table writes the trace does not hold, or whose vector is unknown:
  /// programmed from the message itself, and again when another message comes in its place.
  @inline(never)
  mutating func programUnseen(_ event: TraceEvent) -> UInt32? {
    let place = VectorTable.place(event)
    if vectors.adopt(event) || vectors.hostEvent(event.deviceID, place) == 0 {
      program(event.deviceID, place, streamID: event.streamID)
    }
    let hostEvent = vectors.hostEvent(event.deviceID, place)
    return hostEvent == 0 ? nil : hostEvent
  }

  /// An MSI met the host's own interrupt: the guest's message led nowhere when it was written, or its
  /// mapping came later (a recording reveals it at the first walk only). Asked again now.
  @inline(never)
  mutating func forwardLate(_ event: TraceEvent) -> Outcome {
    let place = VectorTable.place(event)
    let entry = vectors[event.deviceID, place]
    if let loss = forward(event.deviceID, place, streamID: event.streamID, entry) {
      return Outcome(outcome: loss)
    }
    return its.translateAgain(
      deviceID: event.deviceID, eventID: vectors.hostEvent(event.deviceID, place))
  }

  /// The route's address once more; nil if it now leads to the doorbell.
  @inline(never)
  mutating func resolveRoute(_ index: UInt32) -> OutcomeClass? {
    guard var route = routes[index] else { return .noRoute }
    switch doorbells.meaning(route.streamID, vectors[route.deviceID, route.place].address) {
    case .elsewhere: return .noRoute
    case .otherRegister: return .notADoorbell
    case .doorbell:
      route.isResolved = true
      routes[index] = route
      return nil
    }
  }
}
