import EventModel
import TestSupport
import Testing

@testable import TranslationCore

/// A trace is untrusted: whatever its records say, the core refuses or answers, in bounded memory.
@Suite struct SMMUGarbageTests {
  @Test(arguments: [true, false])
  func randomRecordsAreRefusedOrApplied(_ nested: Bool) {
    var geometry = TableGeometry()
    geometry.streamIDBits = 6
    var options = SMMUOptions()
    options.nested = nested
    options.arenaLimitBytes = 2 << 20
    options.guestMemory = 0x4000_0000..<0x6000_0000
    options.addressSpaceLimit = 16
    var smmu = SMMUCore(geometry: geometry, options: options)
    var random = SeededGenerator(seed: nested ? 1 : 2)
    for step in 0..<40_000 {
      var event = TraceEvent(time: 0, kind: .map)
      // Few bits set, so that fields are often small enough to get past the first check.
      event.word0 = random.next() & random.next()
      event.word1 = random.next() & random.next() & random.next()
      event.word2 = random.next() & 0x0003_0007_0000_003F
      event.word3 = random.next() & random.next()
      switch step % 8 {
      case 0: smmu.configureStream(event)
      case 1: smmu.unmap(event)
      case 2: smmu.command(event.word0, event.word1)
      case 3: smmu.mapStage2(ipa: event.word0, pa: event.word1, log2SizeBytes: UInt32(step % 40))
      case 4:
        let streamID = UInt32(truncatingIfNeeded: event.word2)
        _ = smmu.translate(
          streamID: streamID, address: event.word0, write: step & 8 == 0, read: true)
      case 5:
        event.word3 = event.word3 & ~0xFFFF | 0x130C | 1 << 16
        event.word0 &= 0xFFFF_F000
        event.word1 &= 0x7FFF_F000
        smmu.map(event)
      default: smmu.map(event)
      }
    }
    #expect(smmu.arena.usedBytes <= 2 << 20)
    #expect(smmu.refusals.unknownAddressSpace > 0)
    #expect(smmu.refusals.badGeometry > 0)
    #expect(smmu.refusals.illegalCommand > 0)
    #expect(smmu.refusals.addressSpacesFull > 0)
    #expect(smmu.refusals.arenaFull > 0)
  }

  @Test func aFullArenaRefusesMappingsAndKeepsTheOldOnes() {
    var options = SMMUOptions()
    options.nested = false
    options.arenaLimitBytes = 256 << 10
    var smmu = SMMUCore(geometry: TableGeometry(), options: options)
    smmu.configureStream(SMMUWorld.stream(8))
    for page in 0..<256 as Range<UInt64> {
      smmu.map(SMMUWorld.page(page << 30, to: 0x4000_0000))
    }
    #expect(smmu.refusals.arenaFull > 200)
    #expect(smmu.read(8, 0).address == 0x4000_0000)
    #expect(smmu.read(8, 255 << 30).fault == SMMUEvent.translation)
  }
}
