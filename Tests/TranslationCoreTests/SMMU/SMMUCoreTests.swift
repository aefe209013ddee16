import EventModel
import Testing

@testable import TranslationCore

private let offset: UInt64 = 0x40_0000_0000

@Suite struct SMMUCoreTests {
  static func prepared(
    _ change: (inout SMMUOptions) -> Void = { _ in }
  ) -> SMMUCore {
    var options = SMMUOptions()
    options.arenaLimitBytes = 64 << 20
    change(&options)
    return SMMUCore(geometry: TableGeometry(), options: options)
  }

  @Test func aMappedPageTranslatesAndTheSecondAccessHits() {
    var smmu = Self.prepared()
    smmu.configureStream(SMMUWorld.stream(8))
    smmu.map(SMMUWorld.page(0xFFFF_F000, to: 0x4321_0000))
    #expect(smmu.write(8, 0xFFFF_F040).address == 0x4321_0040 + offset)
    #expect(smmu.work.tlbMisses == 1)
    #expect(smmu.write(8, 0xFFFF_F044).address == 0x4321_0044 + offset)
    #expect(smmu.work.tlbMisses == 1)
    #expect(smmu.work.accesses == 2)
    #expect(smmu.work.steReads == 2)
    #expect(smmu.work.cdReads == 1)
    #expect(smmu.work.configurationCacheMisses == 1)
    #expect(smmu.refusals.total == 0)
  }

  @Test func streamsThatShareAnASIDShareEntries() {
    var smmu = Self.prepared()
    smmu.configureStream(SMMUWorld.stream(8))
    smmu.configureStream(SMMUWorld.stream(16))
    smmu.map(SMMUWorld.page(0x1000, to: 0x4321_0000))
    _ = smmu.read(8, 0x1000)
    #expect(smmu.read(16, 0x1008).address == 0x4321_0008 + offset)
    #expect(smmu.work.tlbMisses == 1)
  }

  @Test func aForgottenInvalidationShowsTheOldTranslation() {
    var smmu = Self.prepared()
    smmu.configureStream(SMMUWorld.stream(8))
    smmu.map(SMMUWorld.page(0x1000, to: 0x4321_0000))
    _ = smmu.read(8, 0x1000)
    smmu.unmap(SMMUWorld.unmap(0x1000))
    #expect(smmu.read(8, 0x1000).address == 0x4321_0000 + offset)
    smmu.command(SMMUCommandWord.invalidateVA(0x1000))
    #expect(smmu.read(8, 0x1000).fault == SMMUEvent.translation)
  }

  @Test func aChangedConfigurationWaitsForCFGI() {
    var smmu = Self.prepared()
    smmu.configureStream(SMMUWorld.stream(8))
    smmu.map(SMMUWorld.page(0x1000, to: 0x4321_0000))
    _ = smmu.read(8, 0x1000)
    smmu.configureStream(SMMUWorld.stream(8, config: 0))
    #expect(smmu.read(8, 0x1000).fault == 0)
    smmu.command(SMMUCommandWord.configuration(8))
    #expect(smmu.read(8, 0x1000).fault == SMMUEvent.aborted)
  }

  @Test func aRangeInvalidationTakesExactlyItsPages() {
    var smmu = Self.prepared()
    smmu.configureStream(SMMUWorld.stream(8))
    for page in 0..<8 as Range<UInt64> {
      smmu.map(SMMUWorld.page(page << 12, to: 0x4000_0000 + page << 12))
      _ = smmu.read(8, page << 12)
    }
    smmu.command(SMMUCommandWord.invalidateVA(2 << 12, pages: 3))
    let before = smmu.work.tlbMisses
    for page in 0..<8 as Range<UInt64> { _ = smmu.read(8, page << 12) }
    #expect(smmu.work.tlbMisses - before == 3)
  }

  @Test func aBlockInSmallStage2PiecesGoesAsAWhole() {
    var smmu = Self.prepared {
      $0.stage2BlockLog2 = 12
      $0.guestMemory = 0x4000_0000..<0x6000_0000
    }
    smmu.configureStream(SMMUWorld.stream(8))
    smmu.map(SMMUWorld.page(0x20_0000, to: 0x4020_0000, log2: 21, level: 2))
    for page in 0..<4 as Range<UInt64> { _ = smmu.read(8, 0x20_0000 + page << 12) }
    #expect(smmu.work.tlbMisses == 4)
    // One address of the block: every piece of it goes (IHI 0070, §4.4).
    smmu.command(SMMUCommandWord.invalidateVA(0x3F_F000))
    for page in 0..<4 as Range<UInt64> { _ = smmu.read(8, 0x20_0000 + page << 12) }
    #expect(smmu.work.tlbMisses == 8)
  }

