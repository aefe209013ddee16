/// A stream table entry: what the SMMU does with the transactions of one StreamID (IHI 0070, §5.2).
///
/// Fields have the specification's names. Only those that this model acts on, or that software of
/// the recordings writes, are kept; the rest of the 64 bytes is zero.
///
///     DW0   V 0 · Config 3:1 · S1Fmt 5:4 · S1ContextPtr 51:6 (in place) · S1CDMax 63:59
///     DW1   S1DSS 1:0 · S1CIR 3:2 · S1COR 5:4 · S1CSH 7:6 · MEV 19 · S2FWB 25 · S1STALLD 27
///           EATS 29:28 · STRW 31:30 · SHCFG 45:44
///     DW2   S2VMID 15:0 · S2T0SZ 37:32 · S2SL0 39:38 · S2IR0 41:40 · S2OR0 43:42 · S2SH0 45:44
///           S2TG 47:46 · S2PS 50:48 · S2AA64 51 · S2ENDI 52 · S2AFFD 53 · S2PTW 54 · S2HD 55
///           S2HA 56 · S2S 57 · S2R 58
///     DW3   S2TTB 51:4 (in place)
package struct StreamTableEntry: Hashable, Sendable {
  package static let sizeBytes: UInt64 = 64

  package var v = true
  /// Bit 2: not aborted; bit 1: stage 2 translates; bit 0: stage 1 translates.
  package var config: UInt8 = 0
  /// 0 linear; 1 two-level with 4 KiB leaves (64 CDs); 2 two-level with 64 KiB leaves (1,024 CDs).
  package var s1Fmt: UInt8 = 0
  /// A physical address, or an intermediate one when both stages translate.
  package var s1ContextPtr: UInt64 = 0
  package var s1CDMax: UInt8 = 0
  package var s1DSS: UInt8 = 0
  package var s1CIR: UInt8 = 0
  package var s1COR: UInt8 = 0
  package var s1CSH: UInt8 = 0
  package var mev = false
  package var s2FWB = false
  package var s1STALLD = false
  package var eats: UInt8 = 0
  package var strw: UInt8 = 0
  package var shcfg: UInt8 = 0
  package var s2VMID: UInt16 = 0
  package var s2T0SZ: UInt8 = 0
  package var s2SL0: UInt8 = 0
  package var s2IR0: UInt8 = 0
  package var s2OR0: UInt8 = 0
  package var s2SH0: UInt8 = 0
  package var s2TG: UInt8 = 0
  package var s2PS: UInt8 = 0
  package var s2AA64 = false
  package var s2ENDI = false
  package var s2AFFD = false
  package var s2PTW = false
  package var s2HD = false
  package var s2HA = false
  package var s2S = false
  package var s2R = false
  package var s2TTB: UInt64 = 0

  package init(config: UInt8 = 0) { self.config = config }
}

/// The values of STE.Config that software writes. 1, 2 and 3 are reserved and abort too.
extension StreamTableEntry {
  package static let abort: UInt8 = 0b000
  package static let bypass: UInt8 = 0b100
  package static let stage1: UInt8 = 0b101
  package static let stage2: UInt8 = 0b110
  package static let nested: UInt8 = 0b111

  package var aborts: Bool { config & 0b100 == 0 }
  package var stage1Translates: Bool { config & 0b101 == 0b101 }
  package var stage2Translates: Bool { config & 0b110 == 0b110 }
}

extension StreamTableEntry {
  package init(_ dwords: [UInt64]) {
    precondition(dwords.count == 8, "an STE is eight doublewords")
    let (dw0, dw1, dw2, dw3) = (dwords[0], dwords[1], dwords[2], dwords[3])
    v = dw0.bit(0)
    config = UInt8(dw0.bits(3, 1))
    s1Fmt = UInt8(dw0.bits(5, 4))
    s1ContextPtr = dw0.bits(51, 6) << 6
    s1CDMax = UInt8(dw0.bits(63, 59))

    s1DSS = UInt8(dw1.bits(1, 0))
    s1CIR = UInt8(dw1.bits(3, 2))
    s1COR = UInt8(dw1.bits(5, 4))
    s1CSH = UInt8(dw1.bits(7, 6))
    mev = dw1.bit(19)
    s2FWB = dw1.bit(25)
    s1STALLD = dw1.bit(27)
    eats = UInt8(dw1.bits(29, 28))
    strw = UInt8(dw1.bits(31, 30))
    shcfg = UInt8(dw1.bits(45, 44))

    s2VMID = UInt16(dw2.bits(15, 0))
    s2T0SZ = UInt8(dw2.bits(37, 32))
    s2SL0 = UInt8(dw2.bits(39, 38))
    s2IR0 = UInt8(dw2.bits(41, 40))
    s2OR0 = UInt8(dw2.bits(43, 42))
    s2SH0 = UInt8(dw2.bits(45, 44))
    s2TG = UInt8(dw2.bits(47, 46))
    s2PS = UInt8(dw2.bits(50, 48))
    s2AA64 = dw2.bit(51)
    s2ENDI = dw2.bit(52)
    s2AFFD = dw2.bit(53)
    s2PTW = dw2.bit(54)
    s2HD = dw2.bit(55)
    s2HA = dw2.bit(56)
    s2S = dw2.bit(57)
    s2R = dw2.bit(58)

    s2TTB = dw3.bits(51, 4) << 4
  }

  package var dwords: [UInt64] {
    let dw0: UInt64 =
      .field(v, 0) | .field(config, 3, 1) | .field(s1Fmt, 5, 4)
      | .field(s1ContextPtr >> 6, 51, 6) | .field(s1CDMax, 63, 59)
    let dw1: UInt64 =
      .field(s1DSS, 1, 0) | .field(s1CIR, 3, 2) | .field(s1COR, 5, 4) | .field(s1CSH, 7, 6)
      | .field(mev, 19) | .field(s2FWB, 25) | .field(s1STALLD, 27) | .field(eats, 29, 28)
      | .field(strw, 31, 30) | .field(shcfg, 45, 44)
    let sizes: UInt64 =
      .field(s2VMID, 15, 0) | .field(s2T0SZ, 37, 32) | .field(s2SL0, 39, 38)
      | .field(s2IR0, 41, 40) | .field(s2OR0, 43, 42) | .field(s2SH0, 45, 44)
      | .field(s2TG, 47, 46) | .field(s2PS, 50, 48)
    let flags: UInt64 =
      .field(s2AA64, 51) | .field(s2ENDI, 52) | .field(s2AFFD, 53) | .field(s2PTW, 54)
      | .field(s2HD, 55) | .field(s2HA, 56) | .field(s2S, 57) | .field(s2R, 58)
    return [dw0, dw1, sizes | flags, .field(s2TTB >> 4, 51, 4), 0, 0, 0, 0]
  }
}

/// An entry of the first level of a two-level stream table (IHI 0070, §5.1): Span 4:0, L2Ptr 51:6.
package struct StreamTableLevel1Descriptor: Hashable, Sendable {
  package static let sizeBytes: UInt64 = 8

  /// 0: no table; n: a table of 2^(n−1) STEs.
  package var span: UInt8
  package var l2Ptr: UInt64

  package init(span: UInt8, l2Ptr: UInt64) {
    self.span = span
    self.l2Ptr = l2Ptr
  }

  package init(_ dword: UInt64) {
    self.init(span: UInt8(dword.bits(4, 0)), l2Ptr: dword.bits(51, 6) << 6)
  }

  package var dword: UInt64 { .field(span, 4, 0) | .field(l2Ptr >> 6, 51, 6) }
}
