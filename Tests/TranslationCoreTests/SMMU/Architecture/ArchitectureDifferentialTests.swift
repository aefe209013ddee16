import Testing

/// Random configurations of the whole architecture in one memory image: stream and CD tables of every
/// form, all Configs, substreams, granules, start levels, concatenation, blocks, contiguous runs,
/// permissions, hardware updates, stalls, every command. Core and reference must agree about address,
/// permissions, size, event record, termination, queue, and where caches allow it about every read.
///
/// `DOORBELL_SOAK_EVENTS` lengthens the runs.
@Suite struct ArchitectureDifferentialTests {
  @Test(arguments: ArchitectureWorld.Caching.allCases)
  func coreAndReferenceAgreeAboutEverything(_ caching: ArchitectureWorld.Caching) {
    let life = 600
    var translated = 0
    var hits = 0
    var events: [UInt8: Int] = [:]
    let worlds = max(SoakSize.events(perCase: 15_000) / life, 1)
    for seed in 0..<UInt64(worlds) {
      var world = ArchitectureWorld(caching, seed: seed)
      for step in 0..<life {
        if step % 8 == 7 { world.change() }
        if let difference = world.access() {
          Issue.record("\(caching), seed \(seed), event \(step): \(difference)")
          return
        }
      }
      if let difference = world.compareTables() {
        Issue.record("\(caching), seed \(seed): \(difference)")
        return
      }
      translated += world.translated
      hits += world.hits
      events.merge(world.events, uniquingKeysWith: +)
    }
    #expect(translated > worlds * life / 10)
    if caching != .none { #expect(hits > worlds * life / 100) }
    let wanted: Set<UInt8> = [
      0, 0x01, 0x02, 0x04, 0x05, 0x06, 0x07, 0x08, 0x0A, 0x0B, 0x10, 0x11, 0x12, 0x13,
    ]
    #expect(Set(events.keys).isSuperset(of: wanted), "\(events)")
  }
}
