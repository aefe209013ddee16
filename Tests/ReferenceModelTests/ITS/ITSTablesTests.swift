import EventModel
import ReferenceModel
import Testing

@Suite struct ITSTablesTests {
  /// GITS_TYPER as a QEMU guest reads it, GICv3 and GICv4 ("offset 0x8 data …" in its log).
  @Test func typerIsTheOneOfARecordedMachine() {
    #expect(ITS.Configuration(version: .v3).typer == 0x1F_0001_EFB1)
    #expect(ITS.Configuration(version: .v4).typer == 0x3F_0001_EFB3)
  }

  /// GITS_BASER0…2 as the same guest probes and sets them.
  @Test func baserKeepsItsTypeAndEntrySize() {
    var its = ITS(.init(version: .v4))
    #expect(its.read(register: 0x100) == 0x0107_0000_0000_0000)
    #expect(its.read(register: 0x108) == 0x0407_0000_0000_0000)
    #expect(its.read(register: 0x110) == 0x0207_0000_0000_0000)
    its.write(register: 0x100, value: 0x7800_0000_0000_0400)
    #expect(its.read(register: 0x100) == 0x7907_0000_0000_0400)
    its.write(register: 0x100, value: 0xF907_0000_4259_0600)
    #expect(its.read(register: 0x100) == 0xF907_0000_4259_0600)
    #expect(its.registers.deviceTable.isIndirect)
    #expect(its.registers.deviceTable.address == 0x4259_0000)
    #expect(its.registers.deviceTable.pageSizeBytes == 0x1_0000)
    #expect(its.registers.deviceTable.capacity == 8192 * 8192)
    for offset: UInt64 in [0x118, 0x120, 0x128, 0x130, 0x138] {
      its.write(register: offset, value: UInt64.max)
      #expect(its.read(register: offset) == 0)
    }
    #expect(ITS(.init(version: .v3)).read(register: 0x110) == 0, "no vPE table in GICv3")
  }

  @Test func baserAddressesHave48BitsOr52With64KibPages() {
    var base = ITS.TableBase(kind: .device, entrySizeBytes: 8)
    base.write(0x0000_FFFF_FFFF_F000)
    #expect(base.address == 0x0000_FFFF_FFFF_F000 && base.pageSizeBytes == 4096)
    base.write(0x0000_FFFF_FFFF_F100)
    #expect(base.pageSizeBytes == 0x4000)
    base.write(0x0000_FFFF_FFFF_A200)
    #expect(base.address == 0x000A_FFFF_FFFF_0000)
    base.write(0x300)
    #expect(base.pageSizeBytes == 0x1_0000, "reserved: treated as 64 KiB")
    #expect(base.entrySizeBytes == 8 && base.kind == .device && base.capacity == 0)
  }

  @Test func registersAreWrittenWholeOrByHalves() {
    var its = ITS(.init(version: .v4))
    its.write(register: 0x80, value: 0x4258_040F, sizeBytes: 4)
    its.write(register: 0x84, value: 0xB800_0000, sizeBytes: 4)
    #expect(its.read(register: 0x80) == 0xB800_0000_4258_040F)
    #expect(its.read(register: 0x84, sizeBytes: 4) == 0xB800_0000)
    #expect(its.registers.queueSizeBytes == 0x1_0000, "2048 slots")
    #expect(its.read(register: 0, sizeBytes: 4) == 0x8000_0000, "disabled and quiescent")
    its.write(register: 0, value: 0x8000_0003, sizeBytes: 4)
    #expect(its.read(register: 0, sizeBytes: 4) == 1)
    its.write(register: 0x100, value: UInt64.max)
    #expect(!its.registers.deviceTable.isValid, "read-only while enabled")
  }

  @Test func entriesHaveTheDocumentedBits() {
    let device = ITS.DeviceTableEntry(valid: true, size: 0x1F, ittAddress: 0xF_FFFF_FFFF_FF00)
    #expect(device.word == 0x0003_FFFF_FFFF_FFFF)
    #expect(ITS.DeviceTableEntry(device.word) == device)
    #expect(
      ITS.DeviceTableEntry(valid: true, size: 3, ittAddress: 0x4251_EE00).word
        == 0x4251_EE << 6 | 3 << 1 | 1)

