import EventModel
import Testing

@testable import TraceImport

/// A hand-made log of two threads: a configuration, a block and a page mapping, an MSI with another
/// thread's lines in the middle of it, an invalidation, and a fault of the same vector.
@Suite struct TranslationTests {
  private static let epoch = 1000 * 1_000_000
  private func at(_ microseconds: UInt64) -> UInt64 { microseconds * 1000 }

  @Test func aTranslationLogGivesExactlyTheseEvents() throws {
    let imported = try Imported(Golden.bytes("translation.log"))
    var configuration = StreamConfiguration()
    configuration.config = 5
    configuration.asid = 3
    configuration.ttb0 = 0x4CF7_F000
    configuration.t0sz = 16
    configuration.granule = .kib4
    configuration.ips = 4
    var expected = [TraceEvent]()
    expected.append(
      .msixControl(
        time: at(201), streamID: 0x100, deviceID: 0x100, enabled: true, masked: false,
        origin: .emulator))
    for (time, offset, value) in [(210, 0x10, 0xFFFF_F040), (211, 0x18, 1), (212, 0x1C, 0)] {
      expected.append(
        .msixTableWrite(
          time: at(UInt64(time)), streamID: 0x100, deviceID: 0x100,
          gpa: 0x1000_2000 + UInt64(offset), offset: UInt32(offset), value: UInt64(value),
          origin: .emulator))
    }
    expected.append(configuration.event(time: at(1009), streamID: 0x100, origin: .emulator))
    expected.append(
      .map(
        time: at(1009), streamID: 0x100, asid: 3, iova: 0x4320_0000, outputAddress: 0x55E0_0000,
        log2SizeBytes: 21, level: 2, granule: .kib4, descriptor: 0x55E0_0F45, origin: .emulator))
    expected.append(
      .dma(
        time: at(1009), streamID: 0x100, iova: 0x4321_0FF8,
        flags: [.readable, .writable, .addressRecorded], expectedAddress: 0x55E1_0FF8,
        outcome: .translated, origin: .emulator))
    expected.append(
      .dma(
        time: at(1022), streamID: 0x100, iova: 0x4321_1000, flags: [.readable, .addressRecorded],
        expectedAddress: 0x55E1_1000, outcome: .translated, origin: .emulator))
    expected.append(
      .map(
        time: at(1035), streamID: 0x100, asid: 3, iova: 0xFFFF_F000, outputAddress: 0x809_0000,
        log2SizeBytes: 12, level: 3, granule: .kib4, descriptor: 0x60_0000_0809_0E4B,
        origin: .emulator))
    expected.append(
      .msi(
        time: at(1035), streamID: 0x100, deviceID: 0x100, address: 0xFFFF_F040, data: 1, vector: 1,
        flags: [.write, .readable, .writable, .addressRecorded, .interruptRecorded],
        expectedAddress: 0x809_0040, expectedINTID: 0x2003, expectedTarget: .pe(2),
        outcome: .delivered, origin: .emulator))
    expected.append(.smmuCommand(time: at(1036), 0x46, 0, origin: .emulator))
    expected.append(.acknowledge(time: at(1039), target: .pe(0), intid: 0x2005, origin: .emulator))
    expected.append(.acknowledge(time: at(1050), target: .pe(2), intid: 0x2003, origin: .emulator))
    expected.append(
      .endOfInterrupt(time: at(1060), target: .pe(2), intid: 0x2003, origin: .emulator))
    expected.append(
      .unmap(
        time: at(1103), streamID: 0, asid: 3, iova: 0x4320_0000, log2SizeBytes: 21, level: 2,
        granule: .kib4, flags: .inferred, origin: .emulator))
    // 0x200 pages: NUM 0, SCALE 9.
    expected.append(
      .smmuCommand(
        time: at(1103), 0x12 | 9 << 20 | 3 << 48, 0x4320_0000 | 1 | 2 << 8 | 1 << 10,
        origin: .emulator))
    expected.append(.smmuCommand(time: at(1104), 0x46, 0, origin: .emulator))
    expected.append(
      .unmap(
        time: at(1204), streamID: 0x100, asid: 3, iova: 0xFFFF_F000, log2SizeBytes: 12, level: 3,
        granule: .kib4, flags: .inferred, origin: .emulator))
    expected.append(
      .msi(
        time: at(1204), streamID: 0x100, deviceID: 0x100, address: 0xFFFF_F040, data: 1, vector: 1,
        outcome: .smmuFault(0x10), origin: .emulator))
    #expect(imported.events == expected)
    #expect(imported.report.eventCount == UInt64(expected.count))
    #expect(imported.report.notUnderstoodLines == 0)
    #expect(imported.report.geometry.itsTranslationPage == 0x809_0000)
    #expect(imported.report.isTranslationPageRecorded)
    #expect(imported.report.geometry.peCount == 3)
    #expect(imported.report.geometry.inputAddressBits == 48)
  }

