import EventModel

// StreamID → STE → CD (IHI 0070, §3.3.2 and §5).

extension SMMU {
  /// The order of checks: range of the StreamID, level 1 descriptor, STE fetch, STE validity.
  mutating func fetchSTE(_ transaction: Transaction) throws(SMMUFault) -> StreamTableEntry {
    let streamID = transaction.streamID
    if caches.enabled.contains(.ste) {
      let cached = caches.stes[streamID]
      work.ste.count(hit: cached != nil)
      if let cached { return cached }
    }
    let address = try steAddress(transaction)
    guard let dwords = load(address, count: 8) else {
      throw transaction.fault(.steFetch, fetching: address)
    }
    work.steReads += 1
    let ste = StreamTableEntry(dwords)
    if ste.isIllegal(for: identification) { throw transaction.fault(.badSTE) }
    caches.remember(ste, streamID)
    return ste
  }

  private mutating func steAddress(_ transaction: Transaction) throws(SMMUFault) -> UInt64 {
    let streamID = UInt64(transaction.streamID)
    let bits = min(registers.log2Size, identification.streamIDBits)
    guard streamID >> bits == 0 else { throw badStreamID(transaction) }
    // The table is aligned to its size; lower bits of the base are taken as zero (§6.3.24).
    guard registers.format == .twoLevel, registers.log2Size > registers.split else {
      let size = StreamTableEntry.sizeBytes << registers.log2Size
      return (registers.streamTableBase & ~(size - 1)) + streamID * StreamTableEntry.sizeBytes
    }
    let split = UInt64(registers.split)
    let size = max(
      StreamTableLevel1Descriptor.sizeBytes << (registers.log2Size - registers.split), 64)
    let address =
      (registers.streamTableBase & ~(size - 1))
      + (streamID >> split) * StreamTableLevel1Descriptor.sizeBytes
    guard let dwords = load(address, count: 1) else {
      throw transaction.fault(.steFetch, fetching: address)
    }
    work.level1StreamTableReads += 1
    // §7.3.3: Span 0, more than SPLIT + 1, or an index beyond 2^(Span−1).
    let descriptor = StreamTableLevel1Descriptor(dwords[0])
    let index = streamID & ((1 << split) - 1)
    guard descriptor.span != 0, descriptor.span <= registers.split + 1,
      index >> (descriptor.span - 1) == 0
    else { throw badStreamID(transaction) }
    return descriptor.l2Ptr + index * StreamTableEntry.sizeBytes
  }

  private func badStreamID(_ transaction: Transaction) -> SMMUFault {
    var fault = transaction.fault(.badStreamID)
    fault.isRecorded = registers.recordsInvalidStreamIDs
    return fault
  }

  /// Where stage 1 takes its tables from.
  enum ContextSelection: Equatable {
    case bypass
    case index(UInt32)
  }

  /// SubstreamID against S1CDMax and S1DSS (§5.2, §7.3.7, §7.3.9).
  func selectContext(
    _ ste: StreamTableEntry, _ transaction: Transaction
  ) throws(SMMUFault) -> ContextSelection {
    guard ste.stage1Translates else {
      if transaction.substreamID != nil { throw transaction.fault(.badSubstreamID) }
      return .bypass
    }
    if let substreamID = transaction.substreamID {
      guard ste.s1CDMax != 0, substreamID >> ste.s1CDMax == 0 else {
        throw transaction.fault(.badSubstreamID)
      }
      if ste.s1DSS == 2 && substreamID == 0 { throw transaction.fault(.streamDisabled) }
      return .index(substreamID)
    }
    guard ste.s1CDMax != 0 else { return .index(0) }
    switch ste.s1DSS {
    case 1: return .bypass
    case 2: return .index(0)
    // 0 terminates, and the reserved 3 behaves as 0.
    default: throw transaction.fault(.streamDisabled)
    }
  }

  mutating func fetchCD(
    _ index: UInt32, _ ste: StreamTableEntry, _ transaction: Transaction
  ) throws(SMMUFault) -> ContextDescriptor {
    let context = StreamContext(streamID: transaction.streamID, index: index)
    if caches.enabled.contains(.cd) {
      let cached = caches.cds[context]
      work.cd.count(hit: cached != nil)
      if let cached { return cached }
    }
    let address = try cdAddress(UInt64(index), ste, transaction)
    let dwords = try loadContext(address, count: 8, ste, transaction)
    work.cdReads += 1
    let cd = ContextDescriptor(dwords)
    if cd.isIllegal(under: ste, e2h: registers.e2h, for: identification) {
      throw transaction.fault(.badCD)
    }
    caches.remember(cd, context)
    return cd
  }

  /// Linear: base + index × 64. Two-level: 64 or 1,024 CDs per leaf table.
  private mutating func cdAddress(
    _ index: UInt64, _ ste: StreamTableEntry, _ transaction: Transaction
  ) throws(SMMUFault) -> UInt64 {
    let leafBits: UInt64
    switch ste.s1Fmt {
    case 1 where ste.s1CDMax != 0: leafBits = 6
    case 2 where ste.s1CDMax != 0: leafBits = 10
    // The reserved 3 behaves as linear, and a single CD is never in two levels (§5.2 S1Fmt).
    default: return ste.s1ContextPtr + index * ContextDescriptor.sizeBytes
    }
    let address =
      ste.s1ContextPtr + (index >> leafBits) * ContextTableLevel1Descriptor.sizeBytes
    let dwords = try loadContext(address, count: 1, ste, transaction)
    work.level1ContextTableReads += 1
    let descriptor = ContextTableLevel1Descriptor(dwords[0])
    guard descriptor.v, descriptor.l2Ptr >> identification.outputAddressBits == 0 else {
      var fault = transaction.fault(.badSubstreamID)
      fault.record.substreamID = UInt32(index)
      throw fault
    }
    return descriptor.l2Ptr + (index & ((1 << leafBits) - 1)) * ContextDescriptor.sizeBytes
  }

  /// Reads a CD or its level 1 descriptor; the address is an IPA if stage 2 translates too.
  private mutating func loadContext(
    _ address: UInt64, count: UInt64, _ ste: StreamTableEntry, _ transaction: Transaction
  ) throws(SMMUFault) -> [UInt64] {
    var physical = address
    if ste.stage2Translates {
      physical = try translateStage2(address, .cdFetch, .read, ste, transaction).address
    }
    guard let dwords = load(physical, count: count) else {
      throw transaction.fault(.cdFetch, fetching: physical)
    }
    return dwords
  }

  /// Nil if the bus answers with an error. One structure is one read, whatever its size.
  func load(_ address: UInt64, count: UInt64) -> [UInt64]? {
    guard address >> identification.outputAddressBits == 0,
      memory.isAccessible(address, sizeBytes: count * 8)
    else { return nil }
    return (0..<count).map { memory.load(at: address + $0 * 8) }
  }
}
