import EventModel
import ReferenceModel
import TestSupport
import Testing

@Suite struct StreamTableEntryTests {
  /// A nested STE and its bytes, put together from the field table of IHI 0070, §5.2 by hand.
  @Test func nestedEntryHasTheBitsOfTheSpecification() {
    var ste = StreamTableEntry(config: StreamTableEntry.nested)
    ste.s1Fmt = 2
    ste.s1ContextPtr = 0x434F_D000
    ste.s1CDMax = 5
    ste.s1DSS = 2
    ste.s1CIR = 1
    ste.s1COR = 1
    ste.s1CSH = 3
    ste.mev = true
    ste.s2FWB = true
    ste.s1STALLD = true
    ste.eats = 1
    ste.strw = 2
    ste.shcfg = 1
    ste.s2VMID = 0x1234
    ste.s2T0SZ = 24
    ste.s2SL0 = 1
    ste.s2IR0 = 1
    ste.s2OR0 = 1
    ste.s2SH0 = 3
    ste.s2PS = 5
    ste.s2AA64 = true
    ste.s2PTW = true
    ste.s2R = true
    ste.s2TTB = 0x4_5678_9000
    let golden: [UInt64] = [
      0x2800_0000_434F_D02F, 0x0000_1000_9A08_00D6, 0x044D_3558_0000_1234, 0x0000_0004_5678_9000,
      0, 0, 0, 0,
    ]
    #expect(ste.dwords == golden)
    #expect(StreamTableEntry(golden) == ste)
  }

  @Test func entryOfARecordedBlockedStreamIsOneBit() {
    #expect(StreamTableEntry(config: StreamTableEntry.abort).dwords == [1, 0, 0, 0, 0, 0, 0, 0])
    #expect(StreamTableEntry([0, 0, 0, 0, 0, 0, 0, 0]).v == false)
  }

  /// Each bit of a known field survives a round trip, every other bit is dropped.
  @Test func everyBitOfEveryFieldIsKeptAndNoOther() {
    let fields: [UInt64] = [
      0xF80F_FFFF_FFFF_FFFF, 0x0000_3000_FA08_00FF, 0x07FF_FFFF_0000_FFFF,
      0x000F_FFFF_FFFF_FFF0, 0, 0, 0, 0,
    ]
    for dword in 0..<8 {
      for bit in 0..<64 {
        var raw = [UInt64](repeating: 0, count: 8)
        raw[dword] = 1 << UInt64(bit)
        let kept = StreamTableEntry(raw).dwords
        raw[dword] &= fields[dword]
        #expect(kept == raw, "DW\(dword) bit \(bit)")
      }
    }
  }

  @Test func levelOneDescriptorGoesBothWays() {
    let descriptor = StreamTableLevel1Descriptor(span: 9, l2Ptr: 0xB9AC_0000)
    #expect(descriptor.dword == 0xB9AC_0009)
    #expect(StreamTableLevel1Descriptor(0xB9AC_0009) == descriptor)
  }

  @Test func tableConfigurationRegisterGoesBothWays() {
    var registers = SMMU.Registers()
    registers.streamTableConfiguration = 0x1_0210
    #expect(registers.log2Size == 16 && registers.split == 8 && registers.format == .twoLevel)
    #expect(registers.streamTableConfiguration == 0x1_0210)
    registers.streamTableConfiguration = 0x3_0000
    #expect(registers.format == .linear)
  }
}

@Suite struct ContextDescriptorTests {
  /// The CD that Linux writes for DMA, with the TTB that a recording shows.
  @Test func linuxDescriptorHasTheBitsOfTheSpecification() {
    var cd = ContextDescriptor()
    cd.ir0 = 1
    cd.or0 = 1
    cd.sh0 = 3
    cd.aset = true
    cd.asid = 3
    cd.ttb0 = 0x4D6F_5000
    cd.mair = 0xF404_FF44
    let golden: [UInt64] = [
      0x0003_E205_C000_3510, 0x4D6F_5000, 0, 0xF404_FF44, 0, 0, 0, 0,
    ]
    #expect(cd.dwords == golden)
    #expect(ContextDescriptor(golden) == cd)
  }

  @Test func everyBitOfEveryFieldIsKeptAndNoOther() {
    let fields: [UInt64] = [
      0xFFFF_FE4F_C000_FFFF, 0x000F_FFFF_FFFF_FFF2, 0, .max, 0, 0, 0, 0,
    ]
    for dword in 0..<8 {
      for bit in 0..<64 {
        var raw = [UInt64](repeating: 0, count: 8)
        raw[dword] = 1 << UInt64(bit)
        let kept = ContextDescriptor(raw).dwords
        raw[dword] &= fields[dword]
        #expect(kept == raw, "DW\(dword) bit \(bit)")
      }
    }
  }

  @Test func levelOneDescriptorGoesBothWays() {
    let descriptor = ContextTableLevel1Descriptor(v: true, l2Ptr: 0x1234_5000)
    #expect(descriptor.dword == 0x1234_5001)
    #expect(ContextTableLevel1Descriptor(0x1234_5001) == descriptor)
  }
}
