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

  @inlinable @inline(__always)
  mutating func translate(_ deviceID: UInt32, _ eventID: UInt32, onHost: Bool) -> Outcome {
    let end = path.follow(deviceID, eventID, below: enabledDeviceCount, onHost: onHost)
    guard end.word != 0 else { return translateByEveryRule(deviceID, eventID, onHost: onHost) }
    if onHost && end.isVirtual == 0 {
      counters.takenByHost &+= 1
    } else {
      counters.raised &+= 1
      if !onHost { counters.raisedPhysical &+= 1 &- end.isVirtual }
      counters.wasPending &+= UInt64(end.change & PendingTable.phase)
    }
    return Outcome(interrupt: end.word)
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
    // Safety: as in `ITSPath.follow`; there is a place for each gate.
    let device = unsafe path.devices[Int(deviceID)]
    guard eventID < device.eventCount else {
      counters.noDevice += 1
      return Outcome(outcome: device.eventCount == 0 ? .unmappedDevice : .eventIDOutOfRange)
    }
    let index = device.entry(eventID)
    let entry = unsafe path.itts[index]
    guard entry.isValid else {
      counters.noEvent += 1
      return Outcome(outcome: .unmappedEvent)
    }
    return arrive(entry, doorbell: unsafe doorbells[index], onHost: onHost)
  }

  /// From a valid entry on: collection or vPE, then the pending bit.
  mutating func arrive(_ entry: ITSEntry, doorbell: UInt32, onHost: Bool) -> Outcome {
    let isVirtual = entry.isVirtual
    let intid = entry.intid
    // Safety: there is a place for each entry.
    let place = unsafe places[entry.place]
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
    var outcome = Outcome(intid: intid, target: place.target, outcome: .delivered)
    let isRaised: Bool
    if isVirtual, rules != nil {
      // The place has the interrupt, so that this cannot fail.
      guard
        let made = try? makeVirtualPending(intid, vPE: entry.number, doorbell: doorbell)
      else { return Outcome(outcome: .intidOutOfRange) }
      outcome.outcome = made.outcome
      isRaised = made.doorbellRaised
    } else {
      outcome.outcome = pending.raise(
        at: pending.place(intid, inPlane: planeNumber(of: place)))
      let rises = outcome.outcome != .coalesced
      if rises { counters.pendingBitsSet += 1 }
      // A doorbell: the bit rose, the vPE is away, and somebody wants to know (IHI 0069, §5.4.6).
      isRaised = rises && isVirtual && !place.isTaking && place.wantsDoorbell
      if isRaised { counters.doorbells += 1 }
    }
    if isRaised { outcome.flags = Outcome.doorbellRaised }
    return outcome
  }

  /// Of a redistributor, or of any target of a host's core.
  private func planeNumber(of place: ITSPlace) -> Int {
    rules == nil
      ? pending.planeNumber(of: pending.plane(place.target))
      : plane(ofPE: Int(place.target.number))
  }
}

extension Outcome {
  /// From its upper word: flags 63:56, class 55:48, target 47:32, INTID 31:0.
  @inlinable @inline(__always)
  init(interrupt word: UInt64) {
    self.init(
      intid: UInt32(truncatingIfNeeded: word),
      target: InterruptTarget(rawValue: UInt16(truncatingIfNeeded: word &>> 32)),
      outcome: OutcomeClass(rawValue: UInt8(truncatingIfNeeded: word &>> 48)),
      flags: UInt8(truncatingIfNeeded: word &>> 56))
  }
}
