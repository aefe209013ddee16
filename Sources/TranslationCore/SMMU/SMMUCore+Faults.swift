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
  mutating func aborted() -> SMMUAnswer {
    counters.faults &+= 1
    return SMMUAnswer(.faulted(SMMUEvent.aborted))
  }

  /// A fault before any structure of the stream is in force.
  mutating func fault(_ number: UInt8, _ request: SMMURequest) -> SMMUAnswer {
    fault(number, request, Behaviour())
  }

  /// Applies A, R and S of the stage that faulted (§5.5). A stage-1 fault of a stream whose stage 1
  /// is bypassed has no CD: it is recorded and aborts.
  mutating func fault(
    _ number: UInt8, _ request: SMMURequest, _ stream: UnsafeMutablePointer<StreamContext>,
    _ context: ContextEntry? = nil
  ) -> SMMUAnswer {
    var behaviour = Behaviour()
    if syndrome.isStage2 {
      // Safety: the pointer is to the stream of the access.
      let flags = unsafe stream.pointee.flags
      behaviour.records = flags.contains(.records)
      behaviour.stalls = flags.contains(.stalls)
    } else if let context {
      behaviour.aborts = context.flags.contains(.aborts)
      behaviour.records = context.flags.contains(.records)
      behaviour.stalls = context.flags.contains(.stalls)
    }
    return fault(number, request, behaviour)
  }

  private struct Behaviour {
    var aborts = true
    var records = true
    var stalls = false
  }

  @inline(never)
  private mutating func fault(
    _ number: UInt8, _ request: SMMURequest, _ behaviour: Behaviour
  ) -> SMMUAnswer {
    counters.faults &+= 1
    syndrome.number = number
    var answer = SMMUAnswer(.faulted(number))
    answer.event = SMMUEventWords(syndrome, request)
    answer.isRecorded = syndrome.isRecorded
    if request.kind == .atsRequest, number != SMMUEvent.badATSRequest {
      // The answer to the request tells the device; no event, no stall (§3.9.1.1).
      answer.isRecorded = false
      return answer
    }
    if syndrome.isTranslationRelated {
      if behaviour.stalls, let tag = stalls.stall(request) {
        // A stall is always recorded: R is ignored.
        answer.event.dword1 |= 1 << 31 | UInt64(tag)
        answer.termination = .stalled
      } else {
        answer.isRecorded = behaviour.records
        answer.termination = behaviour.aborts ? .abort : .readZeroWriteIgnored
      }
    }
    if answer.isRecorded { eventQueue.append(answer.event) }
    return answer
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
