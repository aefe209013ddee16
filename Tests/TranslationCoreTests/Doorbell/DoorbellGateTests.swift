import EventModel
import ReferenceModel
import TestSupport
import Testing

@testable import TranslationCore

private let itsFrame: UInt64 = 0x10_2F10_0000
/// Where the guest of the true nested doorbell mapped its ITS, and where that is.
private let guestIOVA: UInt64 = 0xFFFF_F000
private let virtualITS: UInt64 = 0x0809_0000

/// One policy, as SMMU and gate.
struct DoorbellPath {
  var policy: DoorbellPolicy
  /// 4 KiB or 2 MiB leaves of stage 2, and its input width: reads of one miss without caches.
  var block: UInt8 = 21
  var bits: UInt8 = 40
  var reads: UInt64
  /// The CD behind stage 2: its own read and those of its address.
  var cdReads: UInt64 = 1

  var gate: DoorbellGate {
    guard case .hardwareReserved(let base, let length) = policy else {
      return DoorbellGate(frames: [itsFrame])
    }
    return DoorbellGate(frames: [itsFrame], interceptBase: base, interceptBytes: length)
  }

  var iova: UInt64 {
    if case .hardwareReserved(let base, _) = policy { return base }
    return policy.path(to: itsFrame, guestIOVA: guestIOVA)!.iova
  }

  func smmu(_ change: (inout SMMUOptions) -> Void = { _ in }) -> SMMUCore {
    var geometry = TableGeometry()
    geometry.outputAddressBits = 48
    var options = SMMUOptions()
    options.nested = policy.usesStage2
    options.stage2BlockLog2 = block
    options.stage2InputBits = bits
    options.guestMemory = 0x4000_0000..<0x6000_0000
    options.arenaLimitBytes = 16 << 20
    change(&options)
    var smmu = SMMUCore(geometry: geometry, options: options)
    smmu.configureStream(SMMUWorld.stream(8))
    if let path = policy.path(to: itsFrame, guestIOVA: guestIOVA) {
      smmu.map(SMMUWorld.page(path.iova, to: path.ipa ?? path.pa))
      if let ipa = path.ipa { smmu.mapStage2(ipa: ipa, pa: path.pa, log2SizeBytes: 12) }
    }
    return smmu
  }
}

@Suite struct DoorbellGateTests {
  static let paths = [
    DoorbellPath(policy: .linuxWindow, reads: 4),
    DoorbellPath(policy: .linuxIdentity, reads: 15, cdReads: 3),
    DoorbellPath(policy: .nestedDoorbell(virtualPage: virtualITS), reads: 15, cdReads: 3),
    DoorbellPath(policy: .linuxIdentity, block: 12, reads: 19, cdReads: 4),
    DoorbellPath(
      policy: .nestedDoorbell(virtualPage: virtualITS), block: 12, reads: 19, cdReads: 4),
    DoorbellPath(policy: .linuxIdentity, block: 12, bits: 48, reads: 24, cdReads: 5),
    DoorbellPath(
      policy: .nestedDoorbell(virtualPage: virtualITS), block: 12, bits: 48, reads: 24, cdReads: 5),
    DoorbellPath(policy: .x86, reads: 0, cdReads: 0),
  ]

