import EventModel
import Testing
import TranslationCore

/// The same random life for core and reference: streams are configured, pages mapped, unmapped,
/// invalidated as the architecture asks, and used. Every answer must be the same, address or event.
///
/// `DOORBELL_SOAK_EVENTS` lengthens the runs.
@Suite struct SMMUDifferentialTests {
  struct Case: CustomTestStringConvertible {
    var name: String
    var nested = true
    var granule = Granule.kib4
    var tlbEntries = 2048
    var ways = 1
    var stage2TLBEntries = 256
    var walkCacheEntries = 128
    var stage2Block: UInt8 = 21
    var configurationCache = true
    var split: UInt8 = 8
    /// log2 of the guest's memory.
    var memory: UInt64 = 30
    var testDescription: String { name }
  }

  static let cases = [
    Case(name: "nested, 4 KiB"),
    Case(name: "nested, 4 KiB, 4 KiB stage 2", stage2Block: 12, memory: 25),
    Case(name: "nested, 16 KiB", granule: .kib16),
    Case(name: "nested, 64 KiB", granule: .kib64, ways: 2),
    Case(name: "stage 1 only, 4 KiB", nested: false),
    Case(name: "stage 1 only, 64 KiB, linear", nested: false, granule: .kib64, split: 0),
    Case(name: "tiny caches", tlbEntries: 4, ways: 2, stage2TLBEntries: 2, walkCacheEntries: 2),
    Case(name: "one entry each", tlbEntries: 1, stage2TLBEntries: 1, walkCacheEntries: 1),
    Case(
      name: "no caches", tlbEntries: 0, stage2TLBEntries: 0, walkCacheEntries: 0,
      configurationCache: false),
  ]

  @Test(arguments: cases)
  func coreAndReferenceGiveTheSameAnswers(_ parameters: Case) throws {
    // Many short lives: the reference's tables and caches only grow.
    let events = SoakSize.events(perCase: 12_000)
    let life = 1_000
    for seed in 0..<UInt64(events / life) {
      var world = DifferentialWorld(parameters, seed: seed)
      for step in 0..<life {
        if let difference = try world.step() {
          Issue.record("seed \(seed), event \(step): \(difference)")
          return
        }
      }
      #expect(world.translated > life / 40)
      #expect(world.faulted > life / 100)
      #expect(world.core.refusals.total == 0)
    }
  }
}
