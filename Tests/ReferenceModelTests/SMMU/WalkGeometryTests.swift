import EventModel
import ReferenceModel
import Testing

@Suite struct WalkGeometryTests {
  private static let smmu = {
    var smmu = SMMU.Identification()
    smmu.outputAddressBits = 52
    return smmu
  }()

  private static func stage1(_ granule: Granule, _ bits: UInt64) -> WalkGeometry? {
    var cd = ContextDescriptor()
    cd.tg0 = SMMUFixture.code(granule)
    cd.t0SZ = UInt8(64 - bits)
    return WalkGeometry(stage1: cd, smmu)
  }

  private static func stage2(_ granule: Granule, _ bits: UInt64, sl0: UInt8) -> WalkGeometry? {
    var ste = StreamTableEntry(config: StreamTableEntry.stage2)
    ste.s2TG = SMMUFixture.code(granule)
    ste.s2T0SZ = UInt8(64 - bits)
    ste.s2SL0 = sl0
    ste.s2PS = 6
    return WalkGeometry(stage2: ste, smmu)
  }

  /// Arm ARM, D8.2: the start levels by input size.
  @Test(
    arguments: [
      (Granule.kib4, 48, 0), (.kib4, 40, 0), (.kib4, 39, 1), (.kib4, 32, 1), (.kib4, 31, 1),
      (.kib4, 30, 2), (.kib4, 25, 2), (.kib16, 48, 0), (.kib16, 47, 1), (.kib16, 37, 1),
      (.kib16, 36, 2), (.kib16, 25, 3), (.kib64, 52, 1), (.kib64, 48, 1), (.kib64, 43, 1),
      (.kib64, 42, 2), (.kib64, 30, 2), (.kib64, 29, 3), (.kib64, 25, 3),
    ] as [(Granule, UInt64, Int)])
  func stage1StartsWhereTheInputFits(granule: Granule, bits: UInt64, level: Int) throws {
    let geometry = try #require(Self.stage1(granule, bits))
    #expect(geometry.startLevel == level)
    #expect(geometry.concatenatedTables == 1)
  }

  @Test func stage1RefusesSizesOutOfRange() {
    #expect(Self.stage1(.kib4, 49) == nil)
    #expect(Self.stage1(.kib4, 24) == nil)
    #expect(Self.stage1(.kib16, 49) == nil)
    #expect(Self.stage1(.kib64, 53) == nil)
    #expect(Self.stage1(.kib64, 52) != nil)
  }

  /// S2SL0: 4 KiB 0, 1, 2 → level 2, 1, 0; the others → level 3, 2, 1. At most 16 tables.
  @Test(
    arguments: [
      (Granule.kib4, 48, 2, 0, 1), (.kib4, 44, 2, 0, 1), (.kib4, 43, 1, 1, 16),
      (.kib4, 40, 1, 1, 2), (.kib4, 39, 1, 1, 1), (.kib4, 34, 0, 2, 16), (.kib4, 31, 0, 2, 2),
      (.kib16, 48, 2, 1, 2), (.kib16, 47, 2, 1, 1), (.kib16, 40, 1, 2, 16), (.kib16, 29, 0, 3, 16),
      (.kib64, 48, 2, 1, 1), (.kib64, 46, 1, 2, 16), (.kib64, 43, 1, 2, 2), (.kib64, 33, 0, 3, 16),
    ] as [(Granule, UInt64, UInt8, Int, UInt64)])
  func stage2StartsWhereSL0Says(
    granule: Granule, bits: UInt64, sl0: UInt8, level: Int, tables: UInt64
  ) throws {
    let geometry = try #require(Self.stage2(granule, bits, sl0: sl0))
    #expect(geometry.startLevel == level)
    #expect(geometry.concatenatedTables == tables)
    #expect(geometry.rootSizeBytes == 8 << (bits - SMMUFixture.shift(granule, level)))
    #expect(WalkGeometry.s2SL0(startLevel: level, granule) == sl0)
  }

  @Test func stage2RefusesWhatDoesNotFitTogether() {
    #expect(Self.stage2(.kib4, 44, sl0: 1) == nil, "32 tables would be needed")
    #expect(Self.stage2(.kib4, 30, sl0: 1) == nil, "nothing left to index at level 1")
    #expect(Self.stage2(.kib4, 48, sl0: 3) == nil, "reserved")
    #expect(Self.stage2(.kib16, 48, sl0: 1) == nil)
    #expect(Self.stage2(.kib64, 47, sl0: 1) == nil)
  }

  @Test func blocksExistOnlyWhereTheGranuleHasThem() throws {
    let four = try #require(Self.stage1(.kib4, 48))
    #expect((0...2).map(four.allowsBlock) == [false, true, true])
    let sixteen = try #require(Self.stage1(.kib16, 48))
    #expect((0...2).map(sixteen.allowsBlock) == [false, false, true])
    var sixtyFour = try #require(Self.stage1(.kib64, 48))
    #expect((1...2).map(sixtyFour.allowsBlock) == [false, true])
    sixtyFour.outputBits = 52
    #expect((1...2).map(sixtyFour.allowsBlock) == [true, true])
  }
}
