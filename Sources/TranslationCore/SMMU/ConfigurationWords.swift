/// Bits of a stream table entry, 64 bytes, of which dwords 0, 2 and 3 are used (IHI 0070, §5.2).
///
///     DW0  63:59 S1CDMax │ 51:6 S1ContextPtr │ 5:4 S1Fmt │ 3:1 Config │ 0 V
///     DW2  58 S2R │ 51 S2AA64 │ 50:48 S2PS │ 47:46 S2TG │ 39:38 S2SL0 │ 37:32 S2T0SZ │ 15:0 S2VMID
///     DW3  51:4 S2TTB
enum StreamTableEntry {
  static let log2Bytes: UInt64 = 6
  static let valid: UInt64 = 1
  static let contextPointerMask: UInt64 = 0x000F_FFFF_FFFF_FFC0
  static func config(_ dword0: UInt64) -> UInt64 { dword0 >> 1 & 7 }

  static func dword0(config: UInt8, contextPointer: UInt64) -> UInt64 {
    valid | UInt64(config & 7) << 1 | contextPointer & contextPointerMask
  }
  static func dword2(
    vmid: UInt16, inputSize: UInt8, startField: UInt8, granuleField: UInt8, outputField: UInt8
  ) -> UInt64 {
    let low = UInt64(vmid) | UInt64(inputSize & 0x3F) << 32 | UInt64(startField & 3) << 38
    let high = UInt64(granuleField & 3) << 46 | UInt64(outputField & 7) << 48
    return low | high | 1 << 51 | 1 << 58
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

/// Bits of a context descriptor, of which dwords 0 and 1 are used (IHI 0070, §5.4).
///
///     DW0  63:48 ASID │ 45 R │ 41 AA64 │ 34:32 IPS │ 31 V │ 30 EPD1 │ 7:6 TG0 │ 5:0 T0SZ
///     DW1  51:4 TTB0
enum ContextDescriptor {
  static let log2Bytes: UInt64 = 6
  static let valid: UInt64 = 1 << 31
  static func dword0(asid: UInt16, inputSize: UInt8, granuleField: UInt8, outputField: UInt8)
    -> UInt64
  {
    let low = UInt64(inputSize & 0x3F) | UInt64(granuleField & 3) << 6 | 1 << 30 | valid
    return low | UInt64(outputField & 7) << 32 | 1 << 41 | 1 << 45 | UInt64(asid) << 48
  }
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
  /// 64 − TxSZ when the architecture allows the size: 25…48 bits.
  static func inputBits(size: UInt64) -> UInt8? {
    (16...39).contains(size & 0x3F) ? 64 - UInt8(size & 0x3F) : nil
  }
}
