import EventModel
import ReferenceModel
import TestSupport
import Testing

@testable import TranslationCore

/// The core against the slow reference: every outcome and error of long random sequences, and in the
/// end every table and pending bit. `DOORBELL_SOAK_EVENTS` lengthens them.
@Suite struct ITSDifferentialTests {
  @Test(arguments: ITSRules.all.indices)
  func randomCommandsAndEventsGiveTheSameAsTheReference(index: Int) {
    let events = SoakSize.events(perCase: 8_000)
    let sequence = 2_000
    for seed in 0..<UInt64((events + sequence - 1) / sequence) {
      let rules = ITSRules.all[index]
      var pair = ITSPair(rules)
      var source = ITSEventSource(seed: seed << 8 | UInt64(index), rules.version)
      source.prepare(&pair)
      for _ in 0..<sequence where pair.differences.isEmpty { source.step(&pair) }
      pair.compareTables()
      #expect(pair.differences == [], "seed \(seed), \(rules)")
      if !pair.differences.isEmpty { return }
    }
  }

  /// The sequences must reach what they are there for.
  @Test func theSequencesReachEveryFailureAndEveryOutcome() {
    var conditions: Set<ITSError.Condition> = []
    var outcomes: Set<OutcomeClass> = []
    var doorbells: UInt64 = 0
    var pendingAtSeveral = 0
    for rules in ITSRules.all {
      for seed in 1...3 as ClosedRange<UInt64> {
        var pair = ITSPair(rules)
        var source = ITSEventSource(seed: seed, rules.version)
        source.prepare(&pair)
        for step in 0..<2_000 {
          source.step(&pair)
          guard step % 100 == 0 else { continue }
          let bits = pair.reference.pendingBits.filter { !$0.target.isVPE }.map(\.intid)
          pendingAtSeveral += bits.count - Set(bits).count
        }
        conditions.formUnion(pair.reference.errors.keys.map(\.condition))
        outcomes.formUnion(pair.outcomes.keys)
        doorbells += pair.reference.counters.doorbellsRaised
      }
    }
    #expect(conditions == Set(ITSError.Condition.allCases).subtracting([.memoryAborted]))
    #expect(
      outcomes == [
        .delivered, .coalesced, .masked, .itsDisabled, .deviceIDOutOfRange, .unmappedDevice,
        .eventIDOutOfRange, .unmappedEvent, .unmappedCollection, .unmappedVPE, .intidOutOfRange,
        .lpisDisabled,
      ])
    #expect(doorbells > 50 && pendingAtSeveral > 50)
  }

  /// A device table without hardly any memory: MAPD of every size, and of more than there is.
  @Test func hostileSizesAreRefusedAndCounted() {
    var geometry = ITSPair.geometry
    geometry.deviceIDBits = 32
    geometry.eventIDBits = 32
    var core = ITSCore(geometry: geometry)
    for device in 0..<UInt64(200) {
      core.execute(0x08 | device << 32, 31, 1 << 63, 0)
      core.execute(0x08 | device << 32, 19, 1 << 63, 0)
    }
    core.execute(0x08 | 0xFFFF_FFFF << 32, 3, 1 << 63, 0)
    // 2²⁷ entries are 128 tables of 2²⁰.
    let errors = core.errors
    #expect(errors[ITSError(.tableSizeOutOfRange, ITSCommandOpcode.mapd)] == 200 + 72)
    #expect(errors[ITSError(.deviceIDOutOfRange, ITSCommandOpcode.mapd)] == 1)
    #expect(core.translate(deviceID: 127, eventID: 0).outcome == .unmappedEvent)
    #expect(core.translate(deviceID: 128, eventID: 0).outcome == .unmappedDevice)
    // What a device gives back, the next one gets.
    core.execute(0x08 | 0 << 32, 0, 0, 0)
    core.execute(0x08 | 150 << 32, 19, 1 << 63, 0)
    #expect(core.translate(deviceID: 150, eventID: 0xF_FFFF).outcome == .unmappedEvent)
  }

  /// A guest that gives its vPEs one VPT after the other.
  @Test func endlessPendingTablesAreRefusedAndCounted() {
    var geometry = ITSPair.geometry
    geometry.intidBits = 24
    var core = ITSCore(geometry: geometry, rules: ITSRules(version: .v4))
    // 64 GiB are 1,365 planes of 32 MiB with a configuration table of 16 MiB each.
    for table in 0..<UInt64(1_400) {
      core.execute(
        0x29, (table & 7) << 32, 1 << 63, 23 | (table + 1) << 28)
    }
    let errors = core.errors
    #expect(errors == [ITSError(.tableSizeOutOfRange, ITSCommandOpcode.vmapp): 35])
  }
}
