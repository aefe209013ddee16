import EventModel
import Replay
import TranslationCore

// Trapped set-up: the guest's MSI-X table is emulated, the device's holds the host's messages.

extension X86Backend where Remapper: ~Copyable {
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

  /// The host gives the vector an entry and an interrupt of its own the first time, then leads it where
  /// the guest's message goes.
  private mutating func program(_ device: UInt32, _ place: UInt32, streamID: UInt32) {
    guard device >> 16 == 0 else { return }
    if vectors.hostEvent(device, place) == 0 {
      let requester = UInt16(truncatingIfNeeded: device)
      guard let interrupt = allocateHostInterrupt(device, place, streamID),
        let index = unit.allocate(requester: requester),
        vectors.assign(index + 1, device, place)
      else {
        work.vectorShortages += 1
        return
      }
      vectors[device, place].hostINTID = interrupt + 1
      unit.routeToHost(requester: requester, index: index, interrupt: interrupt)
      work.syscalls += Choice.ioctlsToUseVector
    } else {
      // The message may have changed: the old way goes first.
      disconnect(device, place, forgetsPending: false)
      work.syscalls += Choice.ioctlsToChangeMessage
    }
    _ = lead(device, place, streamID: streamID)
  }

  /// Follows the guest's message to its vector. Returns how it is lost, if it is.
  private mutating func lead(
    _ device: UInt32, _ place: UInt32, streamID: UInt32
  ) -> OutcomeClass? {
    let entry = vectors[device, place]
    switch doorbells.meaning(streamID, entry.address) {
    case .elsewhere: return .noRoute
    case .otherRegister: return .notADoorbell
    case .doorbell: return connect(device, place, toEvent: entry.data)
    }
  }

  /// An MSI of a vector whose table writes the trace does not hold, or whose vector is unknown:
  /// programmed from the message itself, and again when another message comes in its place. Returns the
  /// entry's number, 0 if there is none.
  @inline(never)
  mutating func programUnseen(_ event: TraceEvent) -> UInt32 {
    let place = VectorTable.place(event)
    if vectors.adopt(event) || vectors.hostEvent(event.deviceID, place) == 0 {
      program(event.deviceID, place, streamID: event.streamID)
    }
    return vectors.hostEvent(event.deviceID, place)
  }

  /// An MSI met the host's own interrupt: the guest's message led nowhere when it was written. Asked
  /// again now.
  @inline(never)
  mutating func forwardLate(_ event: TraceEvent) -> Outcome {
    let place = VectorTable.place(event)
    if let loss = lead(event.deviceID, place, streamID: event.streamID) {
      return Outcome(outcome: loss)
    }
    let found = unit.request(
      requester: UInt16(truncatingIfNeeded: event.deviceID),
      index: vectors.hostEvent(event.deviceID, place) - 1)
    guard found.kind == .posted else { return Outcome(outcome: .noRoute) }
    return posted(found.destination, found.vector, wasPending: found.coalesced)
  }

  /// The route's message once more; nil if it now leads to a vector.
  @inline(never)
  mutating func connectRoute(_ index: UInt32) -> OutcomeClass? {
    let route = routes[Int(index)]
    return Choice.isTrapped
      ? lead(route.deviceID, route.place, streamID: route.streamID)
      : connect(route.deviceID, route.place, toEvent: route.place & 2_047)
  }
}