  /// Reads of one doorbell write: cold, after the page was invalidated, and with a hit.
  @Test(arguments: paths)
  func eachPolicyReadsItsTablesOnAMissAndNothingOnAHit(_ path: DoorbellPath) {
    let gate = path.gate
    var smmu = path.smmu {
      $0.stage2TLBEntries = 0
      $0.walkCacheEntries = 0
    }
    let address = path.iova + 0x40
    func write() -> (DoorbellArrival, WorkCounters) {
      let before = smmu.work
      let arrival = gate.write(streamID: 8, address: address, through: &smmu)
      return (arrival, smmu.work - before)
    }
    let isX86 = path.policy.addressAuthor == .hardware
    let expected =
      isX86 ? DoorbellArrival(.interrupt, address) : DoorbellArrival(.translater, 0)

    let (first, cold) = write()
    #expect(first == expected)
    #expect(cold.steReads == (isX86 ? 0 : 2))
    let configuration = cold.cdReads + cold.stage2DescriptorReads
    let walk = cold.stage1DescriptorReads
    #expect(configuration + walk == path.cdReads + path.reads)

    smmu.command(SMMUCommandWord.invalidateVA(path.iova, leaf: false))
    let (second, miss) = write()
    #expect(second == expected && miss.tlbMisses == (isX86 ? 0 : 1))
    #expect(miss.steReads + miss.cdReads == 0)
    #expect(miss.stage1DescriptorReads + miss.stage2DescriptorReads == path.reads)
    #expect((miss.stage1DescriptorReads > 0) == path.policy.usesStage1)
    #expect((miss.stage2DescriptorReads > 0) == path.policy.usesStage2)

    let (third, hit) = write()
    #expect(third == expected && hit.accesses == (isX86 ? 0 : 1) && hit.tlbMisses == 0)
    #expect(hit.stage1DescriptorReads + hit.stage2DescriptorReads == 0)
  }

  /// With all caches, what an invalidated page costs: the last table is known, stage 2 too.
  @Test(arguments: paths)
  func withEveryCacheAMissIsOneReadAtMost(_ path: DoorbellPath) {
    let gate = path.gate
    var smmu = path.smmu()
    _ = gate.write(streamID: 8, address: path.iova + 0x40, through: &smmu)
    smmu.command(SMMUCommandWord.invalidateVA(path.iova, leaf: true))
    let before = smmu.work
    _ = gate.write(streamID: 8, address: path.iova + 0x40, through: &smmu)
    let work = smmu.work - before
    #expect(
      work.stage1DescriptorReads + work.stage2DescriptorReads == (path.policy.usesStage1 ? 1 : 0))
  }

  /// What x86 reads instead: the remapping table's entry, unless that is cached.
  @Test func aReservedRangeReadsItsRemappingEntryInstead() {
    let path = Self.paths.last!
    let gate = path.gate
    var smmu = path.smmu()
    var unit = VTdCore(descriptorCount: 1)
    // Present, fixed to destination 1; any requester.
    let stored = unit.write(low: 1 | 0x31 << 16 | 1 << 32, high: 0, at: 0)
    #expect(stored)
    // Remappable format, handle 0.
    let address = 0xFEE0_0000 | 0x10 as UInt64
    for expected in [1, 1] as [UInt64] {
      let arrival = gate.write(streamID: 8, address: address, through: &smmu)
      #expect(arrival == DoorbellArrival(.interrupt, address))
      let interrupt = unit.request(address: arrival.value, data: 0, requester: 8)
      #expect(interrupt.vector == 0x31 && unit.entryReads == expected)
    }
    #expect(smmu.work.accesses == 0)
  }

  @Test func framesAreFoundAmongManyInTheCallersOrder() {
    let frames: [UInt64] = [0x5_0000, 0x1_0000, 0x9_0000, 0x3_0000, 0x1_0000, 0x7_0000]
    let gate = DoorbellGate(frames: frames)
    for (index, frame) in frames.enumerated() {
      let expected = UInt64(index == 4 ? 1 : index)
      #expect(gate.arrival(at: frame + 0x40) == DoorbellArrival(.translater, expected))
      #expect(
        gate.arrival(at: frame + 0x40, sizeBytes: 2) == DoorbellArrival(.translater, expected))
      #expect(
        gate.arrival(at: frame + 0x40, sizeBytes: 8) == DoorbellArrival(.otherRegister, expected))
      #expect(gate.arrival(at: frame + 0x44) == DoorbellArrival(.otherRegister, expected))
      #expect(gate.arrival(at: frame - 4) == DoorbellArrival(.memory, frame - 4))
      #expect(gate.arrival(at: frame + 0x1_0000) == DoorbellArrival(.memory, frame + 0x1_0000))
    }
    let none = DoorbellGate(frames: [])
    #expect(none.arrival(at: 0x40) == DoorbellArrival(.memory, 0x40))
    let intercepted = none.intercepts(0)
    #expect(!intercepted)
  }
}
