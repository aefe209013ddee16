public import EventModel

extension ITSCore {
  /// What an entry says, before anything becomes pending.
  @frozen
  @usableFromInline
  struct Found: BitwiseCopyable {
    @usableFromInline var intid: UInt32
    @usableFromInline var target: InterruptTarget
    /// `.delivered` if the entry leads somewhere, else the loss.
    @usableFromInline var outcome: OutcomeClass
    @usableFromInline var isVirtual: Bool
    @usableFromInline var state: UInt32

    @inlinable
    init(
      intid: UInt32 = 0, target: InterruptTarget = .pe(0), outcome: OutcomeClass,
      isVirtual: Bool = false, state: UInt32 = 0
    ) {
      self.intid = intid
      self.target = target
      self.outcome = outcome
      self.isVirtual = isVirtual
      self.state = state
    }
  }

  /// IHI 0069, §5.2: device table, ITT, then collection or vPE table.
  @inlinable @inline(__always)
  mutating func lookUp(_ deviceID: UInt32, _ eventID: UInt32) -> Found {
    counters.translations &+= 1
    guard isEnabled && deviceID < deviceCount else {
      counters.notLookedUp &+= 1
      return Found(outcome: isEnabled ? .deviceIDOutOfRange : .itsDisabled)
    }
    // Safety: DeviceID was checked; a device entry's ITT lies in the arena and EventID is below the
    // number of its entries; ICID and vPEID have 16 bits and both tables are checked or that large.
    let device = unsafe devices[Int(deviceID)]
    let limit = UInt32(truncatingIfNeeded: device &>> 32)
    guard eventID < limit else {
      counters.noDevice &+= 1
      return Found(outcome: limit == 0 ? .unmappedDevice : .eventIDOutOfRange)
    }
    let entry = unsafe itts[Int(UInt32(truncatingIfNeeded: device)) &+ Int(eventID)]
    guard entry & 1 != 0 else {
      counters.noEvent &+= 1
      return Found(outcome: .unmappedEvent)
    }
    let intid = UInt32(truncatingIfNeeded: entry &>> 8) & 0xFF_FFFF
    let place = UInt16(truncatingIfNeeded: entry &>> 32)
    if entry & 2 != 0 {
      counters.virtualEntries &+= 1
      let vpe = unsafe vpes[Int(place)]
      let target = InterruptTarget(rawValue: place | vPETargetBits)
      guard vpe & Self.valid != 0 else {
        return Found(outcome: .unmappedVPE)
      }
      guard intid &>> (vpe & Self.log2INTIDs) == 0 else {
        return Found(outcome: .intidOutOfRange)
      }
      return Found(
        intid: intid, target: target, outcome: .delivered, isVirtual: true, state: vpe)
    }
    let collection = unsafe collections[Int(place)]
    guard collection & Self.valid != 0 else { return Found(outcome: .unmappedCollection) }
    let target = InterruptTarget.pe(UInt16(truncatingIfNeeded: collection))
    guard collection & Self.lpisEnabled != 0 else {
      return Found(outcome: .lpisDisabled)
    }
    return Found(intid: intid, target: target, outcome: .delivered, state: collection)
  }

  /// One MSI, to the pending bit.
  @inlinable
  package mutating func translate(deviceID: UInt32, eventID: UInt32) -> Outcome {
    let found = lookUp(deviceID, eventID)
    guard found.outcome == .delivered else { return Outcome(outcome: found.outcome) }
    return makePending(found)
  }

  /// One MSI on a host: a virtual entry makes its interrupt pending; a physical one is the host's own,
  /// taken by its handler at once, and comes back flagged `takenByHost` with nothing left pending.
  @inlinable @inline(__always)
  package mutating func translateOnHost(deviceID: UInt32, eventID: UInt32) -> Outcome {
    let found = lookUp(deviceID, eventID)
    guard found.outcome == .delivered else { return Outcome(outcome: found.outcome) }
    if found.isVirtual { return makePending(found) }
    return Outcome(
      intid: found.intid, target: found.target, outcome: .delivered, flags: Outcome.takenByHost)
  }

  /// The same MSI once more, after the host changed its entry: not a second one to the counters.
  package mutating func translateAgain(deviceID: UInt32, eventID: UInt32) -> Outcome {
    counters.translations -= 1
    return translateOnHost(deviceID: deviceID, eventID: eventID)
  }

  @inlinable @inline(__always)
  mutating func makePending(_ found: Found) -> Outcome {
    // Entries are made with INTIDs below `pending.count` only.
    let outcome = pending.raise(found.intid, found.target)
    var flags: UInt8 = 0
    if outcome != .coalesced {
      counters.pendingBitsSet &+= 1
      // A doorbell: the bit rose, the vPE is away, and somebody wants to know (IHI 0069, §5.4.6).
      if found.isVirtual
        && found.state & (Self.resident | Self.doorbellWanted) == Self.doorbellWanted
      {
        counters.doorbells &+= 1
        flags = Outcome.doorbellRaised
      }
    }
    return Outcome(intid: found.intid, target: found.target, outcome: outcome, flags: flags)
  }
}
