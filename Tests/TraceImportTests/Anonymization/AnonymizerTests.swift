import EventModel
import Testing

@testable import TraceImport

/// Each kind of event: which words change together.
@Suite struct AnonymizerTests {
  private static func anonymizer(_ events: [TraceEvent]) -> Anonymizer {
    var blocks = ContiguousBlocks()
    for event in events { blocks.survey(event) }
    return Anonymizer(key: (11, 12), geometry: TableGeometry(), blocks: blocks)
  }

  /// An event that becomes one.
  private static func image(
    _ event: TraceEvent, _ anonymizer: inout Anonymizer
  ) throws -> TraceEvent {
    var images: [TraceEvent] = []
    try anonymizer.rewrite(event) { images.append($0) }
    try #require(images.count == 1)
    return images[0]
  }

  @Test func anAccessFindsItsLeaf() throws {
    let iova: UInt64 = 0xFFE0_0000
    let map = TraceEvent.map(
      time: 1, streamID: 8, asid: 1, iova: iova, outputAddress: 0x4560_0000, log2SizeBytes: 21,
      level: 2, granule: .kib4, descriptor: 0xF45)
    let dma = TraceEvent.dma(
      time: 2, streamID: 8, iova: iova + 0x12_3456, sizeBytes: 64,
      flags: [.read, .addressRecorded], expectedAddress: 0x4572_3456, outcome: .translated)
    let unmap = TraceEvent.unmap(
      time: 3, streamID: 8, asid: 1, iova: iova, log2SizeBytes: 21, level: 2, granule: .kib4)
    var anonymizer = Self.anonymizer([map, dma, unmap])
    let m = try Self.image(map, &anonymizer)
    let d = try Self.image(dma, &anonymizer)
    let u = try Self.image(unmap, &anonymizer)
    #expect(m.iova != iova && m.iova % (2 << 20) == 0)
    #expect(m.outputAddress != 0x4560_0000 && m.outputAddress % (2 << 20) == 0)
    #expect(d.iova == m.iova + 0x12_3456)
    #expect(d.expectedAddress == m.outputAddress + 0x12_3456)
    #expect(u.iova == m.iova)
    #expect(m.streamID == d.streamID && m.streamID != 8)
    #expect(m.word3 == map.word3 && m.asid == 1 && d.word3 == dma.word3)
  }

  @Test func aMessageIsTheOneThatTheGuestStoredHalfByHalf() throws {
    var anonymizer = Self.anonymizer([])
    for address in [0xFFFF_F040, 0x7_FFFF_F040, 0x0809_0040] as [UInt64] {
      func store(_ offset: UInt32, _ value: UInt64, _ size: UInt32 = 4) -> TraceEvent {
        .msixTableWrite(
          time: 0, streamID: 8, deviceID: 8, gpa: 0x1040_0000 + UInt64(offset), offset: offset,
          value: value, sizeBytes: size)
      }
      let low = try Self.image(store(32, address & 0xFFFF_FFFF), &anonymizer).value
      let high = try Self.image(store(36, address >> 32), &anonymizer).value
      let whole = try Self.image(store(32, address, 8), &anonymizer).value
      let data = try Self.image(store(40, 77), &anonymizer).value
      let message = try Self.image(
        .msi(time: 0, streamID: 8, deviceID: 8, address: address, data: 77), &anonymizer)
      #expect(message.iova == low | high << 32)
      #expect(message.iova == whole)
      #expect(data == 77 && message.data == 77)
      #expect((message.iova == address) == (address == 0x0809_0040), "only the page stays")
    }
  }

  @Test func aCommandNamesTheDeviceThatTheMessageComesFrom() throws {
    var anonymizer = Self.anonymizer([])
    let message = try Self.image(
      .msi(time: 0, streamID: 0x100, deviceID: 0x100, address: 0x0809_0040, data: 3), &anonymizer)
    let device = UInt64(message.deviceID)
    #expect(device != 0x100)
    for opcode in [0x01, 0x03, 0x04, 0x08, 0x0A, 0x0B, 0x0C, 0x0F, 0x21, 0x2A, 0x2B] as [UInt64] {
      let command = TraceEvent.itsCommand(time: 0, 0x100 << 32 | opcode, 3, 2)
      let image = try Self.image(command, &anonymizer)
      #expect(image.word0 == device << 32 | opcode)
      #expect(image.word1 == 3 && image.word2 & 0xFF == 2)
    }
    // SYNC and MAPC hold neither a device nor memory.
    for command in [
      TraceEvent.itsCommand(time: 0, 0x05, 0, 1 << 16),
      .itsCommand(time: 0, 0x09, 0, 1 << 63 | 3 << 16 | 3),
    ] {
      #expect(try Self.image(command, &anonymizer) == command)
    }
    let unknown = try Self.image(.itsCommand(time: 0, 0x100_0000_0077, 1, 2, 3), &anonymizer)
    #expect(unknown.word0 == 0x77 && unknown.word1 == 0 && unknown.word3 == 0)
  }

