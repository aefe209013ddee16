import EventModel
import ReferenceModel
import Testing

@Suite struct SMMUCommandTests {
  /// Every command and its two doublewords, from the diagrams of IHI 0070, §4.
  static let golden: [(SMMUCommand, UInt64, UInt64)] = [
    (.prefetchConfig(streamID: 8, substreamID: nil), 0x0000_0008_0000_0001, 0),
    (
      .prefetchAddress(streamID: 8, substreamID: 1, address: 0x1234_5000, log2Pages: 9),
      0x0000_0008_0000_1802, 0x1234_5009
    ),
    (.cfgiSTE(streamID: 0x100, leaf: true), 0x0000_0100_0000_0003, 1),
    (.cfgiSTERange(streamID: 0x40, range: 5), 0x0000_0040_0000_0004, 5),
    (.cfgiAll, 0x04, 31),
    (.cfgiCD(streamID: 8, substreamID: 0xABCDE, leaf: true), 0x0000_0008_ABCD_E005, 1),
    (.cfgiCDAll(streamID: 8), 0x0000_0008_0000_0006, 0),
    (.tlbiNHAll(vmid: 2), 0x0000_0002_0000_0010, 0),
    (.tlbiNHASID(vmid: 2, asid: 3), 0x0003_0002_0000_0011, 0),
    (
      .tlbiNHVA(
        vmid: 0, asid: 1, TLBIRange(0xFFFF_C000, leaf: true, tg: 1, ttl: 3)),
      0x0001_0000_0000_0012, 0xFFFF_C701
    ),
    (
      .tlbiNHVA(
        vmid: 2, asid: 3, TLBIRange(0x8000_0000, tg: 3, ttl: 2, num: 31, scale: 17)),
      0x0003_0002_0111_F012, 0x8000_0E00
    ),
    (.tlbiNHVAA(vmid: 2, TLBIRange(0x1000)), 0x0000_0002_0000_0013, 0x1000),
    (.tlbiEL2All, 0x20, 0),
    (.tlbiEL2ASID(asid: 3), 0x0003_0000_0000_0021, 0),
    (.tlbiEL2VA(asid: 3, TLBIRange(0x1000, leaf: true)), 0x0003_0000_0000_0022, 0x1001),
    (.tlbiEL2VAA(TLBIRange(0x1000)), 0x23, 0x1000),
    (.tlbiS12VMAll(vmid: 2), 0x0000_0002_0000_0028, 0),
    (
      .tlbiS2IPA(vmid: 2, TLBIRange(0xF_1234_5678_9000, leaf: true)), 0x0000_0002_0000_002A,
      0x000F_1234_5678_9001
    ),
    (.tlbiNSNHAll, 0x30, 0),
    (
      .atcInvalidate(streamID: 8, substreamID: 1, global: true, address: 0x1000, log2Pages: 3),
      0x0000_0008_0000_1A40, 0x1003
    ),
    (
      .atcInvalidate(streamID: 8, substreamID: nil, global: false, address: 0, log2Pages: 52),
      0x0000_0008_0000_0040, 52
    ),
    (
      .priResponse(streamID: 8, substreamID: 2, group: 0x101, response: .success),
      0x0000_0008_0000_2841, 0x2101
    ),
    (.resume(streamID: 8, stag: 0xBEEF, response: .abort), 0x0000_0008_0000_2044, 0xBEEF),
    (.stallTerminate(streamID: 8), 0x0000_0008_0000_0045, 0),
    (.sync(CommandSync()), 0x46, 0),
    (
      .sync(
        CommandSync(
          .interrupt, shareability: 3, attributes: 0xF, data: 0x1234, address: 0x8090_0040)),
      0x0000_1234_0FC0_1046, 0x8090_0040
    ),
  ]

  @Test func everyOpcodeHasAGoldenCommand() {
    #expect(Set(Self.golden.map(\.0.opcode)) == Set(SMMUCommand.Opcode.allCases))
  }

  @Test(arguments: golden)
  func commandHasTheBitsOfTheSpecification(
    command: SMMUCommand, dw0: UInt64, dw1: UInt64
  ) throws {
    #expect(command.dwords == (dw0, dw1))
    #expect(try SMMUCommand(dw0, dw1) == command)
  }

  @Test func everyOtherOpcodeIsIllegal() {
    let known = Set(SMMUCommand.Opcode.allCases.map(\.rawValue))
    for opcode in UInt8.min...UInt8.max where !known.contains(opcode) {
      #expect(throws: SMMUCommandError.illegal) { try SMMUCommand(UInt64(opcode), 0) }
    }
  }

