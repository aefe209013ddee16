import EventModel

/// What a TLBI command of several pages covers (IHI 0070, §4.4.1.1): (NUM + 1) × 2^SCALE granules from its
/// address. Nil for any other command.
struct InvalidationRange {
  let base: UInt64
  let bytes: UInt64
  let granule: Granule

  init?(_ event: TraceEvent) {
    guard event.kind == .smmuCommand, let opcode = SMMUOpcode(rawValue: UInt8(event.word0 & 0xFF)),
      opcode.namesAddress,
      let granule = Granule(rawValue: UInt8(event.word1 >> 10 & 3))
    else { return nil }
    let count = (event.word0 >> 12 & 0x1F) + 1
    self.granule = granule
    bytes = count << ((event.word0 >> 20 & 0x1F) + UInt64(granule.log2Bytes))
    base = event.word1 & ~0xFFF
  }

  /// The range as aligned blocks, the largest that fit, in rising order. A permutation carries each to a
  /// block, but the range to no range.
  func forEachBlock(_ body: (_ base: UInt64, _ log2Bytes: UInt32) -> Void) {
    var (base, rest) = (base, bytes)
    while rest > 0 {
      let log2 = min(base.trailingZeroBitCount, 63 - rest.leadingZeroBitCount)
      body(base, UInt32(log2))
      let (next, overflow) = base.addingReportingOverflow(1 << UInt64(log2))
      if overflow { return }
      base = next
      rest -= 1 << UInt64(log2)
    }
  }
}

extension SMMUOpcode {
  /// A TLBI by address.
  var namesAddress: Bool {
    switch self {
    case .tlbiNHVA, .tlbiNHVAA, .tlbiEL3VA, .tlbiEL2VA, .tlbiEL2VAA, .tlbiS2IPA: true
    default: false
    }
  }

  /// DW0 63:32 is a StreamID.
  var namesStream: Bool {
    switch self {
    case .prefetchConfig, .prefetchAddress, .cfgiSTE, .cfgiSTERange, .cfgiCD, .cfgiCDAll, .atcInv,
      .priResponse, .resume, .stallTerminate:
      true
    default: false
    }
  }
}
