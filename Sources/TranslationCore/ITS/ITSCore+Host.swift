package import EventModel

// A host's software at its own ITS, in a core without `ITSRules`: it edits the tables, is told who is
// resident, and finds doorbells in the outcomes.

extension ITSCore {
  package mutating func mapDevice(_ device: UInt32, log2Events: UInt32, isValid: Bool) {
    do {
      try setDevice(device, log2Events: log2Events, isValid: isValid)
    } catch {
      count(ITSError(error, ITSCommandOpcode.mapd))
    }
  }

  package mutating func mapCollection(_ icid: UInt16, pe: UInt16, isValid: Bool) {
    do {
      try setCollection(icid, rdBase: UInt64(pe), isValid: isValid)
    } catch {
      count(ITSError(error, ITSCommandOpcode.mapc))
    }
  }

  package mutating func mapEvent(_ device: UInt32, _ event: UInt32, intid: UInt32, icid: UInt16) {
    do {
      try setEvent(device, event, intid: intid, icid: icid)
    } catch {
      count(ITSError(error, ITSCommandOpcode.mapti))
    }
  }

  package mutating func mapVirtualEvent(
    _ device: UInt32, _ event: UInt32, vpe: UInt16, intid: UInt32, doorbell: UInt32
  ) {
    do {
      try setVirtualEvent(device, event, vPE: vpe, intid: intid, doorbell: doorbell)
    } catch {
      count(ITSError(error, ITSCommandOpcode.vmapti))
    }
  }

  /// VMOVI, to a vPE that may not be mapped: its interrupts are lost.
  package mutating func moveVirtualEvent(
    _ device: UInt32, _ event: UInt32, vpe: UInt16, doorbell: UInt32?
  ) {
    do throws(Condition) {
      let (index, entry) = try mappedEntry(device, event)
      guard entry.isVirtual else { throw .wrongInterruptKind }
      // Safety: `mappedEntry` gives an index within the device's ITT.
      unsafe path.itts[index].number = vpe
      if let doorbell { unsafe doorbells[index] = doorbell }
      note(entry.intid, at: vpe)
    } catch {
      count(ITSError(error, ITSCommandOpcode.vmovi))
    }
  }

  /// The mapping goes and its pending bit stays: DISCARD by a host that keeps the bit for the guest.
  package mutating func remove(_ device: UInt32, _ event: UInt32) {
    do {
      let index = try mappedEntry(device, event).index
      // Safety: `mappedEntry` gives an index within the device's ITT.
      unsafe path.itts[index] = .none
    } catch {
      count(ITSError(error, ITSCommandOpcode.discard))
    }
  }

  /// VMAPP. A vPE is resident until the trace says that it left (`setResident`).
  /// - Parameter log2INTIDs: width of the vINTIDs that its pending table has room for, at most 31.
  package mutating func mapVPE(_ vpe: UInt16, log2INTIDs: UInt32, isValid: Bool) {
    let old = vPEPlace(vpe)
    let new = ITSPlace.vPE(
      InterruptTarget(rawValue: vpe | vPETargetBits), log2INTIDs: log2INTIDs,
      isResident: !old.isMapped || old.isTaking, wantsDoorbell: old.wantsDoorbell)
    store(isValid ? new : .unmapped, at: ITSPlace.vPE(vpe))
  }

  /// The same as a command.
  mutating func setHostVPE(_ c: ITSCommandWords) throws(Condition) {
    if c.isValid {
      _ = try processor(c.rdBase)
      guard UInt64(1) << UInt64(c.log2INTIDs) <= UInt64(pending.count) else {
        throw .tableSizeOutOfRange
      }
    }
    mapVPE(c.vPE, log2INTIDs: c.log2INTIDs, isValid: c.isValid)
  }

  /// A vPE is scheduled, or leaves and wants a doorbell or not.
  package mutating func setResident(_ vpe: UInt16, _ isResident: Bool, wantsDoorbell: Bool) {
    let old = vPEPlace(vpe)
    guard old.isMapped else { return }
    let new = ITSPlace.vPE(
      old.target, log2INTIDs: old.log2INTIDs, isResident: isResident, wantsDoorbell: wantsDoorbell)
    store(new, at: ITSPlace.vPE(vpe))
  }

  /// Makes an interrupt pending by software, as a hypervisor does for its guest.
  package mutating func raise(_ intid: UInt32, _ target: InterruptTarget) {
    guard isLPI(intid), pending.raise(intid, target) != .coalesced else { return }
    counters.pendingBitsSet += 1
  }
}
