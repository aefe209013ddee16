import EventModel
import TestSupport
import Testing

@testable import TranslationCore

@Suite struct SMMUWalkTests {
  struct Shape: CustomTestStringConvertible {
    var granule: Granule
    var t0sz: UInt8
    var ips: UInt8 = 5
    var nested = true
    var testDescription: String { "\(granule), T0SZ \(t0sz), IPS \(ips), nested \(nested)" }
  }

  /// Start levels 0 to 2, all granules, a 32-bit output width.
  @Test(arguments: [
    Shape(granule: .kib4, t0sz: 16), Shape(granule: .kib4, t0sz: 25),
    Shape(granule: .kib4, t0sz: 34), Shape(granule: .kib4, t0sz: 39, ips: 0),
    Shape(granule: .kib16, t0sz: 16), Shape(granule: .kib16, t0sz: 28, nested: false),
    Shape(granule: .kib64, t0sz: 16, ips: 0), Shape(granule: .kib64, t0sz: 22, nested: false),
  ])
  func cachedAnswersAreThoseOfABruteForceWalk(_ shape: Shape) {
    var options = SMMUOptions()
    options.nested = shape.nested
    options.arenaLimitBytes = 64 << 20
    options.streamTableSplit = 0
    options.tlbEntries = 64
    options.guestMemory = 0x4000_0000..<0x8000_0000
    var smmu = SMMUCore(geometry: TableGeometry(), options: options)
    let walker = BruteForceWalker(smmu)
    var random = SeededGenerator(seed: UInt64(shape.t0sz))
    for stream in 0..<4 as Range<UInt32> {
      smmu.configureStream(
        SMMUWorld.stream(
          stream, asid: UInt16(stream / 2), config: stream == 3 ? 4 : 5, t0sz: shape.t0sz,
          granule: shape.granule, ips: shape.ips, ttb0: 0x1000))
    }
    let page = UInt64(shape.granule.log2Bytes)
    let limit: UInt64 = 1 << (64 - UInt64(shape.t0sz))
    var faults: Set<UInt8> = []
    for step in 0..<20_000 {
      let asid = UInt16(random.next() & 1)
      let high = random.next() % 4 == 0 ? random.next() & (limit - 1) : random.next() & 0xFF_FFFF
      let iova = high & (~0 << page)
      if step % 4 == 0 {
        smmu.unmap(
          SMMUWorld.unmap(
            iova, asid: asid, log2: shape.granule.log2Bytes, granule: shape.granule))
        smmu.command(SMMUCommandWord.invalidateVA(iova, asid: asid, leaf: false))
        let target = random.next() % 8 == 0 ? random.next() & 0xF_FFFF_FFFF : 0x4000_0000 | high
        let leaf: [UInt64] = [0xF47, 0xF47, 0xFC7, 0xF07, 0xB47]
        smmu.map(
          SMMUWorld.page(
            iova, to: target & (~0 << page), asid: asid, log2: shape.granule.log2Bytes,
            granule: shape.granule, bits: leaf[Int(random.next() % 5)]))
      }
      let stream = UInt32(random.next() % 5)
      let write = random.next() & 1 == 0
      let address = random.next() % 50 == 0 ? random.next() : iova | random.next() & 0xFFF
      let answer = smmu.translate(streamID: stream, address: address, write: write, read: !write)
      let expected = walker.translate(smmu, stream, address, write: write)
      if answer != expected {
        Issue.record("step \(step), StreamID \(stream): \(answer), expected \(expected)")
        return
      }
      faults.insert(answer.fault)
    }
    #expect(faults.isSuperset(of: [0, 0x04, 0x10, 0x12, 0x13]))
    if shape.ips == 0 { #expect(faults.contains(0x11)) }
    // Tables of 64 KiB for far-apart pages fill the arena; the walker sees the same tables.
    #expect(smmu.refusals.total == smmu.refusals.arenaFull)
  }

  /// IHI 0070 and the Arm ARM: n1·(n2 + 1) + n2 reads, n levels per stage.
  @Test(arguments: [WalkCost(48, 12, 24), .init(40, 12, 19), .init(40, 21, 14), .init(48, 21, 19)])
  func aNestedWalkReadsWhatTheFormulaSays(_ cost: WalkCost) {
    var geometry = TableGeometry()
    geometry.outputAddressBits = 48
    var options = SMMUOptions()
    options.stage2BlockLog2 = cost.block
    options.stage2InputBits = cost.inputBits
    options.stage2TLBEntries = 0
    options.walkCacheEntries = 0
    options.guestMemory = 0x4000_0000..<0x6000_0000
    options.arenaLimitBytes = 16 << 20
    var smmu = SMMUCore(geometry: geometry, options: options)
    smmu.configureStream(SMMUWorld.stream(8))
    smmu.map(SMMUWorld.page(0x1000, to: 0x4321_0000))
    let cold = smmu.read(8, 0x5000)
    #expect(cold.fault == SMMUEvent.translation)
    let before = smmu.work
    #expect(smmu.read(8, 0x1234).address == 0x40_4321_0234)
    let work = smmu.work - before
    #expect(work.stage1DescriptorReads == 4)
    #expect(work.stage1DescriptorReads + work.stage2DescriptorReads == cost.reads)
  }
}

struct WalkCost {
  var inputBits: UInt8
  var block: UInt8
  var reads: UInt64
  init(_ inputBits: UInt8, _ block: UInt8, _ reads: UInt64) {
    self.inputBits = inputBits
    self.block = block
    self.reads = reads
  }
}
