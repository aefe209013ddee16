import EventModel
import ReferenceModel
import Testing

/// A recorded machine as a guest: its stage 1, a host's stage 2.
@Suite struct SMMUNestingTests {
  static func plan(log2PageBytes: UInt8 = 21) -> Stage2Plan {
    var plan = Stage2Plan()
    plan.vmid = 5
    plan.log2PageBytes = log2PageBytes
    plan.doorbells = [.init(ipa: 0x0809_0000, pa: 0x6_0800_0000)]
    return plan
  }

  private func machine(_ plan: Stage2Plan, caches: SMMUCaches.Kinds = .none) throws -> SMMU {
    var smmu = try SMMUReplayTests.machine(nesting: plan, caches: caches)
    try smmu.map(SMMUReplayTests.page(0xFFFF_F000, 0x0809_0000, 0x60_0000_0809_0E4B))
    try smmu.map(SMMUReplayTests.page(0x4320_0000, 0x5620_0000, 0x5620_0F45, log2: 21, level: 2))
    return smmu
  }

  @Test func guestsAddressesGoThroughBothStages() throws {
    let plan = Self.plan()
    var smmu = try machine(plan)
    let doorbell = smmu.translate(streamID: 8, address: 0xFFFF_F040, access: .write)
    #expect(doorbell.address == 0x6_0800_0040)
    // Stage 2 has 3 levels; its tables and CD lie in 2 MiB blocks, one level less.
    #expect(doorbell.work.stage1Reads == 4)
    #expect(doorbell.work.stage2Reads == 2 + 4 * 2 + 3)
    let memory = smmu.translate(streamID: 8, address: 0x4320_1234, access: .read)
    #expect(memory.address == 0x5620_1234 + plan.hostOffset)
    #expect(memory.translation?.log2SizeBytes == 21)
    #expect(smmu.physicalAddress(ofIntermediate: 0x5620_1234) == memory.address)
    #expect(smmu.physicalAddress(ofIntermediate: 0x0809_0040) == 0x6_0800_0040)
  }

  @Test func smallPagesCostMoreReadsAndCoverLess() throws {
    var smmu = try machine(Self.plan(log2PageBytes: 12))
    let memory = smmu.translate(streamID: 8, address: 0x4320_1234, access: .read)
    #expect(memory.address == 0x5620_1234 + Self.plan().hostOffset)
    #expect(memory.translation?.log2SizeBytes == 12, "the smaller of the two leaves")
    #expect(memory.work.stage2Reads == 3 + 3 * 3 + 3)
  }

  /// The guest's tables are where the guest put them; the host reads them behind its offset.
  @Test func guestTablesLieAtIntermediateAddresses() throws {
    let smmu = try machine(Self.plan())
    let root = smmu.memory.load(UInt64.self, at: 0x4D6F_5000 + Self.plan().hostOffset)
    #expect(root & 3 == 3)
    #expect(Self.plan().tableRegion.contains(root & 0xFFFF_FFFF_F000))
    #expect(smmu.memory.load(UInt64.self, at: 0x4D6F_5000) == 0)
  }

