/// What a fault leaves behind: a record, a stalled or terminated transaction, counts.
///
/// Whoever meets a fault notes it in `syndrome` and hands the event's number up; `fault` turns both
/// into the answer.
extension SMMUCore {
  // MARK: Noting

  /// A fault of stage 1 on the input address (IHI 0070, §7.3.13).
  mutating func fail(_ number: UInt8) -> UInt8 {
    syndrome.faultClass = .inputAddress
    return number
  }

  /// A fault of stage 2 on an intermediate address, or a read of its tables that failed there.
  mutating func fail(
    _ number: UInt8, stage2 address: UInt64, _ faultClass: Class, descriptorRead: Bool = false
  ) -> UInt8 {
    syndrome.isStage2 = true
    syndrome.faultClass = faultClass
    syndrome.address = address
    syndrome.descriptorRead = descriptorRead
    return number
  }

  /// A structure or a stage-1 descriptor could not be read or written (§7.3.12). For stage 1 alone
  /// CLASS is TT.
  mutating func fail(_ number: UInt8, reading address: UInt64) -> UInt8 {
    syndrome.faultClass = .descriptor
    syndrome.address = address
    return number
  }

  mutating func badStreamID() -> UInt8 {
    syndrome.isRecorded = registers.recordsInvalidStreamIDs
    return SMMUEvent.badStreamID
  }

  /// A CD table without such an entry: the record names it even if the access had no SubstreamID.
  mutating func badSubstream(_ index: UInt32) -> UInt8 {
    syndrome.substreamID = index
    return SMMUEvent.badSubstreamID
  }

  // MARK: Answering

  /// STE.Config = 0b0xx, or a disabled SMMU with GBPA.ABORT: no event.
  mutating func aborted() -> SMMUTranslation {
    counters.faults &+= 1
    return .faulted(SMMUEvent.aborted)
  }

  /// A fault before any structure of the stream is in force.
  mutating func fault(_ number: UInt8) -> SMMUTranslation {
    fault(number, aborts: true, records: true, stalls: false)
  }

  /// Applies A, R and S of the stage that faulted (§5.5). A stage-1 fault of a stream whose stage 1
  /// is bypassed has no CD: it is recorded and aborts.
  @inline(never)
  mutating func fault(
    _ number: UInt8, _ stream: Stream, _ context: Context? = nil
  ) -> SMMUTranslation {
    if syndrome.isStage2 {
      // Safety: the pointers are to stream and context of the access.
      let flags = unsafe stream.pointee.flags
      return fault(
        number, aborts: true, records: flags.contains(.records), stalls: flags.contains(.stalls))
    }
    guard let context = unsafe context else { return fault(number) }
    let flags = unsafe context.pointee.flags
    return fault(
      number, aborts: flags.contains(.aborts), records: flags.contains(.records),
      stalls: flags.contains(.stalls))
  }

  @inline(never)
  private mutating func fault(
    _ number: UInt8, aborts: Bool, records: Bool, stalls: Bool
  ) -> SMMUTranslation {
    counters.faults &+= 1
    syndrome.number = number
    notes.event = SMMUEventWords(syndrome, request)
    notes.isRecorded = syndrome.isRecorded
    notes.termination = .abort
    if request.kind == .atsRequest, number != SMMUEvent.badATSRequest {
      // The answer to the request tells the device; no event, no stall (§3.9.1.1).
      notes.isRecorded = false
      return .faulted(number)
    }
    if syndrome.isTranslationRelated {
      if stalls, let tag = self.stalls.stall(request) {
        // A stall is always recorded: R is ignored.
        notes.event.dword1 |= 1 << 31 | UInt64(tag)
        notes.termination = .stalled
      } else {
        notes.isRecorded = records
        notes.termination = aborts ? .abort : .readZeroWriteIgnored
      }
    }
    if notes.isRecorded { eventQueue.append(notes.event) }
    return .faulted(number)
  }

  // MARK: Software's side

  /// Software takes the oldest record off the event queue.
  package mutating func takeEvent() -> SMMUEventWords? { eventQueue.take() }
  /// Records that found the event queue full.
  package var eventsLost: UInt64 { eventQueue.lost }

  /// Transactions that wait for RESUME or STALL_TERM.
  package var stalledCount: Int { stalls.waiting }
  package func stalled(_ tag: UInt16) -> SMMURequest? { stalls.waiting(tag) }
  package func stallEnd(_ tag: UInt16) -> SMMUStallEnd? { stalls.end(of: tag) }
}
