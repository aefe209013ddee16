import EventModel

// What a fault leaves behind: a record, a stalled or terminated transaction, counts.

extension SMMU {
  /// Applies A, R and S of the stage that faulted (IHI 0070, §5.5), then records.
  mutating func record(_ fault: SMMUFault, _ transaction: Transaction) -> SMMUResult.Outcome {
    var fault = fault
    let number = fault.record.number
    counters.smmuFaults += 1
    faults[number, default: 0] += 1

    if transaction.access.kind == .atsRequest && number != .badATSRequest {
      // The answer to the request tells the device; no event, no stall (§3.9.1.1).
      fault.isRecorded = false
      return .fault(fault)
    }
    if number.isTranslationRelated { applyBehaviour(&fault, transaction) }
    if fault.isRecorded { append(fault.record) }
    return .fault(fault)
  }

  private mutating func applyBehaviour(_ fault: inout SMMUFault, _ transaction: Transaction) {
    let behaviour = faultBehaviour(stage2: fault.record.stage2)
    if behaviour.stall,
      let stag = stalls.stall(
        .init(
          streamID: transaction.streamID, substreamID: transaction.substreamID,
          address: transaction.address, access: transaction.access))
    {
      // A stall is always recorded: R is ignored.
      fault.record.stall = true
      fault.record.stag = stag
      fault.termination = .stalled
      return
    }
    fault.isRecorded = behaviour.record
    fault.termination = behaviour.abort ? .abort : .readZeroWriteIgnored
  }

  private struct Behaviour {
    var abort = true
    var record = true
    var stall = false
  }

  /// The flags in force. A stage 1 fault of a stream whose stage 1 is bypassed has no CD: it is
  /// recorded and aborts.
  private func faultBehaviour(stage2: Bool) -> Behaviour {
    if stage2, let ste = inForce.ste {
      return Behaviour(abort: true, record: ste.s2R, stall: ste.s2S)
    }
    guard !stage2, let cd = inForce.cd else { return Behaviour() }
    return Behaviour(abort: cd.a, record: cd.r, stall: cd.s)
  }

  private mutating func append(_ record: SMMUEventRecord) {
    guard events.count < eventCapacity else {
      eventsLost += 1
      return
    }
    events.append(record)
  }

  /// Software took the records off the event queue.
  package mutating func drainEvents() -> [SMMUEventRecord] {
    defer { events = [] }
    return events
  }

  /// Adds the access's work to the counters. A configuration miss is an access that read an STE or
  /// a CD; an access of a stream with stage 2 only misses the TLB when its IPA lookup misses.
  mutating func count() {
    counters.steReads += work.level1StreamTableReads + work.steReads
    counters.cdReads += work.level1ContextTableReads + work.cdReads
    counters.stage1DescriptorReads += work.stage1Reads
    counters.stage2DescriptorReads += work.stage2Reads
    counters.stage2TLBMisses += work.stage2TLB.misses
    writesByHardware += work.descriptorUpdates
    counters.descriptorWrites += work.descriptorUpdates
    if work.configurationReads > 0 { counters.configurationCacheMisses += 1 }
  }
}
