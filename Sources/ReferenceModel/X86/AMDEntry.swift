// Interrupt remapping of AMD IOMMUs (AMD I/O Virtualization Technology Specification, 48882, §2.2.5).

/// The interrupt fields of a device table entry, dword 2 as one 64-bit word:
/// IV 0 · IntTabLen 4:1 · table address 51:6 · IntCtl 61:60.
package struct AMDInterruptControl: Hashable, Sendable {
  package var isValid = false
  /// log2 of the number of entries; Linux writes 9 (512 entries).
  package var log2Entries: UInt8 = 9
  package var tableAddress: UInt64 = 0
  /// IntCtl: 0 target abort, 1 pass through, 2 remap.
  package var control: UInt8 = 2
  package init() {}

  package var word: UInt64 {
    (isValid ? 1 : 0) | UInt64(log2Entries & 0xF) << 1 | tableAddress & 0x000F_FFFF_FFFF_FFC0
      | UInt64(control & 3) << 60
  }

  package init(word: UInt64) {
    isValid = word & 1 == 1
    log2Entries = UInt8(word >> 1 & 0xF)
    tableAddress = word & 0x000F_FFFF_FFFF_FFC0
    control = UInt8(word >> 60 & 3)
  }
}

/// An interrupt remapping table entry of AMD: 32 bits (legacy) or 128 bits (GA mode).
package enum AMDEntry: Hashable, Sendable {
  /// RemapEn 0 · SupIOPF 1 · IntType 4:2 · RqEoi 5 · DM 6 · Destination 15:8 · Vector 23:16.
  case legacy(Remapped)
  /// 128 bits with GuestMode = 0: destination split 31:8 and (upper qword) 63:56, vector in the
  /// upper qword 7:0.
  case remapped(Remapped)
  /// 128 bits with GuestMode = 1.
  case guest(Guest)

  package struct Remapped: Hashable, Sendable {
    package var isEnabled = true
    package var suppressesFaults = false
    package var interruptType: UInt8 = 0
    package var isLogical = false
    package var destination: UInt32 = 0
    package var vector: UInt8 = 0
    package init() {}
  }

  package struct Guest: Hashable, Sendable {
    package var isEnabled = true
    package var suppressesFaults = false
    /// GALogIntr: append to the GA log when the vCPU does not run.
    package var logsWhenNotRunning = true
    package var isRunning = false
    /// Physical APIC ID of the CPU that runs the vCPU.
    package var destination: UInt32 = 0
    /// What the log entry will carry: Linux packs VM and vCPU into it.
    package var tag: UInt32 = 0
    package var vector: UInt8 = 0
    /// vAPIC backing page, 4 KiB aligned.
    package var backingPage: UInt64 = 0
    package init() {}
  }

  /// RemapEn.
  package var isEnabled: Bool {
    switch self {
    case .legacy(let e), .remapped(let e): e.isEnabled
    case .guest(let e): e.isEnabled
    }
  }

  package var words: (low: UInt64, high: UInt64) {
    switch self {
    case .legacy(let e):
      (
        common(e) | UInt64(e.destination & 0xFF) << 8 | UInt64(e.vector) << 16, 0
      )
    case .remapped(let e):
      (
        common(e) | UInt64(e.destination & 0xFF_FFFF) << 8,
        UInt64(e.vector) | UInt64(e.destination >> 24) << 56
      )
    case .guest(let e):
      (
        (e.isEnabled ? 1 : 0) | (e.suppressesFaults ? 2 : 0) | (e.logsWhenNotRunning ? 4 : 0)
          | (e.isRunning ? 1 << 6 : 0) | 1 << 7 | UInt64(e.destination & 0xFF_FFFF) << 8
          | UInt64(e.tag) << 32,
        UInt64(e.vector) | e.backingPage & 0x000F_FFFF_FFFF_F000 | UInt64(e.destination >> 24) << 56
      )
    }
  }

  /// Decodes a 128-bit entry.
  package init(low: UInt64, high: UInt64) {
    let destination = UInt32(low >> 8 & 0xFF_FFFF) | UInt32(high >> 56) << 24
    if low >> 7 & 1 == 1 {
      var e = Guest()
      e.isEnabled = low & 1 == 1
      e.suppressesFaults = low >> 1 & 1 == 1
      e.logsWhenNotRunning = low >> 2 & 1 == 1
      e.isRunning = low >> 6 & 1 == 1
      e.destination = destination
      e.tag = UInt32(low >> 32)
      e.vector = UInt8(truncatingIfNeeded: high)
      e.backingPage = high & 0x000F_FFFF_FFFF_F000
      self = .guest(e)
    } else {
      var e = Self.decodeCommon(low)
      e.destination = destination
      e.vector = UInt8(truncatingIfNeeded: high)
      self = .remapped(e)
    }
  }

  /// Decodes a 32-bit entry.
  package init(legacy word: UInt32) {
    var e = Self.decodeCommon(UInt64(word))
    e.destination = word >> 8 & 0xFF
    e.vector = UInt8(truncatingIfNeeded: word >> 16)
    self = .legacy(e)
  }

  private func common(_ e: Remapped) -> UInt64 {
    (e.isEnabled ? 1 : 0) | (e.suppressesFaults ? 2 : 0) | UInt64(e.interruptType & 7) << 2
      | (e.isLogical ? 1 << 6 : 0)
  }

  private static func decodeCommon(_ low: UInt64) -> Remapped {
    var e = Remapped()
    e.isEnabled = low & 1 == 1
    e.suppressesFaults = low >> 1 & 1 == 1
    e.interruptType = UInt8(low >> 2 & 7)
    e.isLogical = low >> 6 & 1 == 1
    return e
  }
}
