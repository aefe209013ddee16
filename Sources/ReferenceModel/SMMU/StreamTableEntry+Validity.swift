package import EventModel

extension StreamTableEntry {
  /// Whether the SMMU refuses the entry with C_BAD_STE (IHI 0070, §5.2.2 and its pseudocode
  /// SteIllegal). An entry that aborts is checked for V only.
  package func isIllegal(for smmu: SMMU.Identification) -> Bool {
    guard v else { return true }
    if aborts { return false }
    // EATS = 2, split-stage ATS, needs both stages; and no stall may hold up an ATS answer.
    if smmu.ats && config != Self.bypass {
      if eats == 2 && (config != Self.nested || s2S) { return true }
      if eats == 1 && s2S && stage2Translates { return true }
    }
    // STRW counts only if stage 1 alone translates; its odd values are reserved.
    if config == Self.stage1 && strw & 1 == 1 { return true }
    if stage1Translates {
      if s1STALLD && !smmu.stallModelSelectable { return true }
      if s1CDMax > smmu.substreamIDBits { return true }
      if s1ContextPtr >> smmu.outputAddressBits != 0 { return true }
    }
    if stage2Translates {
      // AArch32 tables and big-endian tables are not implemented (IDR0.TTF = 2, TTENDIAN = 2).
      if !s2AA64 || s2ENDI { return true }
      if s2S && !smmu.stallModelSelectable { return true }
      if s2HA && !smmu.updatesAccessFlag { return true }
      if s2HD && !smmu.updatesDirtyState { return true }
      if WalkGeometry(stage2: self, smmu) == nil { return true }
    }
    return false
  }

  /// The translation regime that tags TLB entries (IHI 0070, §3.3.3 and §5.2 STRW). With stage 2
  /// STRW is ignored.
  package func streamWorld(e2h: Bool) -> StreamWorld {
    guard !stage2Translates, strw == 2 else { return .nsEL1 }
    return e2h ? .el2E2H : .el2
  }
}

/// Whose translations these are (IHI 0070, §3.3.3). Secure and Realm worlds are not modelled.
package enum StreamWorld: UInt8, Hashable, Sendable, CaseIterable {
  /// EL1&0, tagged with VMID and ASID.
  case nsEL1
  /// EL2 without ASIDs.
  case el2
  /// EL2&0, tagged with ASID.
  case el2E2H

  package var hasASID: Bool { self != .el2 }
  package var hasVMID: Bool { self == .nsEL1 }
  /// Whether unprivileged accesses are told from privileged ones.
  package var hasPrivilege: Bool { self != .el2 }
}

extension Granule {
  /// The TG0 and S2TG encodings of the CD and STE: 0 is 4 KiB, 1 is 64 KiB, 2 is 16 KiB.
  package init?(tg0: UInt8) {
    switch tg0 {
    case 0: self = .kib4
    case 1: self = .kib64
    case 2: self = .kib16
    default: return nil
    }
  }

  package var tg0: UInt8 {
    switch self {
    case .kib4: 0
    case .kib64: 1
    case .kib16: 2
    }
  }

  package var log2: UInt64 { UInt64(log2Bytes) }
  /// A table fills one granule with 8-byte descriptors.
  package var bitsPerLevel: UInt64 { log2 - 3 }
}

/// The widths that IPS, S2PS and IDR5.OAS encode (IHI 0070, §6.3.6). 7 is reserved.
package func addressBits(sizeCode: UInt8) -> UInt64 {
  [32, 36, 40, 42, 44, 48, 52, 52][Int(sizeCode & 7)]
}

/// The smallest code for at least `bits`.
package func addressSizeCode(bits: UInt64) -> UInt8 {
  UInt8([32, 36, 40, 42, 44, 48, 52].firstIndex { $0 >= bits } ?? 6)
}