    let collection = ITS.CollectionTableEntry(valid: true, processor: 0xFFFF)
    #expect(collection.word == 0x1_FFFF && ITS.CollectionTableEntry(0x1_FFFF) == collection)

    let physical = ITS.InterruptTranslationEntry(physical: 0x2000, icid: 0xABCD)
    #expect(physical.low == 0x0000_ABCD_0000_8003 && physical.high == 0x3FF)
    let virtual = ITS.InterruptTranslationEntry(
      virtual: 0xFF_FFFF, vPEID: 0x1234, doorbell: 0x2001)
    #expect(virtual.low == 0x1234_0000_03FF_FFFD && virtual.high == 0x2001)
    for entry in [physical, virtual] {
      #expect(ITS.InterruptTranslationEntry(low: entry.low, high: entry.high) == entry)
    }

    var vPE = ITS.VPETableEntry(
      valid: true, vptSize: 15, vptAddress: 0x4A2E_0000, processor: 1)
    #expect(vPE.words[0] == 1 << 42 | 0x4A2E << 6 | 15 << 1 | 1)
    #expect(ITS.VPETableEntry([vPE.words[0]]) == vPE)
    vPE.configurationAddress = 0xF_FFFF_FFFF_0000
    vPE.defaultDoorbell = 0x2003
    #expect(vPE.words[1] == 0xF_FFFF_FFFF && vPE.words[2] == 0x2003)
    #expect(ITS.VPETableEntry(vPE.words) == vPE)
  }

  @Test func twoLevelTablesGiveTheSameAnswers() {
    var flat = mappedITS()
    var deep = mappedITS(twoLevel: true)
    for id: UInt32 in [0, 8, 255, 8191, 8192, 0x1234, 0xFFFF] {
      for command in [
        ITSCommand.mapd(DeviceID(id), size: 0, ittAddress: UInt64(id) << 16, valid: true),
        .mapti(DeviceID(id), EventID(1), pINTID: INTID(9000 + id % 1000), icid: 0),
      ] {
        #expect(flat.execute(command) == nil && deep.execute(command) == nil)
      }
      let outcome = flat.raise(1, device: DeviceID(id))
      #expect(outcome.outcome == .delivered && deep.raise(1, device: DeviceID(id)) == outcome)
      #expect(
        deep.lastReads.map(\.table) == [
          .deviceLevel1, .device, .itt, .collectionLevel1, .collection,
        ])
    }
    #expect(flat.mappings == deep.mappings && flat.mappings.count == 7)
    #expect(
      flat.mappings.map(\.deviceID.rawValue).elementsEqual(
        [
          0, 8, 255, 8191, 8192, 0x1234, 0xFFFF,
        ].sorted()))
    #expect(flat.pendingBits == deep.pendingBits)
  }

  /// GICv4.1's vPE entries have 32 bytes: a 64 KiB page holds 2048, not the 8192 of 8-byte entries.
  @Test func level1IsIndexedByTheEntrySize() {
    var its = mappedITS(version: .v41, twoLevel: true)
    for vPEID: UInt16 in [0, 2047, 2048, 8192, 65535] {
      let vpt = 0x2_0000_0000 + UInt64(vPEID) << 16
      let error = its.execute(
        .vmapp(
          .init(
            vPEID: vPEID, rdBase: 1, vptSize: 13, vptAddress: vpt,
            configurationAddress: 0x4B00_0000, defaultDoorbell: .spurious)))
      #expect(error == nil)
      #expect(its.execute(.vsync(vPEID: vPEID)) == nil)
      #expect(its.lastReads.map(\.table) == [.vPELevel1, .vPE])
      let level1 = its.registers.vPETable.address + UInt64(vPEID / 2048) * 8
      #expect(its.lastReads[0].address == level1)
      #expect(its.lastReads[1].value.bits(41, 6) << 16 == vpt)
    }
    #expect(its.vPEs.map(\.vPEID) == [0, 2047, 2048, 8192, 65535])
    #expect(Set(its.vPEs.map(\.entry.vptAddress)).count == 5)
  }

  /// Level 1 of four entries, of which only the second has a page.
  @Test func anInvalidLevel1EntryMeansUnmapped() {
    var its = ITS(.init(version: .v3, deviceIDBits: 16, peCount: 1))
    its.memory.store(0x5000_0000 | 1 << 63 as UInt64, at: 0x6000_0008)
    its.write(register: 0x100, value: 0x6000_0000 | 1 << 62 | 1 << 63)
    its.write(register: 0, value: 1)
    // 4 KiB pages of 8-byte entries: 512 DeviceIDs each.
    #expect(
      its.execute(.mapd(DeviceID(511), size: 0, ittAddress: 0x100, valid: true))?.condition
        == .deviceIDOutOfRange)
    #expect(its.execute(.mapd(DeviceID(512), size: 0, ittAddress: 0x100, valid: true)) == nil)
    #expect(its.raise(0, device: DeviceID(511)).outcome == .unmappedDevice)
    #expect(its.raise(0, device: DeviceID(512)).outcome == .unmappedEvent)
    #expect(its.raise(0, device: DeviceID(0x1_0000)).outcome == .deviceIDOutOfRange)
    #expect(its.memory.load(UInt64.self, at: 0x5000_0000) == 0x1 | 1 << 6)
  }

  @Test func aTableSmallerThanItsIDBitsBoundsTheIDs() {
    var its = ITS(.init(version: .v3, peCount: 1))
    its.write(register: 0x100, value: 0x6000_0000 | 1 << 63)
    its.write(register: 0, value: 1)
    #expect(its.deviceIDLimit == 512)
    #expect(its.raise(0, device: DeviceID(512)).outcome == .deviceIDOutOfRange)
    #expect(its.collectionIDLimit == 0, "not valid: no room at all")
  }

  @Test func targetsMayBeAddresses() {
    var configuration = ITS.Configuration(version: .v4, peCount: 2)
    configuration.targetsAreAddresses = true
    #expect(configuration.rdBase(1) == 0x80E)
    #expect(configuration.processor(0x80A) == 0 && configuration.processor(0x80E) == 1)
    #expect(configuration.processor(0x80C) == nil && configuration.processor(0) == nil)
    var its = ITS.provisioned(configuration)
    its.execute(.mapc(icid: 0, rdBase: 0x80E, valid: true))
    #expect(its.collections.map(\.processor) == [1])
    #expect(configuration.typer & 1 << 19 != 0)
  }

  @Test func memoryIsZeroSparseAndLittleEndian() {
    var memory = ReferenceMemory()
    #expect(memory.load(UInt64.self, at: 0xFFFF_FFFF_0000) == 0)
    memory.store(0x1122_3344_5566_7788 as UInt64, at: 0xFFC)
    #expect(memory.loadByte(0xFFC) == 0x88 && memory.loadByte(0x1003) == 0x11)
    #expect(memory.load(UInt32.self, at: 0x1000) == 0x1122_3344)
    #expect(memory.populated(0..<0x1_0000).map(\.address) == Array(0xFFC..<0x1004))
    memory.clear(0xFFC, sizeBytes: 4)
    #expect(memory.load(UInt64.self, at: 0xFFC) == 0x1122_3344_0000_0000)
    #expect(memory.storeBit(true, 13, base: 0x2000) == false)
    #expect(memory.loadByte(0x2001) == 0x20 && memory.loadBit(13, base: 0x2000))
    #expect(memory.storeBit(false, 13, base: 0x2000) == true)
    memory.inaccessible = [0x5000..<0x6000]
    #expect(!memory.isAccessible(0x4FFF, sizeBytes: 2) && memory.isAccessible(0x6000, sizeBytes: 8))
  }
}
