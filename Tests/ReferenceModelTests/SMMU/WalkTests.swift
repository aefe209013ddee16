import EventModel
import ReferenceModel
import Testing

@Suite struct WalkTests {
  typealias Shape = SMMUFixture.Shape

  /// Every granule, every start level, and every level that has leaves.
  static let stage1Cases: [(Shape, Int)] = {
    var cases: [(Shape, Int)] = []
    let shapes: [(Granule, [(UInt64, Int)], [Int])] = [
      (.kib4, [(48, 0), (39, 1), (30, 2)], [1, 2, 3]),
      (.kib16, [(48, 0), (47, 1), (36, 2), (25, 3)], [2, 3]),
      (.kib64, [(48, 1), (42, 2), (29, 3)], [2, 3]),
    ]
    for (granule, starts, leaves) in shapes {
      for (bits, start) in starts {
        for leaf in leaves where leaf >= start {
          cases.append((Shape(granule: granule, inputBits: bits, startLevel: start), leaf))
        }
      }
    }
    return cases
  }()

  /// Stage 2 also starts at a level with 1, 2 or 16 tables side by side.
  static let stage2Shapes: [Shape] = [
    Shape(granule: .kib4, inputBits: 48, startLevel: 0),
    Shape(granule: .kib4, inputBits: 39, startLevel: 1),
    Shape(granule: .kib4, inputBits: 40, startLevel: 1),
    Shape(granule: .kib4, inputBits: 43, startLevel: 1),
    Shape(granule: .kib4, inputBits: 34, startLevel: 2),
    Shape(granule: .kib16, inputBits: 47, startLevel: 1),
    Shape(granule: .kib16, inputBits: 48, startLevel: 1),
    Shape(granule: .kib16, inputBits: 40, startLevel: 2),
    Shape(granule: .kib64, inputBits: 48, startLevel: 1),
    Shape(granule: .kib64, inputBits: 42, startLevel: 2),
    Shape(granule: .kib64, inputBits: 46, startLevel: 2),
  ]

  @Test(arguments: stage1Cases)
  func stage1FindsTheLeafAndReadsOncePerLevel(shape: Shape, leaf: Int) {
    var fixture = SMMUFixture(stage1: shape)
    let size: UInt64 = 1 << SMMUFixture.shift(shape.granule, leaf)
    // The last leaf of the input range, so that every index bit is used.
    let va = (1 << shape.inputBits) - size
    fixture.map(va, 5 * size, level: leaf)
    let offset = size - 0x9C0
    let result = fixture.write(va + offset)
    #expect(result.address == 5 * size + offset)
    #expect(result.work.stage1Reads == UInt64(leaf - shape.startLevel + 1))
    #expect(result.translation?.log2SizeBytes == UInt8(SMMUFixture.shift(shape.granule, leaf)))
    #expect(fixture.write(va - size).eventName == "F_TRANSLATION")
  }

  @Test(arguments: stage2Shapes)
  func stage2FindsTheLeafThroughConcatenatedTables(shape: Shape) {
    var fixture = SMMUFixture(stage1: nil, stage2: shape)
    let blocks = shape.granule == .kib4 ? [1, 2, 3] : [2, 3]
    for leaf in blocks where leaf >= shape.startLevel {
      let size: UInt64 = 1 << SMMUFixture.shift(shape.granule, leaf)
      // From the top of the input range down, one leaf level after the other.
      let ipa =
        (1 << shape.inputBits) - UInt64(4 - leaf)
        * (2 << SMMUFixture.shift(shape.granule, blocks[0]))
        & ~(size - 1)
      guard ipa < 1 << shape.inputBits else { continue }
      fixture.mapStage2(ipa, 7 * size, level: leaf)
      let result = fixture.write(ipa + 0x123)
      #expect(result.address == 7 * size + 0x123, "leaf at level \(leaf)")
      #expect(result.work.stage2Reads == UInt64(leaf - shape.startLevel + 1))
    }
    // Beyond IAS the bypassed stage 1 faults; short of it, stage 2's own range does (IHI 0070,
    // §3.4).
    let beyond = fixture.write(1 << shape.inputBits)
    #expect(beyond.eventName == (shape.inputBits == 48 ? "F_ADDR_SIZE" : "F_TRANSLATION"))
    #expect(beyond.fault?.record.stage2 == (shape.inputBits != 48))
  }

  /// Reads = n1·(n2 + 1) + n2: 24, 19, 15, 11 and 8 for the usual pairs.
  @Test(
    arguments: [
      (48, 0, 48, 0, 24), (48, 0, 40, 1, 19), (39, 1, 40, 1, 15), (39, 1, 34, 2, 11),
      (30, 2, 34, 2, 8),
    ] as [(UInt64, Int, UInt64, Int, UInt64)])
  func nestedWalkReadsAsManyDescriptorsAsTheFormula(
    s1Bits: UInt64, s1Start: Int, s2Bits: UInt64, s2Start: Int, expected: UInt64
  ) {
    var fixture = SMMUFixture(
      stage1: Shape(granule: .kib4, inputBits: s1Bits, startLevel: s1Start),
      stage2: Shape(granule: .kib4, inputBits: s2Bits, startLevel: s2Start))
    fixture.map(0x1_F000, 0x3000_0000)
    fixture.mapStage2(0x3000_0000, 0x9_0000_0000)
    let (n1, n2) = (UInt64(4 - s1Start), UInt64(4 - s2Start))
    let result = fixture.read(0x1_F040)
    #expect(result.address == 0x9_0000_0040)
    #expect(result.work.stage1Reads == n1)
    // The CD lies at an IPA too: n2 more.
    #expect(result.work.stage2Reads == n1 * n2 + n2 + n2)
    #expect(result.work.stage1Reads + result.work.stage2Reads - n2 == expected)
    #expect(expected == n1 * (n2 + 1) + n2)
  }

