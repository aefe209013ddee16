import EventModel

// Which vPE is on which redistributor, and what happens when it comes and goes (IHI 0069, §5.4 and
// the description of GICR_VPENDBASER; Linux its_vpe_schedule, its_clear_vpend_valid,
// its_vpe_4_1_deschedule in drivers/irqchip/irq-gic-v3-its.c).
//
//                       Valid: 0 → 1
//       ┌──────────────┐ ─────────────▶ ┌─────────┐  Dirty → 0   ┌──────────┐
//       │ not resident │                │ parsing │ ───────────▶ │ resident │
//       └──────────────┘ ◀───────────── └─────────┘              └──────────┘
//              ▲          Dirty → 0: PendingLast is right               │
//              └────────────────────────────────────────────────────────┘
//                       Valid: 1 → 0 (GICv4.1: with DB, with or without PendingLast)
//
// Parsing is instantaneous in the model; `Policy.dirtyReads` makes Dirty visible for as many reads.
// A write while Dirty, or one that changes a resident vPE, is UNPREDICTABLE and ignored.

extension ITS {
  /// The redistributor on which the vPE is resident, if it is the one that its entry names.
  ///
  /// GICv4.0 knows a vPE by its VPT address (as QEMU does: hw/intc/arm_gicv3_redist.c,
  /// vcpu_resident), GICv4.1 by its vPEID.
  package func isResident(_ vPEID: UInt16, _ entry: VPETableEntry) -> Bool {
    let base = redistributors[Int(entry.processor)].vpendbaser
    guard base.isValid else { return false }
    return configuration.version == .v41
      ? base.vPEID == vPEID : base.vptAddress == entry.vptAddress
  }

  mutating func writeVPENDBASER(_ new: VirtualPendingBase, at n: Int) {
    guard redistributors[n].dirtyReadsLeft == 0 else { return }
    let old = redistributors[n].vpendbaser
    switch (old.isValid, new.isValid) {
    case (false, false):
      redistributors[n].vpendbaser.value = new.value & ~VirtualPendingBase.dirty
    case (false, true): makeResident(new, at: n)
    case (true, false): makeNonResident(old, request: new, at: n)
    case (true, true): break
    }
  }

  private mutating func makeResident(_ new: VirtualPendingBase, at n: Int) {
    redistributors[n].vpendbaser.value = new.value & ~VirtualPendingBase.dirty
    redistributors[n].dirtyReadsLeft = policy.dirtyReads
    if configuration.version == .v41 { armedDoorbells.remove(new.vPEID) }
  }

  /// PendingLast tells whether an enabled interrupt is pending. GICv4.0 always computes it and
  /// clears IDAI. GICv4.1: software writes PendingLast = 1 when it wants no answer and no doorbell
  /// (the vPE was preempted), or PendingLast = 0 and DB = 1 when the vPE blocks; then a PendingLast
  /// that still reads 0 is the promise of a doorbell at the next interrupt.
  private mutating func makeNonResident(
    _ old: VirtualPendingBase, request: VirtualPendingBase, at n: Int
  ) {
    redistributors[n].dirtyReadsLeft = policy.dirtyReads
    var value = old.value & ~(VirtualPendingBase.bit62 | VirtualPendingBase.pendingLastBit)
    value &= ~.field(true, 63)
    if configuration.version == .v41 {
      let pending =
        request.pendingLast || hasEnabledPending(ofVPE: old.vPEID)
      if pending { value |= VirtualPendingBase.pendingLastBit }
      if request.doorbellRequested && !pending { armedDoorbells.insert(old.vPEID) }
    } else if hasEnabledPending(vpt: old.vptAddress, at: n) {
      value |= VirtualPendingBase.pendingLastBit
    }
    redistributors[n].vpendbaser.value = value
  }

  mutating func readVPENDBASER(at n: Int) -> UInt64 {
    let value = redistributors[n].vpendbaser.value
    guard redistributors[n].dirtyReadsLeft > 0 else { return value }
    redistributors[n].dirtyReadsLeft -= 1
    return value | VirtualPendingBase.dirty
  }

