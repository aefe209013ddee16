import EventModel
import ReferenceModel
import TestSupport
import Testing

@testable import TranslationCore

/// The core against the slow reference: every outcome, whether a command fails, and in the end every
/// table and pending bit.
@Suite struct ITSDifferentialTests {
  @Test(arguments: 1...8)
  func randomCommandsAndEventsGiveTheSameAsTheReference(seed: UInt64) {
    var pair = ITSPair()
    var source = ITSEventSource(seed: seed)
    for _ in 0..<1_200 { source.step(&pair) }
    pair.compareTables()
    #expect(pair.differences == [])
  }

  /// The sequences must reach what they are there for.
  @Test func theSequencesReachEveryFailureAndEveryOutcome() {
    var failures: Set<ITSError.Condition> = []
    var outcomes: Set<OutcomeClass> = []
    for seed in 1...6 as ClosedRange<UInt64> {
      var pair = ITSPair()
      var source = ITSEventSource(seed: seed)
      for _ in 0..<1_200 { source.step(&pair) }
      failures.formUnion(pair.failures)
      outcomes.formUnion(pair.outcomes.keys)
    }
    // vPEIDs have 16 bits here, and a register write never fails.
    #expect(
      failures == Set(ITSError.Condition.allCases).subtracting([.vPEIDOutOfRange, .memoryAborted]))
    #expect(
      outcomes == [
        .delivered, .coalesced, .masked, .itsDisabled, .deviceIDOutOfRange, .unmappedDevice,
        .eventIDOutOfRange, .unmappedEvent, .unmappedCollection, .unmappedVPE, .intidOutOfRange,
        .lpisDisabled,
      ])
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
    #expect(core.commandErrors[0x01_0802] == 200 + 72)
    #expect(core.commandErrors[0x01_0801] == 1)
    #expect(core.translate(deviceID: 127, eventID: 0).outcome == .unmappedEvent)
    #expect(core.translate(deviceID: 128, eventID: 0).outcome == .unmappedDevice)
    // What a device gives back, the next one gets.
    core.execute(0x08 | 0 << 32, 0, 0, 0)
    core.execute(0x08 | 150 << 32, 19, 1 << 63, 0)
    #expect(core.translate(deviceID: 150, eventID: 0xF_FFFF).outcome == .unmappedEvent)
  }
}
