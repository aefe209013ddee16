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

  @Test func aNestedWalkOfFourAndFourLevelsReadsTwentyFourDescriptors() {
    var smmu = Self.prepared {
      $0.stage2BlockLog2 = 12
      $0.stage2InputBits = 48
      $0.stage2TLBEntries = 0
      $0.walkCacheEntries = 0
      $0.guestMemory = 0x4000_0000..<0x6000_0000
      $0.arenaLimitBytes = 16 << 20
    }
    smmu.configureStream(SMMUWorld.stream(8))
    smmu.map(SMMUWorld.page(0x1000, to: 0x4321_0000))
    _ = smmu.read(8, 0x5000)
    let before = smmu.work
    #expect(smmu.read(8, 0x1234).address == 0x4321_0234 + offset)
    let work = smmu.work - before
    #expect(work.stage1DescriptorReads + work.stage2DescriptorReads == 24)
  }
}
