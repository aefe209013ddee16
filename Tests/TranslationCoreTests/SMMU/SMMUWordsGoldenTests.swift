import EventModel
import ReferenceModel
import Testing

@testable import TranslationCore

/// STE, CD and commands word by word: what the reference writes the core reads, and the other way.
@Suite struct SMMUWordsGoldenTests {
  /// Nested: 1,024 CDs in two levels, full ATS, 40-bit stage 2 from level 1 with hardware updates.
  static let steWords: [UInt64] = [
    0x5000_0000_4000_002F, 0x0000_1000_1800_00D6, 0x05CD_3558_0000_0007, 0x8000_0000, 0, 0, 0, 0,
  ]
  /// 16 KiB granule, 48 bits in, 44 out, everything switched on but stalls.
  static let cdWords: [UInt64] = [
    0x1234_EE4C_C000_3590, 0x4D6F_4002, 0, 0xF404_FF44, 0, 0, 0, 0,
  ]

  @Test func theCoreReadsAnSTE() throws {
    var ste = ReferenceModel.StreamTableEntry(config: 7)
    ste.s1Fmt = 2
    ste.s1ContextPtr = 0x4000_0000
    ste.s1CDMax = 10
    ste.s1DSS = 2
    ste.s1CIR = 1
    ste.s1COR = 1
    ste.s1CSH = 3
    ste.s1STALLD = true
    ste.eats = 1
    ste.shcfg = 1
    ste.s2VMID = 7
    ste.s2T0SZ = 24
    ste.s2SL0 = 1
    ste.s2IR0 = 1
    ste.s2OR0 = 1
    ste.s2SH0 = 3
    ste.s2PS = 5
    ste.s2AA64 = true
    ste.s2PTW = true
    ste.s2HD = true
    ste.s2HA = true
    ste.s2R = true
    ste.s2TTB = 0x8000_0000
    #expect(ste.dwords == Self.steWords)
    #expect(ReferenceModel.StreamTableEntry(Self.steWords) == ste)

    let words = Self.steWords
    let found = TranslationCore.StreamContext(
      (words[0], words[1], words[2], words[3]), 48, SMMUFeatures(), e2h: true, checksTables: true)
    let stream = try #require(found)
    #expect(stream.kind == TranslationCore.StreamContext.Kind.nested)
    #expect(stream.contextPointer == 0x4000_0000 && stream.contextLeafBits == 10)
    #expect(stream.substreamBits == 10 && stream.defaultSubstream == 2 && stream.ats == 1)
    #expect(stream.vmid == 7 && stream.world == .nsEL1 && stream.root2 == 0x8000_0000)
    #expect(stream.stage2.inputBits == 40 && stream.stage2.startLevel == 1)
    #expect(stream.stage2.granuleShift == 12 && stream.outputBits2 == 48)
    #expect(
      stream.flags == [
        .protectsWalks, .updatesDirtyState, .updatesAccessFlag, .records, .stage1NeverStalls,
      ])
  }

  @Test func theCoreReadsACD() throws {
    var cd = ReferenceModel.ContextDescriptor()
    cd.t0SZ = 16
    cd.tg0 = 2
    cd.ir0 = 1
    cd.or0 = 1
    cd.sh0 = 3
    cd.ips = 4
    cd.affd = true
    cd.tbi0 = true
    cd.hd = true
    cd.ha = true
    cd.aset = true
    cd.asid = 0x1234
    cd.had0 = true
    cd.ttb0 = 0x4D6F_4000
    cd.mair = 0xF404_FF44
    #expect(cd.dwords == Self.cdWords)
    #expect(ReferenceModel.ContextDescriptor(Self.cdWords) == cd)

    let found = ContextEntry(
      Self.cdWords[0], Self.cdWords[1], TranslationCore.StreamContext(), 48, SMMUFeatures(),
      checksTables: true)
    let context = try #require(found)
    #expect(context.root == 0x4D6F_4000 && context.outputBits == 44)
    #expect(context.shape == TableShape(granuleShift: 14, inputBits: 48))
    #expect(
      context.flags == [
        .updatesDirtyState, .updatesAccessFlag, .records, .aborts, .noAccessFaults,
        .ignoresTopByte, .ignoresLimits,
      ])
  }

  /// One bit wrong, and the SMMU refuses the entry: both sides for every bit of four doublewords.
  @Test func everyBitOfAnSTEMattersAlike() {
    var identification = SMMU.Identification()
    identification.outputAddressBits = 48
    var refused = 0
    for bit in 0..<256 {
      var words = Self.steWords
      words[bit / 64] ^= 1 << UInt64(bit % 64)
      let expected = ReferenceModel.StreamTableEntry(words).isIllegal(for: identification)
      let given = TranslationCore.StreamContext(
        (words[0], words[1], words[2], words[3]), 48, SMMUFeatures(), e2h: true,
        checksTables: true)
      #expect((given == nil) == expected, "bit \(bit)")
      if expected { refused += 1 }
    }
    #expect(refused > 10)
  }

  /// With EPD0 too, which leaves T0SZ and TG0 unread, but not at EL2 without EL0.
  @Test(arguments: [false, true], [false, true])
  func everyBitOfACDMattersAlike(isEL2: Bool, setsEPD0: Bool) {
    var identification = SMMU.Identification()
    identification.outputAddressBits = 48
    var ste = ReferenceModel.StreamTableEntry(config: 5)
    ste.s1STALLD = true
    if isEL2 { ste.strw = 2 }
    var stream = TranslationCore.StreamContext()
    stream.flags = .stage1NeverStalls
    stream.world = isEL2 ? .el2 : .nsEL1
    var refused = 0
    for bit in 0..<128 {
      var words = Self.cdWords
      if setsEPD0 { words[0] |= 1 << 14 }
      words[bit / 64] ^= 1 << UInt64(bit % 64)
      let expected = ReferenceModel.ContextDescriptor(words).isIllegal(
        under: ste, e2h: false, for: identification)
      let given = ContextEntry(
        words[0], words[1], stream, 48, SMMUFeatures(), checksTables: true)
      #expect((given == nil) == expected, "bit \(bit)")
      if expected { refused += 1 }
    }
    // V, AA64 and S count always; ENDI, T0SZ, TG0 and TTB0 unless EPD0 hides them.
    #expect(setsEPD0 && !isEL2 ? refused == 3 : refused > 8)
  }

  /// What `configureStream` stores is what the reference's driver stores, but for addresses.
  @Test(arguments: [4, 5, 6, 7] as [UInt8])
  func theCoreStoresWhatADriverStores(_ config: UInt8) throws {
    var options = SMMUOptions()
    options.nested = false
    options.streamTableSplit = 0
    options.arenaLimitBytes = 16 << 20
    var core = SMMUCore(geometry: TableGeometry(), options: options)
    var configuration = StreamConfiguration()
    configuration.config = config
    configuration.asid = 3
    configuration.vmid = 7
    configuration.s2t0sz = 24
    configuration.s2sl0 = 1
    configuration.s2ps = 5
    core.configureStream(configuration.event(time: 0, streamID: 8))
    let place = core.memory.lowerBound + core.streamTable + 8 * 64
    let words = (0..<8).map { core.load(physical: place + UInt64($0) * 8)! }
    let ste = ReferenceModel.StreamTableEntry(words)
    #expect(ste.dwords == words)

    var layout = TableBuilder.Layout()
    layout.streamTable = .linear
    var reference = SMMU(tables: TableBuilder(layout))
    try reference.configure(configuration.event(time: 0, streamID: 8))
    let base = reference.registers.streamTableBase + 8 * 64
    var expected = ReferenceModel.StreamTableEntry(
      (0..<8).map { reference.memory.load(at: base + UInt64($0) * 8) })
    let wanted = expected.s1ContextPtr
    expected.s1ContextPtr = ste.s1ContextPtr
    expected.s2TTB = ste.s2TTB
    if config & 3 == 0 { expected.s2VMID = ste.s2VMID }
    #expect(ste == expected)
    guard config == 5 else { return }
    var cd = ReferenceModel.ContextDescriptor(
      (0..<8).map { core.load(physical: ste.s1ContextPtr + UInt64($0) * 8)! })
    let right = ReferenceModel.ContextDescriptor(
      (0..<8).map { reference.memory.load(at: wanted + UInt64($0) * 8) })
    cd.ttb0 = right.ttb0
    #expect(cd == right)
  }
}
