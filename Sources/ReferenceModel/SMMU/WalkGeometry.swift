package import EventModel

/// The shape of one stage's tables: where a walk starts, which address bits index each level, and
/// how wide an output may be (Arm ARM DDI 0487, D8.2 "Translation process").
package struct WalkGeometry: Hashable, Sendable {
  package var granule: Granule
  /// Width of the input address: 64 − TxSZ.
  package var inputBits: UInt64
  /// Effective output width: IPS or S2PS, capped to the implementation and the granule.
  package var outputBits: UInt64
  package var startLevel: Int

  /// Up to 16 start-level tables of stage 2 may lie side by side (D8.2.8).
  package static let maximumConcatenatedTables: UInt64 = 16

  /// The lowest address bit that indexes a table of `level`; a leaf there covers 2^shift bytes.
  package func shift(_ level: Int) -> UInt64 {
    granule.log2 + UInt64(3 - level) * granule.bitsPerLevel
  }

  /// Start tables that lie side by side. Stage 1 always has 1.
  package var concatenatedTables: UInt64 {
    let bits = inputBits - shift(startLevel)
    return bits > granule.bitsPerLevel ? 1 << (bits - granule.bitsPerLevel) : 1
  }

  package func index(_ address: UInt64, level: Int) -> UInt64 {
    let bits = level == startLevel ? inputBits - shift(level) : granule.bitsPerLevel
    return address.bits(shift(level) + bits - 1, shift(level))
  }

  package var levels: Int { 4 - startLevel }

  /// Bytes of the start table, concatenated tables included.
  package var rootSizeBytes: UInt64 { 8 << (inputBits - shift(startLevel)) }

  /// The start table is aligned to its size, and to 64 bytes at least (D8.2.8); lower bits of TTB
  /// are taken as zero.
  package func rootAddress(_ ttb: UInt64) -> UInt64 { ttb & ~(max(rootSizeBytes, 64) - 1) }

  /// A leaf above level 3: 1 GiB and 2 MiB; 32 MiB; 512 MiB and, with 52-bit output, 4 TiB.
  package func allowsBlock(_ level: Int) -> Bool {
    switch granule {
    case .kib4: level == 1 || level == 2
    case .kib16: level == 2
    case .kib64: level == 2 || level == 1 && outputBits == 52
    }
  }

  /// Adjacent leaves that the contiguous bit joins, as a power of two (D8.7.1): 16 with 4 KiB;
  /// 128 pages or 32 blocks with 16 KiB; 32 with 64 KiB.
  package func contiguousLog2(_ level: Int) -> UInt64 {
    switch granule {
    case .kib4: 4
    case .kib16: level == 3 ? 7 : 5
    case .kib64: 5
    }
  }
}

extension WalkGeometry {
  /// Stage 1: start level = 4 − ⌈(input bits − page bits) / bits per level⌉. Nil if T0SZ or TG0 is
  /// out of range (CDTxSZInvalid in IHI 0070, §5.4.2).
  package init?(stage1 cd: ContextDescriptor, _ smmu: SMMU.Identification) {
    guard let granule = Granule(tg0: cd.tg0) else { return nil }
    let minimum: UInt8 = granule == .kib64 && smmu.virtualAddresses52 ? 12 : 16
    guard cd.t0SZ >= minimum, cd.t0SZ <= 39 else { return nil }
    self.init(
      granule: granule, inputBits: 64 - UInt64(cd.t0SZ),
      outputBits: Self.effectiveOutput(cd.ips, granule, smmu))
  }

  package init(granule: Granule, inputBits: UInt64, outputBits: UInt64) {
    let indexed = inputBits - granule.log2
    let levels = (indexed + granule.bitsPerLevel - 1) / granule.bitsPerLevel
    self.init(
      granule: granule, inputBits: inputBits, outputBits: outputBits, startLevel: 4 - Int(levels))
  }

  /// Stage 2: S2SL0 names the start level, and the number of concatenated tables follows. Nil if
  /// the fields do not fit together (STEWalkConfigInconsistentAA64 in IHI 0070, §5.2.2).
  package init?(stage2 ste: StreamTableEntry, _ smmu: SMMU.Identification) {
    guard let granule = Granule(tg0: ste.s2TG), ste.s2SL0 < 3 else { return nil }
    // The input width is capped to IAS, which is OAS when only AArch64 tables exist (§3.4).
    let floor = granule == .kib64 ? 12 : 16
    let minimum = max(UInt64(floor), 64 - smmu.outputAddressBits)
    guard UInt64(ste.s2T0SZ) >= minimum, ste.s2T0SZ <= 39 else { return nil }
    self.init(
      granule: granule, inputBits: 64 - UInt64(ste.s2T0SZ),
      outputBits: Self.effectiveOutput(ste.s2PS, granule, smmu),
      startLevel: Self.startLevel(s2SL0: ste.s2SL0, granule))
    guard inputBits > shift(startLevel),
      concatenatedTables <= Self.maximumConcatenatedTables,
      ste.s2TTB >> outputBits == 0
    else { return nil }
  }

  /// 4 KiB: 0, 1, 2 mean level 2, 1, 0. 16 and 64 KiB: level 3, 2, 1.
  package static func startLevel(s2SL0: UInt8, _ granule: Granule) -> Int {
    (granule == .kib4 ? 2 : 3) - Int(s2SL0)
  }

  package static func s2SL0(startLevel: Int, _ granule: Granule) -> UInt8 {
    UInt8((granule == .kib4 ? 2 : 3) - startLevel)
  }

  /// 52 bits need the 64 KiB granule (FEAT_LPA without LPA2); the others stop at 48.
  private static func effectiveOutput(
    _ code: UInt8, _ granule: Granule, _ smmu: SMMU.Identification
  ) -> UInt64 {
    let bits = min(addressBits(sizeCode: code), smmu.outputAddressBits)
    return granule == .kib64 ? bits : min(bits, 48)
  }
}
