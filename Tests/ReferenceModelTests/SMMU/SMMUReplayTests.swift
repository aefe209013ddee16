import EventModel
import ReferenceModel
import Testing

/// The trace way: events in, tables in memory, answers out.
@Suite struct SMMUReplayTests {
  /// The stream that a recorded NVMe guest set up: 4 KiB granule, 48 bits, TTB at 0x4D6F_5000.
  static let nvme: StreamConfiguration = {
    var configuration = StreamConfiguration()
    configuration.asid = 1
    configuration.ttb0 = 0x4D6F_5000
    return configuration
  }()

  static func machine(
    nesting: Stage2Plan? = nil, caches: SMMUCaches.Kinds = .none,
    layout: TableBuilder.Layout = TableBuilder.Layout()
  ) throws -> SMMU {
    var smmu = SMMU(caches: caches, tables: TableBuilder(layout, nesting: nesting))
    try smmu.configure(nvme.event(time: 0, streamID: 8))
    return smmu
  }

  static func page(
    _ iova: UInt64, _ output: UInt64, _ descriptor: UInt64, streamID: UInt32 = 8,
    log2: UInt32 = 12, level: UInt32 = 3
  ) -> TraceEvent {
    TraceEvent.map(
      time: 0, streamID: streamID, asid: 1, iova: iova, outputAddress: output,
      log2SizeBytes: log2, level: level, granule: .kib4, descriptor: descriptor)
  }

  static func unmap(
    _ iova: UInt64, log2: UInt32 = 12, level: UInt32 = 3, stage: UInt32 = 1, vmid: UInt16 = 0
  ) -> TraceEvent {
    TraceEvent.unmap(
      time: 0, streamID: 8, asid: 1, vmid: vmid, iova: iova, log2SizeBytes: log2, level: level,
      granule: .kib4, stage: stage)
  }

  /// Leaves that recorded walks met: the doorbell page, and a 2 MiB block of memory.
  @Test func recordedDescriptorsStandInMemoryAsTheyWere() throws {
    var smmu = try Self.machine()
    let page = Self.page(0xFFFF_F000, 0x0809_0000, 0x60_0000_0809_0E4B)
    let block = Self.page(0x4320_0000, 0x5620_0000, 0x5620_0F45, log2: 21, level: 2)
    try smmu.map(page)
    try smmu.map(block)
    let doorbell = smmu.translate(streamID: 8, address: 0xFFFF_F040, access: .write)
    #expect(doorbell.address == 0x0809_0040)
    #expect(doorbell.work.stage1Reads == 4 && doorbell.work.configurationReads == 3)
    let memory = smmu.translate(streamID: 8, address: 0x4320_1234, access: .read)
    #expect(memory.address == 0x5620_1234)
    #expect(memory.translation?.log2SizeBytes == 21 && memory.work.stage1Reads == 3)

    // Down the tables by hand, as the recorded walk went: offsets 0, 3, 511, 511 from the TTB.
    var table: UInt64 = 0x4D6F_5000
    for index: UInt64 in [0, 3, 511] {
      table = smmu.memory.load(UInt64.self, at: table + index * 8) & 0xFFFF_FFFF_F000
    }
    #expect(smmu.memory.load(UInt64.self, at: table + 511 * 8) == 0x60_0000_0809_0E4B)
    table = smmu.memory.load(UInt64.self, at: 0x4D6F_5000) & 0xFFFF_FFFF_F000
    table = smmu.memory.load(UInt64.self, at: table + 8) & 0xFFFF_FFFF_F000
    #expect(smmu.memory.load(UInt64.self, at: table + (0x4320_0000 >> 21 & 511) * 8) == 0x5620_0F45)
    #expect(smmu.counters.descriptorWrites == 2 + 3 + 2 - 1, "two leaves, their tables, one shared")
  }

  @Test func unmappedAddressFaultsAndLeavesARecord() throws {
    var smmu = try Self.machine()
    let result = smmu.translate(streamID: 8, address: 0xDEAD_0000, access: .write)
    #expect(result.outcomeClass == .smmuFault(0x10))
    #expect(smmu.events.map(\.number) == [.translation])
  }

  @Test func aStreamThatWasNeverConfiguredAborts() throws {
    var smmu = try Self.machine()
    let neighbour = smmu.translate(streamID: 9, address: 0, access: .read)
    #expect(neighbour.outcome == .aborted, "its leaf of the stream table is there")
    let far = smmu.translate(streamID: 0x900, address: 0, access: .read)
    #expect(far.eventName == "C_BAD_STREAMID", "its leaf is not")
  }

  /// Two streams with one TTB have one set of tables.
  @Test func streamsWithOneTTBShareTables() throws {
    var smmu = try Self.machine()
    try smmu.configure(Self.nvme.event(time: 0, streamID: 0x100))
    try smmu.map(Self.page(0x1000, 0x5000, 0xF4B))
    #expect(smmu.translate(streamID: 0x100, address: 0x1010, access: .read).address == 0x5010)
    var other = Self.nvme
    other.ttb0 = 0x4E00_0000
    other.asid = 2
    try smmu.configure(other.event(time: 0, streamID: 0x200))
    #expect(smmu.translate(streamID: 0x200, address: 0x1010, access: .read).fault != nil)
  }

