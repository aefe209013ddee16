/// Everything but the first TLB probe: registers, configuration, ATS, the choice of a context, other
/// ways and page sizes, walks, faults.
///
/// Order of checks: SMMU enabled; StreamID in range; STE; SubstreamID; CD; input address against
/// T0SZ; walk, at each level validity, then output size; access flag; permission; and stage 2 in the
/// same order on every intermediate address (IHI 0070, §3.3.2, §3.4 and §15.1).
extension SMMUCore {
  /// Translates one access with everything that the architecture asks of it.
  package mutating func translate(_ request: SMMURequest) -> SMMUAnswer {
    counters.accesses &+= 1
    return answer(request)
  }

  /// The fast path found no entry in the place that it tried.
  @usableFromInline
  @inline(never)
  mutating func resolve(
    _ streamID: UInt32, _ address: UInt64, _ need: UInt64
  ) -> SMMUTranslation {
    if streamID <= lastStreamID {
      // Safety: `contexts` and `lookups` have `lastStreamID` + 1 entries.
      let context = unsafe contexts + Int(streamID)
      let lookup = unsafe lookups + Int(streamID)
      if let physical = unsafe resolvePage(context, lookup, address, need) {
        return SMMUTranslation(address: physical)
      }
    }
    return answer(SMMURequest(streamID, address, need)).translation
  }

  /// The fast path found an entry that does not permit the access: a fault, or a page that hardware
  /// has to mark dirty.
  @usableFromInline
  @inline(never)
  mutating func denied(
    _ streamID: UInt32, _ address: UInt64, _ need: UInt64
  ) -> SMMUTranslation {
    answer(SMMURequest(streamID, address, need)).translation
  }

  @inline(never)
  mutating func answer(_ request: SMMURequest) -> SMMUAnswer {
    counters.resolved &+= 1
    syndrome = SMMUFaultSyndrome()
    missedConfiguration = false
    if request.kind == .unsupported {
      return fault(SMMUEvent.unsupportedTransaction, request)
    }
    guard registers.isEnabled else { return answerDisabled(request) }
    if request.kind == .atsTranslated, !registers.checksATSTranslated {
      return SMMUAnswer(untranslated: request.address)
    }
    guard request.streamID <= lastStreamID else { return fault(badStreamID(), request) }
    // Safety: `contexts` has `lastStreamID` + 1 entries.
    let stream = unsafe contexts + Int(request.streamID)
    if unsafe stream.pointee.kind == StreamContext.Kind.none {
      let number = fetchStream(request.streamID)
      if number != 0 { return fault(number, request) }
    }
    defer {
      if !streamOrder.isEnabled { forgetStreams(request.streamID, request.streamID) }
    }
    if request.kind != .untranslated, let answer = unsafe answerATS(request, stream) {
      return answer
    }
    if unsafe stream.pointee.kind == StreamContext.Kind.abort { return aborted() }
    return unsafe answer(request, stream)
  }

  /// What stage 1 is for the access: SubstreamID against S1CDMax and S1DSS (§5.2, §7.3.7, §7.3.9).
  private mutating func answer(
    _ request: SMMURequest, _ stream: UnsafeMutablePointer<StreamContext>
  ) -> SMMUAnswer {
    // Safety: the pointer is to the stream of the access.
    var index: UInt32 = 0
    if unsafe stream.pointee.hasStage1 {
      let bits = unsafe UInt32(stream.pointee.substreamBits)
      let choice = unsafe stream.pointee.defaultSubstream
      if let substreamID = request.substreamID {
        guard bits != 0, substreamID >> bits == 0 else {
          return fault(SMMUEvent.badSubstreamID, request)
        }
        if choice == 2, substreamID == 0 { return fault(SMMUEvent.streamDisabled, request) }
        index = substreamID
      } else if bits != 0 {
        if choice == 1 { return unsafe answerBypass(request, stream) }
        // 0 terminates, and the reserved 3 behaves as 0.
        if choice != 2 { return fault(SMMUEvent.streamDisabled, request) }
      }
    } else {
      if request.substreamID != nil { return fault(SMMUEvent.badSubstreamID, request) }
      return unsafe answerBypass(request, stream)
    }

    var context = unsafe stream.pointee.context
    if index != 0 || !context.flags.contains(.isCached) {
      if index != 0, let kept = contextCache.find(request.streamID, index) {
        context = kept
      } else {
        let number = unsafe fetchContext(index, request.streamID, stream, &context)
        if number != 0 { return unsafe fault(number, request, stream) }
      }
    }
    return unsafe answerStage1(request, stream, context, isDefault: index == 0)
  }

  /// Stage 1 passes an address on if it fits IAS, or OAS without stage 2 (§3.4): they are equal.
  private mutating func answerBypass(
    _ request: SMMURequest, _ stream: UnsafeMutablePointer<StreamContext>
  ) -> SMMUAnswer {
    // Safety: as `answer`.
    guard request.address >> UInt64(outputBits) == 0 else {
      return unsafe fault(fail(SMMUEvent.addressSize), request, stream)
    }
    guard unsafe stream.pointee.hasStage2 else {
      return SMMUAnswer(untranslated: request.address)
    }
    return unsafe answerStage2(request, stream)
  }

  /// CR0.SMMUEN = 0 (§3.11): GBPA decides; an address beyond OAS aborts without an event.
  private mutating func answerDisabled(_ request: SMMURequest) -> SMMUAnswer {
    switch request.kind {
    case .atsRequest: return fault(SMMUEvent.badATSRequest, request)
    case .atsTranslated: return fault(SMMUEvent.translationForbidden, request)
    default: break
    }
    let fits = request.address >> UInt64(outputBits) == 0
    if registers.abortsWhenDisabled || !fits { return aborted() }
    return SMMUAnswer(untranslated: request.address)
  }

  /// ATS (§3.9.1): nil if the transaction goes on as an ordinary one. EATS 0 forbids ATS, 1 allows
  /// it, 2 leaves stage 2 to the SMMU. Config 0b100 acts as EATS 0 (§7.3.6, §7.3.8).
  private mutating func answerATS(
    _ request: SMMURequest, _ stream: UnsafeMutablePointer<StreamContext>
  ) -> SMMUAnswer? {
    // Safety: as `answer`.
    let kind = unsafe stream.pointee.kind
    let ats = unsafe stream.pointee.ats
    let allowed =
      options.features.ats && (ats == 1 || ats == 2)
      && kind != StreamContext.Kind.bypass
    if kind == StreamContext.Kind.abort { return request.kind == .atsRequest ? nil : aborted() }
    guard request.kind == .atsTranslated else {
      return allowed ? nil : fault(SMMUEvent.badATSRequest, request)
    }
    guard allowed else { return fault(SMMUEvent.translationForbidden, request) }
    if ats == 2 { return unsafe answerStage2(request, stream) }
    return SMMUAnswer(untranslated: request.address)
  }
}
