/// The four doublewords of a command, by field (IHI 0069, §5.3.1 … §5.3.21).
struct ITSCommandWords {
  let dw0: UInt64
  let dw1: UInt64
  let dw2: UInt64
  let dw3: UInt64

  var code: UInt8 { UInt8(truncatingIfNeeded: dw0) }
  var device: UInt32 { UInt32(dw0 >> 32) }
  var event: UInt32 { UInt32(truncatingIfNeeded: dw1) }
  var pINTID: UInt32 { UInt32(dw1 >> 32) }
  var vPE: UInt16 { UInt16(truncatingIfNeeded: dw1 >> 32) }
  var icid: UInt16 { UInt16(truncatingIfNeeded: dw2) }
  var isValid: Bool { dw2 >> 63 == 1 }
  var rdBase: UInt64 { Self.rdBase(dw2) }
  /// MOVALL.
  var destination: UInt64 { Self.rdBase(dw3) }
  /// MAPD: Size + 1.
  var log2Events: UInt32 { UInt32(dw1 & 0x1F) + 1 }
  var vINTID: UInt32 { UInt32(truncatingIfNeeded: dw2) }
  var doorbell: UInt32 { UInt32(dw2 >> 32) }
  /// VMOVI: D.
  var hasDoorbell: Bool { dw2 & 1 == 1 }

  // VMAPP.
  /// VPT_size + 1.
  var log2INTIDs: UInt32 { UInt32(dw3 & 0x1F) + 1 }
  var vptAddress: UInt64 { Self.rdBase(dw3) << 16 }
  var configurationAddress: UInt64 { Self.rdBase(dw0) << 16 }
  /// Alloc and PTZ together: the VPT is new and known to be zero.
  var zeroesVPT: Bool { dw0 >> 8 & 3 == 3 }
  var defaultDoorbell: UInt32 { UInt32(truncatingIfNeeded: dw1) }

  // VMOVP. DB is where others have V.
  var newDoorbell: UInt32 { UInt32(truncatingIfNeeded: dw3) }

  // VSGI.
  var sgi: Int { Int(dw0 >> 32 & 0xF) }
  var clearsSGI: Bool { dw0 >> 9 & 1 == 1 }
  /// Priority 7:4, group 1, enable 0.
  var sgiConfiguration: UInt8 {
    UInt8(dw0 >> 20 & 0xF) << 4 | UInt8(dw0 >> 10 & 1) << 1 | UInt8(dw0 >> 8 & 1)
  }

  private static func rdBase(_ word: UInt64) -> UInt64 { word >> 16 & 0xF_FFFF_FFFF }
}
