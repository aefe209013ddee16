package import EventModel

// The redistributors' registers and the LPI configuration tables, as software sees them.

extension ITSCore {
  /// Offsets from RD_base; the frame of the virtual LPIs is 128 KiB above it (IHI 0069, §12.11).
  ///
  /// GICR_PROPBASER and GICR_PENDBASER are not here: the tables are this core's own.
  package enum RedistributorRegister: UInt64, Sendable {
    case ctlr = 0x0000
    case setlpir = 0x0040
    case clrlpir = 0x0048
    case invlpir = 0x00A0
    case invallr = 0x00B0
    case vpropbaser = 0x2_0070
    case vpendbaser = 0x2_0078
    case vsgir = 0x2_0080
    case vsgipendr = 0x2_0088
  }

  /// A write of the whole register by software.
  package mutating func write(_ register: RedistributorRegister, _ value: UInt64, pe: UInt16) {
    guard pe < redistributors.count, let version = rules?.version else { return }
    let pe = Int(pe)
    let intid = UInt32(truncatingIfNeeded: value)
    switch register {
    case .ctlr: setLPIs(enabled: value & 1 == 1, pe: UInt16(pe))
    case .setlpir: _ = try? makePending(intid, at: pe)
    case .clrlpir: clearPending(intid, at: pe)
    case .invlpir: invalidate(intid, value, at: pe)
    case .invallr:
      if value >> 63 == 0 {
        pending.refreshConfigurations(ofPlane: plane(ofPE: pe))
      } else if let plane = namedPlane(value) {
        pending.refreshConfigurations(ofPlane: plane)
      }
    case .vpropbaser: if version >= .v4 { writeVPROPBASER(value, at: pe) }
    case .vpendbaser: if version >= .v4 { writeVPENDBASER(value, at: pe) }
    case .vsgir:
      guard version == .v41 else { return }
      let plane = try? plane(ofVPE: UInt16(truncatingIfNeeded: value))
      // Safety: one for each plane.
      redistributors[pe].pendingSGIs = plane.map { unsafe virtualSGIs[$0].pending } ?? 0
    case .vsgipendr: break
    }
  }

  package mutating func read(_ register: RedistributorRegister, pe: UInt16) -> UInt64 {
    guard pe < redistributors.count else { return 0 }
    let pe = Int(pe)
    switch register {
    case .ctlr: return redistributors[pe].lpisEnabled ? 1 : 0
    case .vpropbaser: return redistributors[pe].vpropbaser
    case .vpendbaser: return readVPENDBASER(at: pe)
    case .vsgipendr: return UInt64(redistributors[pe].pendingSGIs)
    default: return 0
    }
  }

  /// GICR_CTLR.EnableLPIs. Enabling finds a pending table of zeros (GICR_PENDBASER.PTZ = 1) and knows
  /// no configuration; a host's core, whose plane is that of all, leaves it alone.
  package mutating func setLPIs(enabled: Bool, pe: UInt16) {
    let pe = Int(pe)
    guard pe < redistributors.count, enabled != redistributors[pe].lpisEnabled else { return }
    redistributors[pe].lpisEnabled = enabled
    if enabled, rules != nil {
      pending.refreshConfigurations(ofPlane: plane(ofPE: pe))
      pending.clear(plane: plane(ofPE: pe), below: highestLPI + 1)
    }
    refreshCollections(of: pe)
  }

  /// GICR_INVLPIR: INTID 31:0, vPEID 47:32, V 63.
  private func invalidate(_ intid: UInt32, _ value: UInt64, at pe: Int) {
    guard isLPI(intid) else { return }
    if value >> 63 == 0 {
      pending.refresh(at: place(intid, ofPE: pe))
    } else if let plane = namedPlane(value) {
      pending.refresh(at: pending.place(intid, inPlane: plane))
    }
  }

  private func namedPlane(_ value: UInt64) -> Int? {
    try? plane(ofVPE: UInt16(truncatingIfNeeded: value >> 32))
  }

  /// Software stores a configuration byte. The redistributor goes on using the old one until an
  /// invalidation. A vPE whose table is not known gets none.
  package mutating func storeConfiguration(
    _ target: InterruptTarget, _ intid: UInt32, _ byte: UInt8
  ) {
    guard intid >= INTID.firstLPI.rawValue, let version = rules?.version else { return }
    guard target.isVPE else {
      guard target.number < redistributors.count, isLPI(intid) else { return }
      return pending.store(configuration: byte, intid, table: 0)
    }
    guard isMapped(vPE: target.number) else { return }
    let record = vPERecord(target.number)
    if version == .v41 {
      pending.store(configuration: byte, intid, table: record.configurationTable)
    } else if vPEPlace(target.number).isTaking {
      let address = redistributors[Int(record.processor)].virtualConfigurationAddress
      pending.store(
        configuration: byte, intid, table: memory.configurationTable(at: address))
    }
  }
}
