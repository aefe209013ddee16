/// Everything but the first TLB probe: registers, configuration, ATS, the choice of a context, other
/// ways and page sizes, walks, faults.
///
/// Order of checks: SMMU enabled; StreamID in range; STE; SubstreamID; CD; input address against
/// T0SZ; walk, at each level validity, then output size; access flag; permission; and stage 2 in the
/// same order on every intermediate address (IHI 0070, §3.3.2, §3.4 and §15.1).
extension SMMUCore {
  typealias Stream = UnsafeMutablePointer<StreamContext>
  typealias Context = UnsafeMutablePointer<ContextEntry>

  /// Translates one access with everything that the architecture asks of it.
  package mutating func translate(_ request: SMMURequest) -> SMMUAnswer {
    counters.accesses &+= 1
    notes = AccessNotes()
    return SMMUAnswer(answer(request), notes, request)
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
      if let physical = unsafe resolveHit(lookup, address, need) {
        return SMMUTranslation(address: physical)
      }
    }
    return answer(SMMURequest(streamID, address, need))
  }

  /// An entry of another size or in another way, of a stream that the fast path serves.
  @inline(__always)
  private mutating func resolveHit(
    _ lookup: UnsafeMutablePointer<StreamLookup>, _ address: UInt64, _ need: UInt64
  ) -> UInt64? {
    // Safety: the pointer is to the entry of the stream.
    let key = unsafe lookup.pointee.key
    guard unsafe address < lookup.pointee.limit, !tlb.hasOnlyPlace(for: key & 0x3F),
      let line = unsafe tlb.find(address, space: key &>> 48)
    else { return nil }
    let data = unsafe line.pointee.data
    guard data & need == 0 else { return nil }
    unsafe prefer(line.pointee.shift, lookup)
    return address &+ (data & ~0xFFF)
  }

  /// The fast path found an entry that does not permit the access: a fault, or a page that hardware
  /// has to mark dirty.
  @usableFromInline
  @inline(never)
  mutating func denied(
    _ streamID: UInt32, _ address: UInt64, _ need: UInt64
  ) -> SMMUTranslation {
    answer(SMMURequest(streamID, address, need))
  }

  @inline(never)
  private mutating func answer(_ request: SMMURequest) -> SMMUTranslation {
    counters.resolved &+= 1
    self.request = request
    syndrome = SMMUFaultSyndrome()
    missedConfiguration = false
    if request.kind == .unsupported { return fault(SMMUEvent.unsupportedTransaction) }
    guard registers.isEnabled else { return answerDisabled() }
    if request.kind == .atsTranslated, !registers.checksATSTranslated {
      return SMMUTranslation(address: request.address)
    }
    guard request.streamID <= lastStreamID else { return fault(badStreamID()) }
    // Safety: `contexts` has `lastStreamID` + 1 entries.
    let stream = unsafe contexts + Int(request.streamID)
    if unsafe stream.pointee.kind == StreamContext.Kind.none {
      let number = fetchStream(request.streamID)
      if number != 0 { return fault(number) }
    }
    defer {
      if !streamOrder.isEnabled { forgetStreams(request.streamID, request.streamID) }
    }
    if request.kind != .untranslated, let answer = unsafe answerATS(stream) { return answer }
    if unsafe stream.pointee.kind == StreamContext.Kind.abort { return aborted() }
    guard unsafe stream.pointee.hasStage1 else {
      if request.substreamID != nil { return fault(SMMUEvent.badSubstreamID) }
      return unsafe answerBypass(stream)
    }
    if unsafe stream.pointee.substreamBits != 0 || request.substreamID != nil {
      return unsafe answerSubstream(stream)
    }
    return unsafe answer(0, stream)
  }

  /// What stage 1 is for the access: SubstreamID against S1CDMax and S1DSS (§5.2, §7.3.7, §7.3.9).
  private mutating func answerSubstream(_ stream: Stream) -> SMMUTranslation {
    // Safety: the pointer is to the stream of the access.
    let bits = unsafe UInt32(stream.pointee.substreamBits)
    let choice = unsafe stream.pointee.defaultSubstream
    if let substreamID = request.substreamID {
      guard bits != 0, substreamID >> bits == 0 else { return fault(SMMUEvent.badSubstreamID) }
      if choice == 2, substreamID == 0 { return fault(SMMUEvent.streamDisabled) }
      return unsafe answer(substreamID, stream)
    }
    if choice == 1 { return unsafe answerBypass(stream) }
    // 0 terminates, and the reserved 3 behaves as 0.
    return choice == 2 ? unsafe answer(0, stream) : fault(SMMUEvent.streamDisabled)
  }

  /// With the CD of an index.
  @inline(__always)
  private mutating func answer(_ index: UInt32, _ stream: Stream) -> SMMUTranslation {
    // Safety: as `answerSubstream`; the entry behind the last stream's is nobody's.
    let context = unsafe StreamContext.context(
      of: index == 0 ? stream : contexts + (Int(lastStreamID) + 1))
    if index != 0 {
      unsafe context.pointee = contextCache.find(request.streamID, index) ?? ContextEntry()
    }
    if unsafe !context.pointee.flags.contains(.isCached) {
      let number = unsafe fetchContext(index, stream, context)
      if number != 0 { return unsafe fault(number, stream) }
    }
    return unsafe answerStage1(stream, context, isDefault: request.substreamID == nil)
  }

  /// Stage 1 passes an address on if it fits IAS, or OAS without stage 2 (§3.4): they are equal.
  private mutating func answerBypass(_ stream: Stream) -> SMMUTranslation {
    // Safety: as `answerSubstream`.
    guard request.address >> UInt64(outputBits) == 0 else {
      return unsafe fault(fail(SMMUEvent.addressSize), stream)
    }
    guard unsafe stream.pointee.hasStage2 else {
      return SMMUTranslation(address: request.address)
    }
    return unsafe answerStage2(stream)
  }

  /// CR0.SMMUEN = 0 (§3.11): GBPA decides; an address beyond OAS aborts without an event.
  private mutating func answerDisabled() -> SMMUTranslation {
    switch request.kind {
    case .atsRequest: return fault(SMMUEvent.badATSRequest)
    case .atsTranslated: return fault(SMMUEvent.translationForbidden)
    default: break
    }
    let fits = request.address >> UInt64(outputBits) == 0
    if registers.abortsWhenDisabled || !fits { return aborted() }
    return SMMUTranslation(address: request.address)
  }

  /// ATS (§3.9.1): nil if the transaction goes on as an ordinary one. EATS 0 forbids ATS, 1 allows
  /// it, 2 leaves stage 2 to the SMMU. Config 0b100 acts as EATS 0 (§7.3.6, §7.3.8).
  private mutating func answerATS(_ stream: Stream) -> SMMUTranslation? {
    // Safety: as `answerSubstream`.
    let kind = unsafe stream.pointee.kind
    let ats = unsafe stream.pointee.ats
    let allowed =
      options.features.ats && (ats == 1 || ats == 2) && kind != StreamContext.Kind.bypass
    if kind == StreamContext.Kind.abort { return request.kind == .atsRequest ? nil : aborted() }
    guard request.kind == .atsTranslated else {
      return allowed ? nil : fault(SMMUEvent.badATSRequest)
    }
    guard allowed else { return fault(SMMUEvent.translationForbidden) }
    if ats == 2 { return unsafe answerStage2(stream) }
    return SMMUTranslation(address: request.address)
  }
}