  /// Cold worst case with a two-level stream table: 2 + 5 + 24, and with two-level CDs 2 + 10 + 24.
  @Test(arguments: [(0, 31), (1, 36), (2, 36)] as [(UInt8, UInt64)])
  func coldNestedAccessReadsConfigurationToo(format: UInt8, expected: UInt64) {
    let shape = Shape(granule: .kib4, inputBits: 48, startLevel: 0)
    var fixture = SMMUFixture(stage1: shape, stage2: shape)
    fixture.map(0x1_F000, 0x3000_0000)
    fixture.mapStage2(0x3000_0000, 0x9_0000_0000)
    fixture.ste.s1Fmt = format
    if format != 0 {
      fixture.ste.s1CDMax = 5
      fixture.ste.s1DSS = 2
      fixture.storeContext(fixture.cd, at: 0x1101_0000)
      for page in 0..<16 as Range<UInt64> { fixture.backStage1Page(0x1101_0000 + page * 0x1000) }
    }
    fixture.commit()
    if format != 0 {
      fixture.smmu.memory.store(
        ContextTableLevel1Descriptor(v: true, l2Ptr: 0x1101_0000).dword,
        at: fixture.physical(SMMUFixture.contextTable))
    }
    fixture.smmu.registers.format = .twoLevel
    fixture.smmu.registers.log2Size = 16
    fixture.smmu.registers.streamTableBase = 0x1800_0000
    fixture.smmu.memory.store(
      StreamTableLevel1Descriptor(span: 9, l2Ptr: SMMUFixture.streamTable).dword, at: 0x1800_0000)
    let result = fixture.write(0x1_F040)
    #expect(result.address == 0x9_0000_0040)
    #expect(result.work.reads == expected)
    #expect(result.work.level1StreamTableReads == 1 && result.work.steReads == 1)
  }

  @Test func largePhysicalAddressesNeedThe64KGranule() {
    var smmu = SMMU.Identification()
    smmu.outputAddressBits = 52
    let shape = Shape(granule: .kib64, inputBits: 52, startLevel: 1, outputBits: 52)
    var fixture = SMMUFixture(stage1: shape, identification: smmu)
    fixture.map(0xF_0000_0001_0000, 0xA_1234_5678_0000)
    #expect(fixture.read(0xF_0000_0001_0008).address == 0xA_1234_5678_0008)
    fixture.map(4 << 42, 0x5_4000_0000_0000, level: 1)
    #expect(fixture.read(4 << 42 | 0x1234).address == 0x5_4000_0000_0000 | 0x1234)
  }

  @Test(
    arguments: [
      (Granule.kib4, 48, 0, 3, 16), (.kib4, 48, 0, 2, 16), (.kib16, 47, 1, 3, 128),
      (.kib16, 47, 1, 2, 32), (.kib64, 48, 1, 3, 32), (.kib64, 48, 1, 2, 32),
    ]
      as [(Granule, UInt64, Int, Int, UInt64)])
  func contiguousBitJoinsARun(
    granule: Granule, bits: UInt64, start: Int, level: Int, count: UInt64
  ) {
    var fixture = SMMUFixture(
      stage1: Shape(granule: granule, inputBits: bits, startLevel: start), caches: .all)
    let size: UInt64 = 1 << SMMUFixture.shift(granule, level)
    let run = size * count
    for member in 0..<count {
      fixture.map(
        run + member * size, 4 * run + member * size, level: level,
        attributes: SMMUFixture.page | 1 << 52)
    }
    let first = fixture.read(run + size + 8)
    #expect(first.address == 4 * run + size + 8)
    #expect(first.translation?.log2SizeBytes == UInt8(run.trailingZeroBitCount))
    let other = fixture.read(run + (count - 1) * size)
    #expect(other.translation?.tlbHit == true)
    #expect(other.address == 4 * run + (count - 1) * size)
  }

  @Test func topByteIsIgnoredOnlyWithTBI() {
    var fixture = SMMUFixture()
    fixture.map(0x1000, 0x5000)
    let tagged: UInt64 = 0x5A00_0000_0000_1010
    #expect(fixture.read(tagged).eventName == "F_TRANSLATION")
    fixture.cd.tbi0 = true
    fixture.commit()
    #expect(fixture.read(tagged).address == 0x5010)
    #expect(fixture.read(0x0001_0000_0000_1010).eventName == "F_TRANSLATION")
  }
}