  private mutating func hasEnabledPending(ofVPE vPEID: UInt16) -> Bool {
    guard let entry = mappedVPE(vPEID) else { return false }
    return highestPriorityPending(ofVPE: vPEID, entry) != nil
  }

  private mutating func hasEnabledPending(vpt: UInt64, at n: Int) -> Bool {
    for intid in pendingINTIDs(in: vpt, idBits: redistributors[n].virtualIDBits) {
      let table = redistributors[n].virtualConfigurationTable
      if virtualConfiguration(of: intid, table: table, vpt: vpt).isEnabled { return true }
    }
    return false
  }

  // MARK: Configuration of virtual LPIs

  /// The vPE's configuration table: VCONF_addr of VMAPP (GICv4.1), else GICR_VPROPBASER of the
  /// redistributor on which the vPE is resident. A GICv4.0 vPE that is away has none: nobody can
  /// tell whether its interrupts are enabled.
  func virtualConfigurationTable(_ vPEID: UInt16, _ entry: VPETableEntry) -> UInt64? {
    if configuration.version == .v41 { return entry.configurationAddress }
    guard isResident(vPEID, entry) else { return nil }
    return redistributors[Int(entry.processor)].virtualConfigurationTable
  }

  mutating func virtualConfiguration(
    of intid: UInt32, table: UInt64, vpt: UInt64
  ) -> LPIConfiguration {
    if let known = virtualConfigurations[vpt]?[intid] { return known }
    let read = configurationByte(at: table + UInt64(intid - INTID.firstLPI.rawValue))
    virtualConfigurations[vpt, default: [:]][intid] = read
    return read
  }

  // MARK: Making a virtual interrupt pending

  /// Sets the vLPI's bit in the VPT and rings the doorbell if the rules say so.
  ///
  /// A doorbell rings only if the bit rises, the vPE is away, and a doorbell is wanted: GICv4.0, the
  /// event's own doorbell LPI (1023: none); GICv4.1, the vPE's default doorbell, once after a
  /// departure with DB = 1, and only for an interrupt that is enabled. An interrupt that is pending
  /// already is not looked at again.
  mutating func makeVirtualPending(
    _ intid: UInt32, ofVPE vPEID: UInt16, _ entry: VPETableEntry, doorbell: UInt32
  ) throws(Condition) -> (outcome: OutcomeClass, doorbellRaised: Bool) {
    guard intid >= INTID.firstLPI.rawValue, UInt64(intid) < entry.intidCount else {
      throw .intidOutOfRange
    }
    let n = Int(entry.processor)
    let resident = isResident(vPEID, entry)
    if resident, configuration.version == .v4,
      UInt64(intid) >= 1 << redistributors[n].virtualIDBits
    {
      throw .intidOutOfRange
    }
    let was = memory.storeBit(true, intid, base: entry.vptAddress)
    if !was { counters.pendingBitsSet += 1 }
    guard !was || policy.doorbell == .everyEvent else { return (.coalesced, false) }
    var enabled = true
    if let table = virtualConfigurationTable(vPEID, entry) {
      enabled = virtualConfiguration(of: intid, table: table, vpt: entry.vptAddress).isEnabled
    }
    let raised =
      !resident && ringDoorbell(vPEID, entry, individual: doorbell, enabled: enabled)
    return (was ? .coalesced : enabled ? .delivered : .masked, raised)
  }

  mutating func ringDoorbell(
    _ vPEID: UInt16, _ entry: VPETableEntry, individual: UInt32, enabled: Bool
  ) -> Bool {
    var doorbell = individual
    if configuration.version == .v41 {
      guard enabled, entry.defaultDoorbell != INTID.spurious.rawValue,
        armedDoorbells.contains(vPEID)
      else { return false }
      doorbell = entry.defaultDoorbell
    }
    guard doorbell != INTID.spurious.rawValue,
      (try? makePending(doorbell, at: Int(entry.processor))) != nil
    else { return false }
    armedDoorbells.remove(vPEID)
    counters.doorbellsRaised += 1
    return true
  }
}
