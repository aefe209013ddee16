/// SMMUv3 commands by opcode (IHI 0070, §4.1.3), and their 16 bytes as the log allows to rebuild
/// them. Bits that no line tells are 0: the StreamID of a prefetch, and the Leaf bit of CFGI_STE and
/// CFGI_CD (0 invalidates more, never less).
enum SMMUOpcode: UInt8 {
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
  case tlbiEL3All = 0x18
  case tlbiEL3VA = 0x1A
  case tlbiEL2All = 0x20
  case tlbiEL2ASID = 0x21
  case tlbiEL2VA = 0x22
  case tlbiEL2VAA = 0x23
  case tlbiS12VMAll = 0x28
  case tlbiS2IPA = 0x2A
  case tlbiNSNHAll = 0x30
  case atcInv = 0x40
  case priResponse = 0x41
  case resume = 0x44
  case stallTerminate = 0x45
  case sync = 0x46

  /// The name that `smmuv3_cmdq_opcode` prints, without "SMMU_CMD_" (QEMU hw/arm/smmuv3-internal.h).
  /// The frequent ones stand first.
  private static var names: [(StaticString, SMMUOpcode)] {
    [
      ("SYNC", .sync), ("TLBI_NH_VA", .tlbiNHVA), ("CFGI_STE", .cfgiSTE),
      ("TLBI_NH_ASID", .tlbiNHASID), ("PREFETCH_CONFIG", .prefetchConfig),
      ("CFGI_STE_RANGE", .cfgiSTERange), ("CFGI_CD", .cfgiCD), ("CFGI_CD_ALL", .cfgiCDAll),
      ("TLBI_NH_ALL", .tlbiNHAll), ("TLBI_NH_VAA", .tlbiNHVAA), ("TLBI_NSNH_ALL", .tlbiNSNHAll),
      ("TLBI_S12_VMALL", .tlbiS12VMAll), ("TLBI_S2_IPA", .tlbiS2IPA),
      ("PREFETCH_ADDR", .prefetchAddress), ("TLBI_EL3_ALL", .tlbiEL3All),
      ("TLBI_EL3_VA", .tlbiEL3VA), ("TLBI_EL2_ALL", .tlbiEL2All),
      ("TLBI_EL2_ASID", .tlbiEL2ASID), ("TLBI_EL2_VA", .tlbiEL2VA),
      ("TLBI_EL2_VAA", .tlbiEL2VAA), ("ATC_INV", .atcInv), ("PRI_RESP", .priResponse),
      ("RESUME", .resume), ("STALL_TERM", .stallTerminate),
    ]
  }

  /// The opcode that a command line names: "<--- SMMU_CMD_SYNC".
  init?(_ text: LineText) {
    guard text.has("<--- SMMU_CMD_", at: 0) else { return nil }
    let start = 14
    // The two that make up almost all lines, before the list.
    if text.count - start == 4, text.has("SYNC", at: start) {
      self = .sync
    } else if text.count - start == 10, text.has("TLBI_NH_VA", at: start) {
      self = .tlbiNHVA
    } else {
      for (name, opcode) in Self.names
      where text.count - start == name.utf8CodeUnitCount && text.has(name, at: start) {
        self = opcode
        return
      }
      return nil
    }
  }

  /// Whether a detail line with the operands follows the opcode line.
  var hasDetail: Bool {
    switch self {
    case .cfgiSTE, .cfgiSTERange, .cfgiCD, .cfgiCDAll, .tlbiNHAll, .tlbiNHASID, .tlbiNHVA,
      .tlbiNHVAA, .tlbiS12VMAll, .tlbiS2IPA, .tlbiNSNHAll:
      true
    default: false
    }
  }

  /// A command without operands, or whose operands the log does not tell.
  var bare: SMMUCommandWords { SMMUCommandWords(dword0: UInt64(rawValue), dword1: 0) }

  /// CFGI_STE, CFGI_CD, CFGI_CD_ALL: StreamID in DW0 63:32.
  func configuration(streamID: UInt32) -> SMMUCommandWords {
    SMMUCommandWords(dword0: UInt64(rawValue) | UInt64(streamID) << 32, dword1: 0)
  }

  /// CFGI_STE_RANGE: 2^(Range + 1) StreamIDs, Range in DW1 4:0; 31 is all (IHI 0070, §4.3.2).
  static func configurationRange(first: UInt32, last: UInt32) -> SMMUCommandWords? {
    let count = UInt64(last) &- UInt64(first) &+ 1
    guard last >= first, count & (count - 1) == 0, count >= 2 else { return nil }
    return SMMUCommandWords(
      dword0: UInt64(cfgiSTERange.rawValue) | UInt64(first) << 32,
      dword1: UInt64(count.trailingZeroBitCount - 1))
  }

  /// TLBI by VMID (DW0 47:32) and ASID (DW0 63:48).
  func invalidation(vmid: UInt16, asid: UInt16 = 0) -> SMMUCommandWords {
    SMMUCommandWords(
      dword0: UInt64(rawValue) | UInt64(vmid) << 32 | UInt64(asid) << 48, dword1: 0)
  }

  /// TLBI by address: NUM 16:12 and SCALE 24:20 of DW0 for (NUM + 1) × 2^SCALE pages when a granule
  /// TG (DW1 11:10) is given, TTL 9:8, Leaf 0, address 63:12 (IHI 0070, §4.4.1).
  func invalidation(_ range: RangeInvalidation) -> SMMUCommandWords? {
    var dword0 = UInt64(rawValue) | UInt64(range.vmid) << 32 | UInt64(range.asid ?? 0) << 48
    if range.granuleCode != 0 {
      guard range.pages > 0 else { return nil }
      let scale = UInt64(range.pages.trailingZeroBitCount)
      let factor = range.pages >> scale
      guard factor <= 32, scale <= 31 else { return nil }
      dword0 |= (factor - 1) << 12 | scale << 20
    }
    let dword1 =
      range.start & ~0xFFF | (range.isLeaf ? 1 : 0) | UInt64(range.ttl & 3) << 8
      | UInt64(range.granuleCode & 3) << 10
    return SMMUCommandWords(dword0: dword0, dword1: dword1)
  }
}

struct SMMUCommandWords: Equatable {
  var dword0: UInt64
  var dword1: UInt64
}
