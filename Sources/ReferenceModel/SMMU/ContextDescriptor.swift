/// A context descriptor: stage 1 of one address space (IHI 0070, §5.4).
///
///     DW0   T0SZ 5:0 · TG0 7:6 · IR0 9:8 · OR0 11:10 · SH0 13:12 · EPD0 14 · ENDI 15 · EPD1 30
///           V 31 · IPS 34:32 · AFFD 35 · TBI0 38 · AA64 41 · HD 42 · HA 43 · S 44 · R 45 · A 46
///           ASET 47 · ASID 63:48
///     DW1   HAD0 1 · TTB0 51:4 (in place)
///     DW3   MAIR
///
/// The upper half of the address space (T1SZ, TTB1) is not modelled: DMA never uses it, Linux sets
/// EPD1, and so does every CD of this model. An access to that half is a translation fault.
package struct ContextDescriptor: Hashable, Sendable {
  package static let sizeBytes: UInt64 = 64

  package var v = true
  package var t0SZ: UInt8 = 16
  /// 0 is 4 KiB, 1 is 64 KiB, 2 is 16 KiB.
  package var tg0: UInt8 = 0
  package var ir0: UInt8 = 0
  package var or0: UInt8 = 0
  package var sh0: UInt8 = 0
  package var epd0 = false
  package var endi = false
  package var epd1 = true
  package var ips: UInt8 = 5
  package var affd = false
  package var tbi0 = false
  package var aa64 = true
  package var hd = false
  package var ha = false
  package var s = false
  package var r = true
  package var a = true
  package var aset = false
  package var asid: UInt16 = 0
  package var had0 = false
  package var ttb0: UInt64 = 0
  package var mair: UInt64 = 0

  package init() {}

  package init(_ dwords: [UInt64]) {
    precondition(dwords.count == 8, "a CD is eight doublewords")
    let dw0 = dwords[0]
    v = dw0.bit(31)
    t0SZ = UInt8(dw0.bits(5, 0))
    tg0 = UInt8(dw0.bits(7, 6))
    ir0 = UInt8(dw0.bits(9, 8))
    or0 = UInt8(dw0.bits(11, 10))
    sh0 = UInt8(dw0.bits(13, 12))
    epd0 = dw0.bit(14)
    endi = dw0.bit(15)
    epd1 = dw0.bit(30)
    ips = UInt8(dw0.bits(34, 32))
    affd = dw0.bit(35)
    tbi0 = dw0.bit(38)
    aa64 = dw0.bit(41)
    hd = dw0.bit(42)
    ha = dw0.bit(43)
    s = dw0.bit(44)
    r = dw0.bit(45)
    a = dw0.bit(46)
    aset = dw0.bit(47)
    asid = UInt16(dw0.bits(63, 48))
    had0 = dwords[1].bit(1)
    ttb0 = dwords[1].bits(51, 4) << 4
    mair = dwords[3]
  }

  package var dwords: [UInt64] {
    let walk: UInt64 =
      .field(t0SZ, 5, 0) | .field(tg0, 7, 6) | .field(ir0, 9, 8) | .field(or0, 11, 10)
      | .field(sh0, 13, 12) | .field(epd0, 14) | .field(endi, 15) | .field(epd1, 30)
    let control: UInt64 =
      .field(v, 31) | .field(ips, 34, 32) | .field(affd, 35) | .field(tbi0, 38) | .field(aa64, 41)
      | .field(hd, 42) | .field(ha, 43) | .field(s, 44) | .field(r, 45) | .field(a, 46)
    let identity: UInt64 = .field(aset, 47) | .field(asid, 63, 48)
    return [
      walk | control | identity, .field(had0, 1) | .field(ttb0 >> 4, 51, 4), 0, mair, 0, 0, 0, 0,
    ]
  }

  /// EPD0 has no effect at EL2 without EL0: it counts as zero there (IHI 0070, §5.4 EPD0).
  package func disablesWalks(in world: StreamWorld) -> Bool { epd0 && world != .el2 }

  /// Whether the SMMU refuses the descriptor with C_BAD_CD (IHI 0070, §5.4.2, CdIllegal).
  package func isIllegal(
    under ste: StreamTableEntry, e2h: Bool, for smmu: SMMU.Identification
  ) -> Bool {
    // AArch32 tables are not implemented (IDR0.TTF = 2).
    guard v, aa64 else { return true }
    if s && (ste.s1STALLD || !smmu.stallModelSelectable) { return true }
    if ha && !smmu.updatesAccessFlag || hd && !smmu.updatesDirtyState { return true }
    if disablesWalks(in: ste.streamWorld(e2h: e2h)) { return false }
    guard !endi, let geometry = WalkGeometry(stage1: self, smmu) else { return true }
    return ttb0 >> geometry.outputBits != 0
  }
}

/// An entry of the first level of a two-level CD table (IHI 0070, §5.3): V 0, L2Ptr 51:12.
package struct ContextTableLevel1Descriptor: Hashable, Sendable {
  package static let sizeBytes: UInt64 = 8

  package var v: Bool
  package var l2Ptr: UInt64

  package init(v: Bool, l2Ptr: UInt64) {
    self.v = v
    self.l2Ptr = l2Ptr
  }

  package init(_ dword: UInt64) { self.init(v: dword.bit(0), l2Ptr: dword.bits(51, 12) << 12) }

  package var dword: UInt64 { .field(v, 0) | .field(l2Ptr >> 12, 51, 12) }
}