  @Test func aGlobalEntryGoesByAddressWhateverTheASID() {
    var smmu = Self.prepared()
    smmu.configureStream(SMMUWorld.stream(8, asid: 1))
    smmu.configureStream(SMMUWorld.stream(9, asid: 2, ttb0: 0x9000))
    smmu.map(SMMUWorld.page(0x1000, to: 0x4321_0000, asid: 1, bits: 0x747))
    _ = smmu.read(8, 0x1000)
    smmu.command(SMMUCommandWord.invalidateVA(0x1000, asid: 2))
    _ = smmu.read(8, 0x1000)
    #expect(smmu.work.tlbMisses == 2)
  }

  @Test func aDoorbellPageSplitsTheBlockAroundIt() {
    var smmu = Self.prepared()
    smmu.mapStage2(ipa: 0x4123_4000, pa: 0x0809_0000, log2SizeBytes: 12)
    #expect(smmu.physicalAddress(ofIntermediate: 0x4123_4040) == 0x0809_0040)
    #expect(smmu.physicalAddress(ofIntermediate: 0x4123_5040) == 0x4123_5040 + offset)
    #expect(smmu.physicalAddress(ofIntermediate: 0x0809_0040) == ~0)
  }

  @Test func aLeafOutsideGuestMemoryIsBackedAtTheSameOffset() {
    var smmu = Self.prepared()
    smmu.configureStream(SMMUWorld.stream(8))
    smmu.map(SMMUWorld.page(0x1000, to: 0x1000_0000))
    #expect(smmu.read(8, 0x1004).address == 0x1000_0004 + offset)
  }

  @Test func aRecordedStage2TranslatesItsStreams() {
    var smmu = Self.prepared { $0.nested = false }
    var configuration = StreamConfiguration()
    configuration.config = 7
    configuration.vmid = 5
    configuration.asid = 1
    configuration.s2t0sz = 24
    configuration.s2sl0 = 1
    configuration.s2ps = 5
    smmu.configureStream(configuration.event(time: 0, streamID: 8))
    smmu.map(SMMUWorld.page(0x1000, to: 0x4321_0000, vmid: 5))
    #expect(smmu.read(8, 0x1000).fault == SMMUEvent.translation)
    smmu.map(SMMUWorld.page(0x4321_0000, to: 0x9_8765_0000, vmid: 5, stage: 2, bits: 0x7FF))
    #expect(smmu.read(8, 0x1010).address == 0x9_8765_0010)
  }

  /// The 64 KiB granule and IPS 6: address bits 51:48 stand in descriptor bits 15:12.
  @Test func outputsOf52BitsArePossible() {
    var geometry = TableGeometry()
    geometry.outputAddressBits = 52
    var options = SMMUOptions()
    options.arenaLimitBytes = 64 << 20
    options.nested = false
    var smmu = SMMUCore(geometry: geometry, options: options)
    smmu.configureStream(SMMUWorld.stream(8, t0sz: 12, granule: .kib64, ips: 6))
    let page: UInt64 = 0xF_0123_4567_0000
    smmu.map(SMMUWorld.page(0xE_0000_0005_0000, to: page, log2: 16, granule: .kib64))
    // Level 1 maps 4 TiB at once.
    smmu.map(
      SMMUWorld.page(1 << 42, to: 0xC_0000_0000_0000, log2: 42, level: 1, granule: .kib64))
    #expect(smmu.refusals.total == 0)
    for _ in 0..<2 {
      #expect(smmu.write(8, 0xE_0000_0005_1234).address == page + 0x1234)
      #expect(smmu.read(8, 1 << 42 | 0x12_3456_789A).address == 0xC_0012_3456_789A)
    }
    #expect(smmu.work.tlbMisses == 2)
    #expect(smmu.work.stage1DescriptorReads == 3 + 1)
  }

  @Test func addressesBeyondTheStreamsAndTablesFault() {
    var smmu = Self.prepared()
    #expect(smmu.read(8, 0x1000).address == 0x1000)
    smmu.configureStream(SMMUWorld.stream(8, t0sz: 39))
    smmu.configureStream(SMMUWorld.stream(9, config: 4))
    smmu.configureStream(SMMUWorld.stream(10, t0sz: 50))
    #expect(smmu.read(8, 1 << 25).fault == SMMUEvent.translation)
    #expect(smmu.read(9, 1 << 50).fault == SMMUEvent.addressSize)
    #expect(smmu.read(9, 1 << 42).fault == SMMUEvent.translation)
    #expect(smmu.read(10, 0).fault == SMMUEvent.badCD)
    #expect(smmu.read(11, 0).fault == SMMUEvent.aborted)
    #expect(smmu.read(0x300, 0).fault == SMMUEvent.badStreamID)
    #expect(smmu.read(0x10000, 0).fault == SMMUEvent.badStreamID)
    #expect(smmu.work.smmuFaults == 7)
  }
}
