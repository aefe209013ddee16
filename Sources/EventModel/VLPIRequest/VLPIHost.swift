/// What a host has to give to requests for vLPIs, and what it does where it has a choice.
package struct VLPIHost: Hashable, Sendable {
  /// An MSI that arrives before the guest's mapping.
  package enum EarlyEvents: Hashable, Sendable {
    /// The translation table has no entry: it is gone, as on any ITS.
    case drop
    /// The host maps the vectors of a function as its own LPIs when it is plugged, notes which fired,
    /// and hands a noted one over when the request comes.
    case pend
  }
  /// What becomes of events on eventfds when a vPEID is free again.
  package enum FreedVPEID: Hashable, Sendable {
    /// The vPE that has waited longest gets it, and its events become vLPIs.
    case returnToVLPI
    /// They stay until the guest maps the event again.
    case stayOnEventfd
  }

  package var earlyEvents = EarlyEvents.drop
  package var freedVPEID = FreedVPEID.returnToVLPI
  /// GICv4.1: one default doorbell per vPE; unmapping a vPE needs no VSYNC. Else GICv4.0.
  package var isV41 = true

  /// vPEIDs of the host for guests together: GICD_TYPER2.VID bounds them, or a quota.
  package var vPEIDCount: UInt32 = 4096
  /// LPIs of its own that the host can spare for early events and for eventfds.
  package var physicalLPICount: UInt32 = 16_384
  /// GITS_TYPER: DeviceIDs, and EventIDs of one device, in bits. At most 20 each.
  package var deviceIDBits: UInt32 = 16
  package var eventIDBits: UInt32 = 16
  /// Width of a vINTID, 14…24.
  package var vINTIDBits: UInt32 = 16
  /// ITT entries of all devices together.
  package var tableEntryLimit: UInt32 = 1 << 22
  /// Bounds of the caller's own numbers.
  package var functionCount: UInt32 = 1 << 16
  package var vPECount: UInt32 = 1 << 16
  package var vmCount: UInt32 = 16

  // Where the host keeps things: only its commands show them.
  /// Its collection, and the redistributor behind that and behind every vPE.
  package var collection: UInt16 = 0
  package var rdBase: UInt64 = 0
  package var tableBase: UInt64 = 0x10_0000_0000
  package var pendingTableBase: UInt64 = 0x2000_0000_0000
  package var configurationTableBase: UInt64 = 0x4000_0000_0000

  package init() {}

  /// A doorbell LPI per vPEID, then the LPIs to spare.
  package var firstDoorbell: UInt32 { INTID.firstLPI.rawValue }
  package var firstPhysicalLPI: UInt32 { firstDoorbell + vPEIDCount }
  package func doorbell(_ vPEID: UInt16) -> UInt32 { firstDoorbell + UInt32(vPEID) }
  /// In VMAPTI and VMOVI: GICv4.1 rings the vPE's default doorbell and takes none here (Linux,
  /// drivers/irqchip/irq-gic-v3-its.c, its_build_vmapti_cmd).
  package func eventDoorbell(_ vPEID: UInt16) -> UInt32 {
    isV41 ? INTID.spurious.rawValue : doorbell(vPEID)
  }
  /// 16 bytes an entry, the most that GITS_TYPER can say; a multiple of 256 bytes.
  package func tableAddress(_ deviceID: UInt32) -> UInt64 {
    tableBase + UInt64(deviceID) << max(8, UInt64(eventIDBits) + 4)
  }
  /// 2²⁴ bits.
  package func pendingTable(_ vPEID: UInt16) -> UInt64 { pendingTableBase + UInt64(vPEID) << 21 }
  /// 2²⁴ bytes.
  package func configurationTable(_ vPEID: UInt16) -> UInt64 {
    configurationTableBase + UInt64(vPEID) << 24
  }

  /// Traps if the numbers do not fit the registers and commands that carry them.
  package func check() {
    precondition((1...65_536).contains(vPEIDCount), "a vPEID has 16 bits")
    precondition(firstPhysicalLPI + physicalLPICount <= 1 << 24, "an INTID has 24 bits here")
    precondition((1...20).contains(deviceIDBits) && (1...20).contains(eventIDBits))
    precondition((14...24).contains(vINTIDBits), "LPIs need 14…24 bits of INTID")
    precondition((1...1 << 20).contains(functionCount) && (1...65_536).contains(vPECount))
    precondition((1...1024).contains(vmCount) && tableEntryLimit <= 1 << 27)
  }
}
