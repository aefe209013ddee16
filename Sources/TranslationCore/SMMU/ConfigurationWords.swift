/// Bits of a stream table entry, 64 bytes (IHI 0070, §5.2), and the values that Linux stores there
/// (drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3.c). `StreamContext` decodes all of it.
///
///     DW0  63:59 S1CDMax │ 51:6 S1ContextPtr │ 5:4 S1Fmt │ 3:1 Config │ 0 V
///     DW1  45:44 SHCFG │ 31:30 STRW │ 29:28 EATS │ 27 S1STALLD │ 7:6 S1CSH │ 5:4 S1COR │ 3:2 S1CIR
///          1:0 S1DSS
///     DW2  58 S2R │ 57 S2S │ 56 S2HA │ 55 S2HD │ 54 S2PTW │ 53 S2AFFD │ 52 S2ENDI │ 51 S2AA64
///          50:48 S2PS │ 47:46 S2TG │ 45:44 S2SH0 │ 43:42 S2OR0 │ 41:40 S2IR0 │ 39:38 S2SL0
///          37:32 S2T0SZ │ 15:0 S2VMID
///     DW3  51:4 S2TTB
enum StreamTableEntry {
  static let log2Bytes: UInt64 = 6
  static let valid: UInt64 = 1
  static let contextPointerMask: UInt64 = 0x000F_FFFF_FFFF_FFC0
  static func config(_ dword0: UInt64) -> UInt64 { dword0 >> 1 & 7 }

  static func dword0(config: UInt8, contextPointer: UInt64) -> UInt64 {
    valid | UInt64(config & 7) << 1 | contextPointer & contextPointerMask
  }
  /// Incoming shareability; with stage 1 a cacheable CD table, and S1DSS = 2.
  static func dword1(hasStage1: Bool) -> UInt64 {
    let table: UInt64 = 2 | 1 << 2 | 1 << 4 | 3 << 6
    return 1 << 44 | (hasStage1 ? table : 0)
  }
  /// Cacheable, inner shareable walks; AA64, PTW, R.
  static func dword2(
    vmid: UInt16, inputSize: UInt8, startField: UInt8, granuleField: UInt8, outputField: UInt8
  ) -> UInt64 {
    let low = UInt64(vmid) | UInt64(inputSize & 0x3F) << 32 | UInt64(startField & 3) << 38
    let high = UInt64(granuleField & 3) << 46 | UInt64(outputField & 7) << 48
    let walks: UInt64 = 1 << 40 | 1 << 42 | 3 << 44
    return low | high | walks | 1 << 51 | 1 << 54 | 1 << 58
  }

  /// S2SL0 counts from the deepest start: with 4 KiB 0 is level 2, with the others level 3.
  static func startLevel(field: UInt8, granuleShift: UInt8) -> UInt8? {
    let deepest: UInt8 = granuleShift == 12 ? 2 : 3
    return field <= 2 ? deepest - field : nil
  }
  static func startField(level: UInt8, granuleShift: UInt8) -> UInt8 {
    (granuleShift == 12 ? 2 : 3) &- level
  }
}

/// Bits of a context descriptor, 64 bytes (IHI 0070, §5.4), and the values that Linux stores there.
/// `ContextEntry` decodes all of it but memory attributes.
///
///     DW0  63:48 ASID │ 47 ASET │ 46 A │ 45 R │ 44 S │ 43 HA │ 42 HD │ 41 AA64 │ 38 TBI0 │ 35 AFFD
///          34:32 IPS │ 31 V │ 30 EPD1 │ 15 ENDI │ 14 EPD0 │ 13:12 SH0 │ 11:10 OR0 │ 9:8 IR0
///          7:6 TG0 │ 5:0 T0SZ
///     DW1  51:4 TTB0 │ 1 HAD0
///     DW3  MAIR
enum ContextDescriptor {
  static let log2Bytes: UInt64 = 6
  static let valid: UInt64 = 1 << 31
  static func dword0(asid: UInt16, inputSize: UInt8, granuleField: UInt8, outputField: UInt8)
    -> UInt64
  {
    let low = UInt64(inputSize & 0x3F) | UInt64(granuleField & 3) << 6 | 1 << 30 | valid
    let walks: UInt64 = 1 << 8 | 1 << 10 | 3 << 12
    let control: UInt64 = 1 << 41 | 1 << 45 | 1 << 46 | 1 << 47
    return low | walks | UInt64(outputField & 7) << 32 | control | UInt64(asid) << 48
  }
  /// Linux's MAIR: non-cacheable, write-back, device nGnRE, write-back for instructions
  /// (drivers/iommu/io-pgtable-arm.c, arm_64_lpae_alloc_pgtable_s1).
  static let mair: UInt64 = 0xF404_FF44
}

/// Encodings that STE and CD share.
enum AddressField {
  /// TG0 and S2TG: 0 is 4 KiB, 1 is 64 KiB, 2 is 16 KiB; 3 is reserved.
  static func granuleShift(_ field: UInt64) -> UInt8? {
    switch field & 3 {
    case 0: 12
    case 1: 16
    case 2: 14
    default: nil
    }
  }
  static func granuleField(shift: UInt8) -> UInt8 {
    shift == 12 ? 0 : shift == 16 ? 1 : 2
  }
  /// IPS and S2PS; 7 is reserved and read as the largest.
  static func bits(_ field: UInt64) -> UInt8 {
    UInt8(truncatingIfNeeded: 0x3434_302C_2A28_2420 as UInt64 >> ((field & 7) << 3))
  }
  /// The smallest code whose width is at least `bits`.
  static func field(bits width: UInt8) -> UInt8 {
    UInt8((0..<6).first { bits($0) >= width } ?? 6)
  }
  /// A width as it takes effect: capped to the implementation's, and to 48 bits where the granule is
  /// not 64 KiB (FEAT_LPA without LPA2).
  static func effectiveBits(_ field: UInt64, granuleShift: UInt8, _ implemented: UInt8) -> UInt8 {
    min(bits(field), implemented, granuleShift == 16 ? 52 : 48)
  }
  /// 64 − TxSZ when the architecture allows the size: 25…48 bits, 52 with the 64 KiB granule.
  static func inputBits(size: UInt64, granuleShift: UInt8) -> UInt8? {
    let size = UInt8(size & 0x3F)
    return size >= (granuleShift == 16 ? 12 : 16) && size <= 39 ? 64 - size : nil
  }
}
