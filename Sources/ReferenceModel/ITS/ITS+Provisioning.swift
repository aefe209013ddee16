import EventModel

extension ITS {
  /// An ITS as a driver leaves it: tables allocated, ITS and LPIs enabled, nothing mapped.
  ///
  /// For recordings, and tests. A recording tells which values the guest wrote into registers, but
  /// not what it stored into level 1 tables, so the model sets up its own, all of it above
  /// `tableArena`, where no recorded machine has memory. GITS_BASERn and GICR_PROPBASER writes that
  /// come later are ignored, because everything is enabled.
  package static func provisioned(
    _ configuration: Configuration = Configuration(), policy: Policy = .specification,
    twoLevel: Bool = false
  ) -> ITS {
    var its = ITS(configuration, policy: policy)
    its.provision(.device, its.registers.deviceTable, configuration.deviceIDBits, twoLevel)
    its.provision(
      .collection, its.registers.collectionTable, configuration.collectionIDBits, twoLevel)
    if configuration.version >= .v4_0 {
      its.provision(.vPE, its.registers.vPETable, configuration.vPEIDBits, twoLevel)
    }
    // A command queue of 64 KiB, 2048 slots, as Linux takes.
    its.write(register: Register.cbaser, value: queueArena | 15 | .field(true, 63))
    its.write(register: Register.ctlr, value: 1)
    for n in 0..<configuration.peCount {
      its.writeRedistributor(
        n, offset: Redistributor.Register.propbaser,
        value: lpiConfigurationArena | UInt64(configuration.intidBits - 1))
      its.writeRedistributor(
        n, offset: Redistributor.Register.pendbaser,
        value: pendingArena + UInt64(n) << 21 | .field(true, 62))
      its.writeRedistributor(n, offset: Redistributor.Register.ctlr, value: 1)
    }
    return its
  }

  /// Where the provisioned tables lie: bit 47 set.
  package static let tableArena: UInt64 = 0x8000_0000_0000
  private static let queueArena = tableArena + 0x7000_0000
  private static let lpiConfigurationArena = tableArena + 0x8000_0000
  /// 2 MiB per redistributor: 2²⁴ bits.
  private static let pendingArena = tableArena + 0x10_0000_0000

  private mutating func provision(
    _ kind: TableBase.Kind, _ base: TableBase, _ idBits: UInt8, _ twoLevel: Bool
  ) {
    let pageSizeBytes: UInt64 = 0x1_0000
    let perPage = pageSizeBytes / base.entrySizeBytes
    let pages = max(1, ((1 << UInt64(idBits)) + perPage - 1) / perPage)
    let address = Self.tableArena + UInt64(kind.rawValue) << 28
    let baser = Register.baser + (kind == .device ? 0 : kind == .collection ? 8 : 16)
    guard twoLevel || pages > 256 else {
      write(
        register: baser,
        value: address | .field(2 as UInt64, 9, 8) | (pages - 1) | .field(true, 63))
      return
    }
    // Level 1 in the table's own place, level 2 pages 128 MiB above it.
    let perLevel1Page = pageSizeBytes / TableBase.level1EntrySizeBytes
    let level1Pages = (pages + perLevel1Page - 1) / perLevel1Page
    for page in 0..<pages {
      memory.store(
        address + 1 << 27 + page * pageSizeBytes | .field(true, 63),
        at: address + page * TableBase.level1EntrySizeBytes)
    }
    write(
      register: baser,
      value: address | .field(2 as UInt64, 9, 8) | (level1Pages - 1) | .field(true, 62)
        | .field(true, 63))
  }
}
