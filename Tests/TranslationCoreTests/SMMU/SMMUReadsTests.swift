import EventModel
import ReferenceModel
import Testing
import TranslationCore

/// Reads per walk, for every number of levels in both stages: n1·(n2 + 1) + n2.
@Suite struct SMMUReadsTests {
  private static func uncached(_ options: inout SMMUOptions) {
    options.tlbEntries = 0
    options.stage2TLBEntries = 0
    options.walkCacheEntries = 0
  }

  @Test(arguments: 1...4, 1...4)
  func aNestedWalkReadsWhatTheFormulaSays(_ n1: Int, _ n2: Int) {
    var machine = RawMachine(.of(n1), .of(n2), Self.uncached)
    #expect(machine.access().translation.fault == 0)
    let before = machine.reads
    let answer = machine.access()
    #expect(answer.translation.address & 0xFFFF == 0x2345 || n1 > 1)
    #expect(answer.translation.fault == 0)
    let now = machine.reads
    #expect(now.configuration == before.configuration)
    #expect(now.stage1 - before.stage1 == UInt64(n1))
    #expect(now.stage2 - before.stage2 == UInt64(n1 * n2 + n2))
    let reads = Int(now.stage1 + now.stage2 - before.stage1 - before.stage2)
    #expect(reads == n1 * (n2 + 1) + n2)
    if n1 == 4, n2 == 4 { #expect(reads == 24) }
  }

  @Test(arguments: 1...4)
  func oneStageReadsOncePerLevel(_ levels: Int) {
    var first = RawMachine(.of(levels), nil, Self.uncached)
    _ = first.access()
    let before = first.reads
    #expect(first.access().translation.address & 0xFFF == 0x345)
    #expect(first.reads.stage1 - before.stage1 == UInt64(levels))
    #expect(first.reads.stage2 == 0)
    var second = RawMachine(nil, .of(levels), Self.uncached)
    #expect(second.access().translation.address == RawMachine.base + RawMachine.address)
    #expect(second.reads == (1, 0, UInt64(levels)))
  }

  /// Cold, 4/4: 1 STE + (4 + 1) CD + 24; a two-level stream table adds 1, a two-level CD table 5.
  @Test(arguments: [false, true], [0, 2] as [UInt8])
  func aColdAccessReadsTheConfigurationToo(_ isTwoLevel: Bool, _ format: UInt8) {
    var machine = RawMachine(.of(4), .of(4), Self.uncached)
    if format == 2 {
      let table = machine.take(0x1000)
      machine.store([machine.ste.s1ContextPtr | 1], at: table)
      machine.ste.s1ContextPtr = machine.seen(table)
      machine.ste.s1Fmt = format
      machine.ste.s1CDMax = 11
      machine.ste.s1DSS = 2
      machine.commit()
    }
    if isTwoLevel {
      let table = machine.take(0x1000)
      // Span 9: all 256 entries.
      machine.store([machine.registers.streamTableBase | 9], at: table)
      machine.registers.streamTableBase = table
      machine.registers.isTwoLevel = true
      machine.registers.log2Size = 9
      machine.core.program(machine.registers)
    }
    #expect(machine.access().translation.fault == 0)
    let reads = machine.reads
    let total = reads.configuration + reads.stage1 + reads.stage2
    #expect(total == 30 + (isTwoLevel ? 1 : 0) + (format == 2 ? 5 : 0))
    if isTwoLevel { #expect(total == (format == 2 ? 36 : 31)) }
  }

  /// Each cache takes away what it is there for, and counts it.
  @Test func cachesTakeTheirReadsAway() {
    var machine = RawMachine(.of(4), .of(4)) {
      $0.tlbEntries = 0
      $0.walkCacheEntries = 0
      $0.stage1TableCacheEntries = 64
    }
    _ = machine.access()
    let before = machine.reads
    _ = machine.access()
    // The last table is known, and stage 2 knows where it lies and where the page goes.
    #expect(machine.reads.stage1 - before.stage1 == 1)
    #expect(machine.reads.stage2 == before.stage2)
    let caches = machine.core.cacheCounters
    #expect(caches.stage1Tables == .init(hits: 1, misses: 1))
    #expect(caches.configuration == .init(hits: 1, misses: 1))
    #expect(caches.tlb == .init(hits: 0, misses: 2))
    // Cold: the CD's page, a page for each of three levels more, the page itself, and hits between.
    #expect(caches.stage2TLB.hits + caches.stage2TLB.misses == 1 + 4 + 1 + 2)
  }

  @Test func aSmallStreamCacheForgetsTheOldest() {
    var machine = RawMachine(.of(3), nil) { $0.streamCacheEntries = 2 }
    for stream in [1, 2, 3] as [UInt64] {
      machine.store(machine.ste.dwords, at: machine.registers.streamTableBase + stream * 64)
    }
    for stream in [1, 2, 1, 2, 3, 2, 1] as [UInt32] {
      let answer = machine.core.translate(
        streamID: stream, address: RawMachine.address, write: false, read: true)
      #expect(answer.fault == 0)
    }
    // 1 and 2 come in; 3 takes the place of 1, and 1 that of 2.
    #expect(machine.core.cacheCounters.streamMisses == 4)
    #expect(machine.core.cacheCounters.tlb == .init(hits: 6, misses: 1))
  }
}