  @Test func tablesStayWholeAndApart() throws {
    // An ITT of 8192 events, 256 KiB, beside one of two.
    let large = TraceEvent.itsCommand(time: 0, 0x08 | 8 << 32, 12, 1 << 63 | 0x4400_0000)
    let small = TraceEvent.itsCommand(time: 0, 0x08 | 9 << 32, 0, 1 << 63 | 0x4404_0100)
    var anonymizer = Self.anonymizer([large, small])
    let field: UInt64 = 0x000F_FFFF_FFFF_FF00
    let (a, b) = (
      try Self.image(large, &anonymizer).word2 & field,
      try Self.image(small, &anonymizer).word2 & field
    )
    #expect(a % 0x4_0000 == 0 && b & 0xFFF == 0x100)
    #expect(!(a..<a + 0x4_0000).contains(b))
    #expect(try Self.image(large, &anonymizer).word2 >> 63 == 1)
  }

  @Test func aVPEIsFoundByItsPendingTable() throws {
    let table: UInt64 = 0x4A2E_0000
    let mapVPE = TraceEvent.itsCommand(time: 0, 0x29, 1 << 32, 1 << 63, table | 15)
    var anonymizer = Self.anonymizer([mapVPE])
    let image = try Self.image(mapVPE, &anonymizer).word3
    #expect(image & 0xFFFF == 15 && image != mapVPE.word3)
    let load = TraceEvent(time: 0, kind: .vcpuLoad, word0: table)
    #expect(try Self.image(load, &anonymizer).word0 == image & ~0xFFFF)
    let register = TraceEvent(
      time: 0, kind: .redistributorWrite, word0: 0x2_0078, word1: 0xE000_0000_0000_0780 | table,
      word3: 8)
    let stored = try Self.image(register, &anonymizer).value
    #expect(stored & 0x000F_FFFF_FFFF_0000 == image & ~0xFFFF)
    #expect(stored & ~0x000F_FFFF_FFFF_0000 == 0xE000_0000_0000_0780)
    // In halves.
    var half = register
    half.word3 = 4
    half.word1 &= 0xFFFF_FFFF
    #expect(try Self.image(half, &anonymizer).value == stored & 0xFFFF_FFFF)
    half.word0 += 4
    half.word1 = register.word1 >> 32
    #expect(try Self.image(half, &anonymizer).value == stored >> 32)
  }

  @Test func anInvalidationNamesTheImageOfItsPage() throws {
    let page: UInt64 = 0xFFF6_B000
    var anonymizer = Self.anonymizer([])
    let one = TraceEvent.smmuCommand(time: 0, 0x1_0000_0000_0012, page | 0x301)
    let image = try Self.image(one, &anonymizer)
    #expect(image.word0 == one.word0 && image.word1 == anonymizer.addresses(page) | 0x301)
    let stream = try Self.image(.smmuCommand(time: 0, 0x8_0000_0003, 1), &anonymizer).word0 >> 32
    #expect(stream == UInt64(anonymizer.numbers(8)))
  }

  /// Every page of the range is invalidated, and no other.
  @Test(
    arguments: [
      (0xFFF6_B000, 2, 0, 3), (0xFFC0_0000, 15, 5, 512), (0x4000_0000, 31, 3, 256),
      (0xFFF6_B000, 0, 0, 1), (0xFFFF_F000, 1, 0, 2),
    ] as [(UInt64, UInt64, UInt64, UInt64)])
  func anInvalidationCoversWhatItCovered(
    base: UInt64, num: UInt64, scale: UInt64, pages: UInt64
  ) throws {
    var anonymizer = Self.anonymizer([])
    let command = TraceEvent.smmuCommand(
      time: 0, 0x1_0000_0000_0012 | num << 12 | scale << 20, base | 0x701)
    var covered = Set<UInt64>()
    try anonymizer.rewrite(command) { image in
      #expect(image.word0 & ~0x1F1_F000 == 0x1_0000_0000_0012)
      let count =
        image.word1 >> 10 & 3 == 0
        ? 1 : ((image.word0 >> 12 & 0x1F) + 1) << (image.word0 >> 20 & 0x1F)
      for page in 0..<count { covered.insert((image.word1 & ~0xFFF) + page << 12) }
    }
    #expect(covered == Set((0..<pages).map { anonymizer.addresses(base + $0 << 12) }))
  }

  @Test func timesStartWhereTheyAreTold() throws {
    var anonymizer = Self.anonymizer([])
    anonymizer.startTime = 1_000
    #expect(try Self.image(TraceEvent(time: 1_700, kind: .mark), &anonymizer).time == 700)
  }

  @Test func rawEntriesAreRefused() {
    var anonymizer = Self.anonymizer([])
    #expect(throws: AnonymizationError(kind: .irteWrite)) {
      try anonymizer.rewrite(TraceEvent(time: 0, kind: .irteWrite)) { _ in }
    }
  }
}