  @Test func memoryAroundTheDoorbellIsMappedByPages() throws {
    var smmu = try machine(Self.plan())
    try smmu.map(SMMUReplayTests.page(0x1000, 0x0809_1000, 0xF4B))
    let beside = smmu.translate(streamID: 8, address: 0x1000, access: .read)
    #expect(beside.address == 0x0809_1000 + Self.plan().hostOffset)
    #expect(
      smmu.translate(streamID: 8, address: 0xFFFF_F040, access: .write).address == 0x6_0800_0040)
  }

  /// The doorbell page is not for executing.
  @Test func doorbellPageIsDeviceMemoryWithoutExecution() throws {
    var smmu = try machine(Self.plan())
    let fetch = SMMUAccess(write: false, instruction: true)
    let record = smmu.translate(streamID: 8, address: 0xFFFF_F040, access: fetch).fault?.record
    #expect(record?.number == .permission)
  }

  @Test(arguments: [(4, "stage 2 only"), (0, "aborts"), (5, "nested")] as [(UInt8, String)])
  func guestConfigBecomesTheHosts(config: UInt8, becomes: String) throws {
    var smmu = SMMU(caches: .none, tables: TableBuilder(nesting: Self.plan()))
    var configuration = SMMUReplayTests.nvme
    configuration.config = config
    try smmu.configure(configuration.event(time: 0, streamID: 8))
    let result = smmu.translate(streamID: 8, address: 0x1000, access: .read)
    switch becomes {
    case "stage 2 only":
      #expect(result.fault?.record.stage2 == true)
      try smmu.mapStage2(ipa: 0x1000, pa: 0x7000, log2Size: 12, vmid: 5)
      #expect(smmu.translate(streamID: 8, address: 0x1008, access: .read).address == 0x7008)
    case "aborts": #expect(result.outcome == .aborted)
    default: #expect(result.fault?.record.stage2 == false)
    }
  }

  /// A recording of a host that has stage 2 itself.
  @Test(arguments: [6, 7] as [UInt8])
  func recordedStage2IsTakenAsItIs(config: UInt8) throws {
    var configuration = SMMUReplayTests.nvme
    configuration.config = config
    configuration.vmid = 9
    configuration.s2t0sz = 24
    configuration.s2sl0 = 1
    configuration.s2ps = 5
    configuration.s2ttb = 0x9_0000_0000
    var smmu = SMMU(caches: .none)
    try smmu.configure(configuration.event(time: 0, streamID: 8))
    try smmu.map(
      .map(
        time: 0, streamID: 8, asid: 0, vmid: 9, iova: 0x5000, outputAddress: 0x7000,
        log2SizeBytes: 12, level: 3, granule: .kib4, stage: 2, descriptor: 0x7FF))
    if config == 7 { try smmu.map(SMMUReplayTests.page(0x1000, 0x5000, 0xF4B)) }
    let address: UInt64 = config == 7 ? 0x1008 : 0x5008
    #expect(smmu.translate(streamID: 8, address: address, access: .read).address == 0x7008)
    #expect(smmu.memory.load(UInt64.self, at: 0x9_0000_0000) != 0, "S2TTB is the recorded one")
    try smmu.unmap(
      .unmap(
        time: 0, streamID: 8, asid: 0, vmid: 9, iova: 0x5000, log2SizeBytes: 12, level: 3,
        granule: .kib4, stage: 2))
    #expect(
      smmu.translate(streamID: 8, address: address, access: .read).fault?.record.stage2 == true)
  }

  @Test func guestLeavesBeyondOneGibibyteAreRefused() throws {
    var plan = Stage2Plan()
    plan.s2T0SZ = 16
    plan.s2SL0 = 2
    var identification = SMMU.Identification()
    identification.outputAddressBits = 52
    var smmu = SMMU(identification, tables: TableBuilder(nesting: plan))
    var configuration = StreamConfiguration()
    configuration.granule = .kib64
    configuration.ips = 6
    try smmu.configure(configuration.event(time: 0, streamID: 8))
    #expect(throws: SMMUTableError.sizeOutOfRange(log2Bytes: 42, level: 1)) {
      try smmu.map(
        .map(
          time: 0, streamID: 8, asid: 0, iova: 0, outputAddress: 0, log2SizeBytes: 42, level: 1,
          granule: .kib64, descriptor: 0))
    }
  }

  /// Only what the guest may set gets through; Config is translated; events are merged.
  @Test func guestEntryIsMergedOverStage2() throws {
    var stage2 = StreamTableEntry(config: StreamTableEntry.stage2)
    stage2.s2VMID = 5
    stage2.s2TTB = 0x9_0000_0000
    stage2.s2AA64 = true
    var guest = StreamTableEntry(config: StreamTableEntry.stage1)
    guest.s1ContextPtr = 0x434F_D000
    guest.s1DSS = 2
    guest.s1CIR = 1
    guest.eats = 1
    let dwords = guest.dwords
    let merged = try stage2.nested(guest: dwords[0], dwords[1])
    #expect(merged.config == StreamTableEntry.nested && merged.mev)
    #expect(merged.s1ContextPtr == 0x434F_D000 && merged.s1DSS == 2 && merged.eats == 1)
    #expect(merged.s2VMID == 5 && merged.s2TTB == 0x9_0000_0000 && merged.s2AA64)

    #expect(try stage2.nested(guest: 0, 0) == StreamTableEntry(config: StreamTableEntry.abort))
    #expect(try stage2.nested(guest: 1, 0) == StreamTableEntry(config: StreamTableEntry.abort))
    #expect(try stage2.nested(guest: 0b1001, 0) == stage2)
    #expect(throws: StreamTableEntry.NestingError.config(6)) {
      try stage2.nested(guest: 0b1101, 0)
    }
    #expect(throws: StreamTableEntry.NestingError.config(7)) {
      try stage2.nested(guest: 0b1111, 0)
    }
    #expect(throws: StreamTableEntry.NestingError.eats(2)) {
      try stage2.nested(guest: 0b1011, 2 << 28)
    }
    for bit: UInt64 in [52, 58] {
      #expect(throws: StreamTableEntry.NestingError.reservedBits) {
        try stage2.nested(guest: 0b1011 | 1 << bit, 0)
      }
    }
    for bit: UInt64 in [19, 25, 30, 44] {
      #expect(throws: StreamTableEntry.NestingError.reservedBits) {
        try stage2.nested(guest: 0b1011, 1 << bit)
      }
    }
  }
}