  @Test func theEventsDoNotDependOnWhereBlocksAndReadsEnd() throws {
    let text = try Golden.bytes("translation.log")
    let whole = try Imported(text)
    for size in [1, 2, 3, 7, 24, 63, 64, 65, 127, 1000] {
      #expect(try Imported(text, pieceBytes: size).events == whole.events, "pieces of \(size)")
      #expect(try Imported(text, blockBytes: size).events == whole.events, "blocks of \(size)")
    }
  }

  @Test func aRepeatedWalkOfAKnownLeafGivesNoSecondMap() throws {
    let text = try Golden.bytes("translation.log")
    let once = try Imported(text)
    let walk = [
      "80@2000.000000:smmuv3_config_cache_hit Config cache HIT for sid=0x100 (hits=1, misses=1)",
      "80@2000.000001:smmu_iotlb_lookup_miss IOTLB cache MISS asid=3 addr=0x5000 hit=1 miss=2",
      "80@2000.000002:smmu_ptw_page_pte stage=1 level=3 iova=0x5000 base@=0x4 pte@=0x5 pte=0x7743"
        + " page address = 0x7000",
      "80@2000.000003:smmu_iotlb_insert IOTLB ++ asid=3 addr=0x5000 tg=1 level=3",
      "80@2000.000004:smmuv3_translate_success m sid=0x100 iova=0x5008 translated=0x7008 perm=0x3",
    ]
    let twice = try Imported(text + Array(((walk + walk).joined(separator: "\n") + "\n").utf8))
    #expect(twice.events(.map).count == once.events(.map).count + 1)
    #expect(twice.events(.dma).count == once.events(.dma).count + 2)
  }

  @Test func aLogThatStartsInTheMiddleGetsInferredMappings() throws {
    let imported = try Imported([
      "80@1.000000:smmuv3_config_cache_hit Config cache HIT for sid=0x8 (hits=1, misses=1)",
      "80@1.000001:smmu_iotlb_lookup_hit IOTLB cache HIT asid=9 addr=0x5000 hit=1 miss=2",
      "80@1.000002:smmuv3_translate_success m sid=0x8 iova=0x5008 translated=0x7008 perm=0x3",
      "80@1.000003:smmuv3_config_cache_hit Config cache HIT for sid=0x8 (hits=1, misses=1)",
      "80@1.000004:smmu_iotlb_lookup_hit IOTLB cache HIT asid=9 addr=0x5000 hit=1 miss=2",
      "80@1.000005:smmuv3_translate_success m sid=0x8 iova=0x5010 translated=0x7010 perm=0x3",
    ])
    let maps = imported.events(.map)
    #expect(imported.report.inferredMappings == 1)
    #expect(maps.count == 1)
    #expect(maps.first?.flags == .inferred)
    #expect(maps.first?.asid == 9)
    #expect(maps.first?.outputAddress == 0x7000)
  }

  @Test func anASIDThatComesBackWithAnotherTableLosesItsPages() throws {
    func translation(_ time: Int, table: String, page: Int) -> [String] {
      let iova = String(page << 12, radix: 16)
      return [
        "80@\(time).000000:smmuv3_config_cache_miss Config cache MISS for sid=0x8 (hits=1)",
        "80@\(time).000001:smmuv3_decode_cd oas=44",
        "80@\(time).000002:smmuv3_decode_cd_tt TT[0]:tsz:16 ttb:\(table) granule_sz:12 had:0",
        "80@\(time).000003:smmu_iotlb_lookup_miss IOTLB cache MISS asid=1 addr=0x\(iova) hit=0",
        "80@\(time).000004:smmu_ptw_page_pte stage=1 level=3 iova=0x\(iova) base@=0x1 pte@=0x2"
          + " pte=0x7743 page address = 0x7000",
        "80@\(time).000005:smmu_iotlb_insert IOTLB ++ asid=1 addr=0x\(iova) tg=1 level=3",
        "80@\(time).000006:smmuv3_translate_success m sid=0x8 iova=0x\(iova) translated=0x7000 perm=0x3",
      ]
    }
    let imported = try Imported(
      translation(1, table: "0x1000", page: 5) + translation(2, table: "0x1000", page: 6)
        + translation(3, table: "0x2000", page: 7))
    #expect(
      imported.events.map(\.kind) == [
        .streamConfiguration, .map, .dma, .streamConfiguration, .map, .dma,
        .unmap, .unmap, .streamConfiguration, .map, .dma,
      ])
    #expect(imported.events(.unmap).map(\.iova) == [0x5000, 0x6000])
  }
}