  /// A start table that a guest freed and took for another ASID is empty again.
  @Test func aReusedStartTableIsEmptied() throws {
    var smmu = try Self.machine()
    try smmu.map(Self.page(0x1000, 0x5000, 0xF4B))
    var again = Self.nvme
    try smmu.configure(again.event(time: 0, streamID: 8))
    #expect(smmu.translate(streamID: 8, address: 0x1000, access: .read).fault == nil)
    again.asid = 7
    try smmu.configure(again.event(time: 0, streamID: 8))
    #expect(smmu.translate(streamID: 8, address: 0x1000, access: .read).fault != nil)
  }

  @Test func streamsWithoutTTBGetTablesByASID() throws {
    var smmu = SMMU(caches: .none)
    var configuration = StreamConfiguration()
    configuration.asid = 5
    try smmu.configure(configuration.event(time: 0, streamID: 8))
    try smmu.configure(configuration.event(time: 0, streamID: 9))
    configuration.asid = 6
    try smmu.configure(configuration.event(time: 0, streamID: 10))
    try smmu.map(Self.page(0x1000, 0x5000, 0xF4B))
    #expect(smmu.translate(streamID: 9, address: 0x1000, access: .read).address == 0x5000)
    #expect(smmu.translate(streamID: 10, address: 0x1000, access: .read).fault != nil)
  }

  @Test func unmapClearsExactlyItsRange() throws {
    var smmu = try Self.machine()
    for page: UInt64 in 0..<8 {
      try smmu.map(Self.page(page << 12, 0x10_0000 + page << 12, 0xF4B))
    }
    try smmu.unmap(Self.unmap(0x2000, log2: 13))
    for page: UInt64 in 0..<8 {
      let result = smmu.translate(streamID: 8, address: page << 12, access: .read)
      #expect((result.fault == nil) == !(2...3).contains(page), "page \(page)")
    }
    try smmu.unmap(Self.unmap(0, log2: 48, level: 0))
    #expect(smmu.translate(streamID: 8, address: 0, access: .read).fault != nil)
  }

