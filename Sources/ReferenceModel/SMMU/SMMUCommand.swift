/// A command of the SMMU's command queue (IHI 0070, §4), as far as a Non-secure SMMU with one or
/// two stages takes it.
package enum SMMUCommand: Hashable, Sendable {
  case prefetchConfig(streamID: UInt32, substreamID: UInt32?)
  case prefetchAddress(streamID: UInt32, substreamID: UInt32?, address: UInt64, log2Pages: UInt8)
  /// `leaf`: level 1 descriptors may stay.
  case cfgiSTE(streamID: UInt32, leaf: Bool)
  /// 2^(range+1) StreamIDs around `streamID`; 31 is CFGI_ALL.
  case cfgiSTERange(streamID: UInt32, range: UInt8)
  case cfgiCD(streamID: UInt32, substreamID: UInt32, leaf: Bool)
  case cfgiCDAll(streamID: UInt32)
  case tlbiNHAll(vmid: UInt16)
  case tlbiNHASID(vmid: UInt16, asid: UInt16)
  case tlbiNHVA(vmid: UInt16, asid: UInt16, TLBIRange)
  case tlbiNHVAA(vmid: UInt16, TLBIRange)
  case tlbiEL2All
  case tlbiEL2ASID(asid: UInt16)
  case tlbiEL2VA(asid: UInt16, TLBIRange)
  case tlbiEL2VAA(TLBIRange)
  case tlbiS12VMAll(vmid: UInt16)
  case tlbiS2IPA(vmid: UInt16, TLBIRange)
  case tlbiNSNHAll
  /// 4096 << log2Pages bytes around `address`; 52 is everything.
  case atcInvalidate(
    streamID: UInt32, substreamID: UInt32?, global: Bool, address: UInt64, log2Pages: UInt8)
  case priResponse(streamID: UInt32, substreamID: UInt32?, group: UInt16, response: PRIResponse)
  case resume(streamID: UInt32, stag: UInt16, response: ResumeResponse)
  case stallTerminate(streamID: UInt32)
  case sync(CommandSync)

  package enum Opcode: UInt8, CaseIterable, Sendable {
    case prefetchConfig = 0x01
    case prefetchAddress = 0x02
    case cfgiSTE = 0x03
    case cfgiSTERange = 0x04
    case cfgiCD = 0x05
    case cfgiCDAll = 0x06
    case tlbiNHAll = 0x10
    case tlbiNHASID = 0x11
    case tlbiNHVA = 0x12
    case tlbiNHVAA = 0x13
    case tlbiEL2All = 0x20
    case tlbiEL2ASID = 0x21
    case tlbiEL2VA = 0x22
    case tlbiEL2VAA = 0x23
    case tlbiS12VMAll = 0x28
    case tlbiS2IPA = 0x2A
    case tlbiNSNHAll = 0x30
    case atcInvalidate = 0x40
    case priResponse = 0x41
    case resume = 0x44
    case stallTerminate = 0x45
    case sync = 0x46
  }

  package enum PRIResponse: UInt8, Hashable, Sendable {
    case failure = 0
    case invalid = 1
    case success = 2
  }
  /// Resp 13:12 of RESUME: bit 0 is Retry, bit 1 Abort; both at once are illegal.
  package enum ResumeResponse: UInt8, Hashable, Sendable {
    /// Ends with success: reads give zero, writes are ignored.
    case terminate = 0
    case retry = 1
    case abort = 2
  }

  package static let cfgiAll = SMMUCommand.cfgiSTERange(streamID: 0, range: 31)
}

/// CMD_SYNC: how its completion is told.
package struct CommandSync: Hashable, Sendable {
  package enum Signal: UInt8, Hashable, Sendable {
    case none = 0
    case interrupt, event
  }
  package var signal: Signal
  /// MSH, MSIAttr, MSIData and MSIAddress of a completion by message.
  package var shareability: UInt8
  package var attributes: UInt8
  package var data: UInt32
  package var address: UInt64

  package init(
    _ signal: Signal = .none, shareability: UInt8 = 0, attributes: UInt8 = 0, data: UInt32 = 0,
    address: UInt64 = 0
  ) {
    self.signal = signal
    self.shareability = shareability
    self.attributes = attributes
    self.data = data
    self.address = address
  }
}

/// Which addresses a TLBI covers (IHI 0070, §4.4.1.1).
///
/// With TG = 0 it is the one address, whatever granule and level. Otherwise (NUM+1) × 2^SCALE
/// granules, entries of that granule only, and with TTL ≠ 0 leaves of that level only. This model
/// removes exactly what a command must remove, never more, so that software that relies on more is
/// caught.
package struct TLBIRange: Hashable, Sendable {
  package var address: UInt64
  package var leaf: Bool
  /// 0 any, 1 4 KiB, 2 16 KiB, 3 64 KiB.
  package var tg: UInt8
  package var ttl: UInt8
  package var num: UInt8
  package var scale: UInt8

  package init(
    _ address: UInt64, leaf: Bool = false, tg: UInt8 = 0, ttl: UInt8 = 0, num: UInt8 = 0,
    scale: UInt8 = 0
  ) {
    self.address = address
    self.leaf = leaf
    self.tg = tg
    self.ttl = ttl
    self.num = num
    self.scale = scale
  }

  /// Level 1 has no leaf with 16 KiB, so the hint is no hint.
  package var effectiveTTL: UInt8 { tg == 2 && ttl == 1 ? 0 : ttl }

  /// The last address that is covered. It does not wrap.
  package var last: UInt64 {
    guard tg != 0 else { return address }
    let shift = UInt64(tg) * 2 + 10 + UInt64(scale)
    let bytes = shift < 58 ? UInt64(num + 1) << shift : .max
    let (end, overflow) = address.addingReportingOverflow(bytes - 1)
    return overflow ? .max : end
  }

  /// Whether an entry of this granule and leaf level is in scope.
  package func covers(granule: UInt8, level: Int) -> Bool {
    tg == 0 || tg == granule && (effectiveTTL == 0 || Int(effectiveTTL) == level)
  }

  /// Whether a remembered table descriptor of this level is in scope: those above the leaf, and
  /// none if the command is for leaves.
  package func coversTable(granule: UInt8, level: Int) -> Bool {
    guard !leaf else { return false }
    return tg == 0 || tg == granule && (effectiveTTL == 0 || level < Int(effectiveTTL))
  }
}

/// Why the queue stopped: CMDQ_CONS.ERR (IHI 0070, §7.1).
package enum SMMUCommandError: UInt8, Error, Hashable, Sendable {
  /// CERROR_ILL: unknown opcode, or a reserved combination.
  case illegal = 1
  /// CERROR_ABT: the command could not be read from memory.
  case abort = 2
  /// CERROR_ATC_INV_SYNC: an ATC invalidation did not complete.
  case atcInvalidateTimeout = 3
}
