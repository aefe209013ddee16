import EventModel

// What each command removes from which cache (IHI 0070, §4.3 and §4.4).

extension SMMU {
  /// Executes one command given as its two doublewords.
  ///
  /// - Throws: `.illegal`, with no effect. A queue stops there; see `SMMUCommandQueue`.
  package mutating func command(_ dw0: UInt64, _ dw1: UInt64) throws(SMMUCommandError) {
    counters.smmuCommands += 1
    try execute(try SMMUCommand(dw0, dw1))
  }

  package mutating func execute(_ command: SMMUCommand) throws(SMMUCommandError) {
    switch command {
    // Prefetching is a hint, and this model prefetches nothing.
    case .prefetchConfig, .prefetchAddress: break
    case .cfgiSTE(let streamID, _): forgetSTEs(streamID...streamID)
    case .cfgiSTERange(let streamID, let range):
      let log2 = UInt64(range) + 1
      let first = AddressSpan(around: UInt64(streamID), log2: UInt8(log2)).base
      forgetSTEs(UInt32(first)...UInt32(first + (1 << log2 - 1)))
    case .cfgiCD(let streamID, let substreamID, _):
      caches.cds[StreamContext(streamID: streamID, index: substreamID)] = nil
    case .cfgiCDAll(let streamID): caches.cds = caches.cds.filter { $0.key.streamID != streamID }
    case .tlbiNHAll(let vmid): forgetStage1 { $0.world == .nsEL1 && $0.vmid == vmid }
    case .tlbiNHASID(let vmid, let asid):
      // Global entries have no ASID and stay.
      forgetStage1 { $0 == AddressSpace(.nsEL1, vmid: vmid, asid: asid) }
    case .tlbiNHVA(let vmid, let asid, let range):
      forget(range) {
        $0.world == .nsEL1 && $0.vmid == vmid && ($0.asid == asid || $0.asid == nil)
      }
    case .tlbiNHVAA(let vmid, let range):
      forget(range) { $0.world == .nsEL1 && $0.vmid == vmid }
    case .tlbiEL2All: forgetStage1 { $0.world != .nsEL1 }
    case .tlbiEL2ASID(let asid): forgetStage1 { $0.world == .el2E2H && $0.asid == asid }
    case .tlbiEL2VA(let asid, let range):
      let world: StreamWorld = registers.e2h ? .el2E2H : .el2
      forget(range) {
        $0.world == world && ($0.asid == asid || $0.asid == nil)
      }
    case .tlbiEL2VAA(let range):
      let world: StreamWorld = registers.e2h ? .el2E2H : .el2
      forget(range) { $0.world == world }
    case .tlbiS12VMAll(let vmid):
      forgetStage1 { $0.world == .nsEL1 && $0.vmid == vmid }
      forgetStage2 { $0 == vmid }
    case .tlbiS2IPA(let vmid, let range): forgetIPA(range, vmid)
    case .tlbiNSNHAll:
      forgetStage1 { $0.world == .nsEL1 }
      forgetStage2 { _ in true }
    case .atcInvalidate:
      guard identification.ats else { throw .illegal }
      atcInvalidations += 1
    case .priResponse: break
    case .resume(let streamID, let stag, let response): resume(streamID, stag, response)
    case .stallTerminate(let streamID):
      for (stag, transaction) in stalls.waiting where transaction.streamID == streamID {
        end(stag, .aborted)
      }
    // Commands complete in order here, so everything before a SYNC is done.
    case .sync: synchronizations += 1
    }
  }

  /// CFGI_STE also removes the CDs that were found through the stream (§4.3.1).
  private mutating func forgetSTEs(_ streamIDs: ClosedRange<UInt32>) {
    caches.stes = caches.stes.filter { !streamIDs.contains($0.key) }
    caches.cds = caches.cds.filter { !streamIDs.contains($0.key.streamID) }
  }

  /// Everything that holds stage 1 information: combined entries and stage 1 table descriptors.
  private mutating func forgetStage1(_ matches: (AddressSpace) -> Bool) {
    caches.iotlb.remove(where: matches)
    caches.stage1Walk.remove(where: matches)
  }

  private mutating func forgetStage2(_ matches: (UInt16) -> Bool) {
    caches.stage2TLB.remove(where: matches)
    caches.stage2Walk.remove(where: matches)
  }

  private mutating func forget(
    _ range: TLBIRange, _ matches: (AddressSpace) -> Bool
  ) {
    let range = effective(range)
    caches.iotlb.remove(first: range.address, last: range.last, where: matches) {
      range.covers(granule: $0.granule.rawValue, level: $0.level)
    }
    caches.stage1Walk.remove(first: range.address, last: range.last, where: matches) {
      range.coversTable(granule: $0.granule.rawValue, level: $0.level)
    }
  }

  /// Combined entries stay: software follows with NH_ALL or NH_VAA (§4.4.3.1).
  private mutating func forgetIPA(_ range: TLBIRange, _ vmid: UInt16) {
    let range = effective(range)
    let matches = { (tag: UInt16) in tag == vmid }
    caches.stage2TLB.remove(first: range.address, last: range.last, where: matches) {
      range.covers(granule: $0.granule.rawValue, level: $0.level)
    }
    caches.stage2Walk.remove(first: range.address, last: range.last, where: matches) {
      range.coversTable(granule: $0.granule.rawValue, level: $0.level)
    }
  }

  /// Without IDR3.RIL the range fields are reserved; this model ignores them then.
  private func effective(_ range: TLBIRange) -> TLBIRange {
    identification.rangeInvalidation ? range : TLBIRange(range.address, leaf: range.leaf)
  }

  private mutating func resume(
    _ streamID: UInt32, _ stag: UInt16, _ response: SMMUCommand.ResumeResponse
  ) {
    // A RESUME that names no stalled transaction of the stream has no effect (§4.7.1).
    guard let transaction = stalls.waiting[stag], transaction.streamID == streamID else { return }
    switch response {
    case .abort: end(stag, .aborted)
    case .terminate: end(stag, .readZeroWriteIgnored)
    case .retry:
      stalls.waiting[stag] = nil
      let result = translate(
        streamID: transaction.streamID, substreamID: transaction.substreamID,
        address: transaction.address, access: transaction.access)
      stalls.resolved[stag] = .retried(result)
    }
  }

  private mutating func end(_ stag: UInt16, _ resolution: StalledTransactions.Resolution) {
    stalls.waiting[stag] = nil
    stalls.resolved[stag] = resolution
  }
}