  /// Reserved values and combinations (§4.1.6, §4.4.1.1, §4.5, §4.7).
  @Test(
    arguments: [
      (0x0000_0008_0000_0403, 0),  // SSec on the Non-secure queue
      (0x12, 0x1400),  // TG without NUM, SCALE, TTL
      (0x12, 0x1900),  // 16 KiB with TTL 1, which counts as 0
      (0x40, 53),  // more than everything
      (0x41, 0x3000),  // Resp 3
      (0x0000_0000_0000_3044, 0),  // both Retry and Abort
      (0x3046, 0),  // CS 3
    ] as [(UInt64, UInt64)])
  func reservedCombinationIsIllegal(dw0: UInt64, dw1: UInt64) {
    #expect(throws: SMMUCommandError.illegal) { try SMMUCommand(dw0, dw1) }
    var smmu = SMMU()
    #expect(throws: SMMUCommandError.illegal) { try smmu.command(dw0, dw1) }
    #expect(smmu.counters.smmuCommands == 1)
  }

  @Test func rangeCoversNumAndScale() {
    #expect(TLBIRange(0x1000).last == 0x1000, "without a granule it is one address")
    #expect(TLBIRange(0x1000, tg: 1, ttl: 3).last == 0x1FFF)
    #expect(TLBIRange(0, tg: 1, num: 31, scale: 9).last == 32 << 21 - 1)
    #expect(TLBIRange(0, tg: 3, num: 1, scale: 4).last == 0x1F_FFFF)
    #expect(TLBIRange(0xFFFF_0000_0000_0000, tg: 3, num: 31, scale: 31).last == .max, "no wrap")
  }

  @Test func atcInvalidationNeedsATS() throws {
    var identification = SMMU.Identification()
    identification.ats = false
    var smmu = SMMU(identification)
    let command = SMMUCommand.atcInvalidate(
      streamID: 8, substreamID: nil, global: false, address: 0, log2Pages: 52)
    #expect(throws: SMMUCommandError.illegal) { try smmu.execute(command) }
    var able = SMMU()
    try able.execute(command)
    try able.execute(.sync(CommandSync()))
    #expect(able.atcInvalidations == 1 && able.synchronizations == 1)
  }
}

@Suite struct SMMUCommandQueueTests {
  @Test func queueWrapsAndFills() {
    var smmu = SMMU()
    var queue = SMMUCommandQueue(base: 0x7000_0000, log2Size: 2)
    for round in 0..<5 {
      for _ in 0..<4 {
        #expect(!queue.isFull)
        let pushed = queue.push(.sync(CommandSync()), into: &smmu.memory)
        #expect(pushed)
      }
      #expect(queue.isFull && !queue.isEmpty)
      let overfull = queue.push(.tlbiEL2All, into: &smmu.memory)
      #expect(!overfull)
      queue.drain(into: &smmu)
      #expect(queue.isEmpty && smmu.synchronizations == UInt64(4 * (round + 1)))
    }
  }

  @Test func illegalCommandStopsTheQueueUntilAcknowledged() {
    var smmu = SMMU()
    var queue = SMMUCommandQueue(base: 0x7000_0000, log2Size: 3)
    _ = queue.push(.sync(CommandSync()), into: &smmu.memory)
    _ = queue.push(0xFF, 0, into: &smmu.memory)
    _ = queue.push(.sync(CommandSync()), into: &smmu.memory)
    queue.drain(into: &smmu)
    #expect(queue.error == .illegal && queue.consumer == 1 && smmu.synchronizations == 1)
    queue.drain(into: &smmu)
    #expect(queue.consumer == 1, "nothing moves before the error is acknowledged")
    // Software repairs the command in place.
    smmu.memory.store(0x46 as UInt64, at: 0x7000_0010)
    queue.acknowledgeError()
    queue.drain(into: &smmu)
    #expect(queue.isEmpty && queue.error == nil && smmu.synchronizations == 3)
  }

  @Test func unreadableQueueAborts() {
    var smmu = SMMU()
    var queue = SMMUCommandQueue(base: 0x7000_0000, log2Size: 3)
    _ = queue.push(.sync(CommandSync()), into: &smmu.memory)
    smmu.memory.inaccessible = [0x7000_0000..<0x7000_1000]
    queue.drain(into: &smmu)
    #expect(queue.error == .abort && queue.consumer == 0)
  }
}
