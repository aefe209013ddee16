public import EventModel

extension ITSCore {
  /// One MSI, to the pending bit.
  @inlinable @inline(__always)
  package mutating func translate(deviceID: UInt32, eventID: UInt32) -> Outcome {
    translate(deviceID, eventID, onHost: false)
  }

  /// One MSI on a host: a virtual entry makes its interrupt pending; a physical one is the host's own,
  /// taken by its handler at once, and comes back flagged `takenByHost` with nothing left pending.
  @inlinable @inline(__always)
  package mutating func translateOnHost(deviceID: UInt32, eventID: UInt32) -> Outcome {
    translate(deviceID, eventID, onHost: true)
  }

  /// The same MSI once more, after the host took it and changed its entry: not a second one to the
  /// counters.
  package mutating func translateAgain(deviceID: UInt32, eventID: UInt32) -> Outcome {
    counters.takenByHost -= 1
    return translateOnHost(deviceID: deviceID, eventID: eventID)
  }

  /// IHI 0069, §5.2: device table, ITT, then collection or vPE table.
  @inlinable @inline(__always)
  mutating func translate(_ deviceID: UInt32, _ eventID: UInt32, onHost: Bool) -> Outcome {
    if deviceID < enabledDeviceCount {
      // Safety: DeviceID was checked; a device entry's ITT lies in the arena and EventID is below the
      // number of its entries; there is a gate for each 18-bit number.
      let device = unsafe devices[Int(truncatingIfNeeded: deviceID)]
      if eventID < UInt32(truncatingIfNeeded: device &>> 32) {
        let first = Int(truncatingIfNeeded: device & 0xFFFF_FFFF)
        let entry = unsafe itts[first &+ Int(truncatingIfNeeded: eventID)]
        let gate = unsafe gates[Int(truncatingIfNeeded: entry &>> 32 & 0x3_FFFF)]
        let states = unsafe UnsafeMutablePointer<UInt8>(
          bitPattern: UInt(truncatingIfNeeded: gate &>> 16))
        if let states = unsafe states {
          let intid = UInt32(truncatingIfNeeded: entry & 0xFF_FFFF)
          let target = InterruptTarget(rawValue: UInt16(truncatingIfNeeded: gate))
          let isVirtual = Int(truncatingIfNeeded: entry &>> 48 & 1)
          if onHost && isVirtual == 0 {
            counters.takenByHost &+= 1
            return Outcome(
              intid: intid, target: target, outcome: .delivered, flags: Outcome.takenByHost)
          }
          // Safety: entries are made with INTIDs below `pending.count` only, and a gate is open only
          // if its target has a state for each of them.
          let state = unsafe states + Int(truncatingIfNeeded: intid) &* 2
          let raised = unsafe state[0]
          if raised & PendingTable.knownEnabled != 0 {
            let wasPending = unsafe (raised ^ state[1]) & PendingTable.phase
            unsafe state[0] = raised ^ PendingTable.phase ^ wasPending
            // Safety: below 4.
            let index = isVirtual &* 2 &+ Int(truncatingIfNeeded: wasPending)
            unsafe counters.fast[unchecked: index] &+= 1
            // `coalesced` is `delivered` + 1.
            return Outcome(
              intid: intid, target: target,
              outcome: OutcomeClass(rawValue: OutcomeClass.delivered.rawValue &+ wasPending))
          }
        }
      }
    }
    return translateByEveryRule(deviceID, eventID, onHost: onHost)
  }

  /// The same, asking at each step.
  @usableFromInline
  @inline(never)
  mutating func translateByEveryRule(
    _ deviceID: UInt32, _ eventID: UInt32, onHost: Bool
  ) -> Outcome {
    counters.others += 1
    guard isEnabled && deviceID < deviceCount else {
      counters.notLookedUp += 1
      return Outcome(outcome: isEnabled ? .deviceIDOutOfRange : .itsDisabled)
    }
    // Safety: as in `translate`.
    let device = unsafe devices[Int(deviceID)]
    let limit = UInt32(device >> 32)
    guard eventID < limit else {
      counters.noDevice += 1
      return Outcome(outcome: limit == 0 ? .unmappedDevice : .eventIDOutOfRange)
    }
    let entry = unsafe itts[Int(UInt32(truncatingIfNeeded: device)) + Int(eventID)]
    guard entry & ITSEntry.valid != 0 else {
      counters.noEvent += 1
      return Outcome(outcome: .unmappedEvent)
    }
    let isVirtual = ITSEntry.isVirtual(entry)
    let intid = ITSEntry.intid(entry)
    let place = unsafe places[ITSEntry.place(entry)]
    if isVirtual { counters.virtualOthers += 1 }
    guard place.isMapped else {
      return Outcome(outcome: isVirtual ? .unmappedVPE : .unmappedCollection)
    }
    guard isVirtual || place.isTaking else { return Outcome(outcome: .lpisDisabled) }
    guard place.has(intid) else { return Outcome(outcome: .intidOutOfRange) }
    if onHost && !isVirtual {
      counters.others -= 1
      counters.takenByHost += 1
      return Outcome(
        intid: intid, target: place.target, outcome: .delivered, flags: Outcome.takenByHost)
    }
    let outcome = pending.raise(intid, place.target)
    var flags: UInt8 = 0
    if outcome != .coalesced {
      counters.pendingBitsSet += 1
      // A doorbell: the bit rose, the vPE is away, and somebody wants to know (IHI 0069, §5.4.6).
      if isVirtual && !place.isTaking && place.wantsDoorbell {
        counters.doorbells += 1
        flags = Outcome.doorbellRaised
      }
    }
    return Outcome(intid: intid, target: place.target, outcome: outcome, flags: flags)
  }
}