  /// Unmapping 4 KiB of a 1 GiB block leaves the other 1 GiB − 4 KiB mapped.
  @Test func unmapSplitsABlock() throws {
    var smmu = try Self.machine()
    try smmu.map(Self.page(0x4000_0000, 0x8000_0000, 0xF45, log2: 30, level: 1))
    try smmu.unmap(Self.unmap(0x4123_4000))
    for (address, mapped) in [
      (0x4123_4000, false), (0x4123_4FFF, false), (0x4123_3FFF, true), (0x4123_5000, true),
      (0x4000_0000, true), (0x7FFF_FFFF, true),
    ] as [(UInt64, Bool)] {
      let result = smmu.translate(streamID: 8, address: address, access: .write)
      #expect(result.address == (mapped ? address + 0x4000_0000 : nil))
    }
    #expect(
      smmu.translate(streamID: 8, address: 0x4140_0000, access: .read).translation?.log2SizeBytes
        == 21)
  }

  @Test func unmapOfPartOfAContiguousRunEndsTheRun() throws {
    var smmu = try Self.machine(caches: .all)
    try smmu.map(Self.page(0x1_0000, 0x9_0000, 0xF47 | 1 << 52))
    #expect(
      smmu.translate(streamID: 8, address: 0x1_F000, access: .read).translation?.log2SizeBytes
        == 16)
    try smmu.unmap(Self.unmap(0x1_2000))
    try smmu.execute(.tlbiNHAll(vmid: 0))
    #expect(smmu.translate(streamID: 8, address: 0x1_F000, access: .read).address == 0x9_F000)
    #expect(smmu.translate(streamID: 8, address: 0x1_2000, access: .read).fault != nil)
  }

  @Test func aPageInPlaceOfABlockReplacesIt() throws {
    var smmu = try Self.machine()
    try smmu.map(Self.page(0x20_0000, 0x4000_0000, 0xF45, log2: 21, level: 2))
    try smmu.map(Self.page(0x20_1000, 0x5000, 0xF4B))
    #expect(smmu.translate(streamID: 8, address: 0x20_1000, access: .read).address == 0x5000)
    #expect(smmu.translate(streamID: 8, address: 0x20_2000, access: .read).fault != nil)
  }

  @Test func eventsWithoutAttributesGetThoseOfDMA() throws {
    var smmu = try Self.machine()
    try smmu.map(Self.page(0x1000, 0x5000, 0))
    var readOnly = Self.page(0x2000, 0x6000, 0)
    readOnly.flags = .readable
    try smmu.map(readOnly)
    #expect(smmu.translate(streamID: 8, address: 0x1000, access: .write).address == 0x5000)
    #expect(
      smmu.translate(streamID: 8, address: 0x2000, access: .write).eventName == "F_PERMISSION")
  }

  @Test(arguments: [SMMU.Registers.TableFormat.linear, .twoLevel])
  func streamTableMayBeLinearOrTwoLevel(format: SMMU.Registers.TableFormat) throws {
    var layout = TableBuilder.Layout()
    layout.streamTable = format
    layout.streamIDBits = 10
    var smmu = try Self.machine(layout: layout)
    try smmu.map(Self.page(0x1000, 0x5000, 0xF4B))
    let result = smmu.translate(streamID: 8, address: 0x1000, access: .read)
    #expect(result.address == 0x5000)
    #expect(result.work.level1StreamTableReads == (format == .linear ? 0 : 1))
    #expect(throws: SMMUTableError.streamIDOutOfRange(1024, bits: 10)) {
      try smmu.configure(Self.nvme.event(time: 0, streamID: 1024))
    }
  }

  @Test(arguments: [0, 1, 2] as [UInt8], [nil, Stage2Plan()])
  func contextTablesOfEveryFormatHoldSubstreams(format: UInt8, plan: Stage2Plan?) throws {
    var layout = TableBuilder.Layout()
    layout.s1CDMax = 11
    layout.s1Fmt = format
    var smmu = try Self.machine(nesting: plan, layout: layout)
    try smmu.map(Self.page(0x1000, 0x5000, 0xF4B))
    var cd = ContextDescriptor()
    cd.asid = 9
    cd.ttb0 = 0x4D6F_5000
    try smmu.setContext(streamID: 8, substreamID: 1500, cd)
    let result = smmu.translate(
      streamID: 8, substreamID: 1500, address: 0x1008, access: .read)
    #expect(result.address == 0x5008 + (plan?.hostOffset ?? 0))
    #expect(result.work.level1ContextTableReads == (format == 0 ? 0 : 1))
    #expect(
      smmu.translate(streamID: 8, address: 0x1008, access: .read).fault == nil, "CD 0 is there too")
  }

  @Test func badEventsAreRefusedWithAReason() throws {
    var smmu = try Self.machine()
    let before = smmu.memory.populated(0..<UInt64(1) << 44).count
    #expect(throws: SMMUTableError.wrongKind(found: 0x11)) { try smmu.map(Self.unmap(0)) }
    #expect(throws: SMMUTableError.wrongKind(found: 0x10)) {
      try smmu.unmap(Self.page(0, 0, 0))
    }
    #expect(throws: SMMUTableError.misaligned(address: 0x1800, log2Bytes: 12)) {
      try smmu.map(Self.page(0x1800, 0, 0))
    }
    #expect(throws: SMMUTableError.levelOutOfRange(0, granule: 1)) {
      try smmu.map(Self.page(0, 0, 0, log2: 39, level: 0))
    }
    #expect(throws: SMMUTableError.levelOutOfRange(15, granule: 1)) {
      try smmu.map(Self.page(0, 0, 0, level: 15))
    }
    #expect(throws: SMMUTableError.sizeOutOfRange(log2Bytes: 255, level: 3)) {
      try smmu.map(Self.page(0, 0, 0, log2: 255))
    }
    #expect(throws: SMMUTableError.addressOutOfRange(1 << 48, bits: 48)) {
      try smmu.map(Self.page(1 << 48, 0, 0))
    }
    #expect(throws: SMMUTableError.granuleMismatch(expected: 1, found: 3)) {
      try smmu.map(
        .map(
          time: 0, streamID: 8, asid: 1, iova: 0, outputAddress: 0, log2SizeBytes: 16, level: 3,
          granule: .kib64, descriptor: 0))
    }
    #expect(throws: SMMUTableError.unknownAddressSpace(streamID: 77, vmid: 0, asid: 9)) {
      var event = Self.page(0, 0, 0, streamID: 77)
      event.word2 = 9 << 32 | 77
      try smmu.map(event)
    }
    #expect(throws: SMMUTableError.unknownVMID(4)) {
      try smmu.unmap(Self.unmap(0, stage: 2, vmid: 4))
    }
    #expect(throws: SMMUTableError.illegalConfiguration(streamID: 11)) {
      var bad = StreamConfiguration()
      bad.t0sz = 63
      try smmu.configure(bad.event(time: 0, streamID: 11))
    }
    #expect(throws: SMMUTableError.illegalConfiguration(streamID: 11)) {
      var inArena = StreamConfiguration()
      inArena.ttb0 = smmu.tables.layout.arena.lowerBound + 0x1000
      try smmu.configure(inArena.event(time: 0, streamID: 11))
    }
    #expect(smmu.memory.populated(0..<UInt64(1) << 44).count == before, "nothing was stored")
    #expect(!"\(SMMUTableError.misaligned(address: 0x1800, log2Bytes: 12))".isEmpty)
  }
}
