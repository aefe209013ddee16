import EventModel
import Testing

@testable import TraceImport

/// What every scenario promises, and what makes each one what its name says.
@Suite struct ScenarioTests {
  static func events(
    _ scenario: Scenario, count: UInt64 = 20_000, seed: UInt64 = 1,
    _ change: (inout SynthesisOptions) -> Void = { _ in }
  ) throws -> [TraceEvent] {
    var options = SynthesisOptions()
    options.events = count
    options.seed = seed
    change(&options)
    var events: [TraceEvent] = []
    try ScenarioGenerator(scenario, options).run { span in
      for index in span.indices { events.append(span[index]) }
    }
    return events
  }

  @Test(arguments: Scenario.allCases) func aScenarioIsInOrderAndAsLongAsAsked(
    scenario: Scenario
  ) throws {
    for count in [20_000, 20_001] as [UInt64] {
      let events = try Self.events(scenario, count: count)
      #expect(events.count == Int(count))
      #expect(zip(events, events.dropFirst()).allSatisfy { $0.time <= $1.time })
    }
  }

  @Test(arguments: Scenario.allCases) func theSeedIsAllThatChanceHas(scenario: Scenario) throws {
    let events = try Self.events(scenario)
    #expect(try Self.events(scenario) == events)
    #expect(try Self.events(scenario, seed: 2) != events)
    #expect(try Self.events(scenario, count: 15_000) == Array(events.prefix(15_000)))
  }

  @Test(arguments: Scenario.allCases) func anAcknowledgeTakesWhatIsPending(
    scenario: Scenario
  ) throws {
    var pending: [UInt32: InterruptTarget] = [:]
    var wrong = 0
    for event in try Self.events(scenario) {
      switch (event.kind, event.outcome) {
      case (.msi, .delivered):
        if pending.updateValue(event.target, forKey: event.intid) != nil { wrong += 1 }
      case (.msi, .coalesced): if pending[event.intid] != event.target { wrong += 1 }
      case (.acknowledge, _):
        if pending.removeValue(forKey: event.intid) != event.target { wrong += 1 }
      default: break
      }
    }
    #expect(wrong == 0)
  }

  @Test(arguments: Scenario.allCases) func theRateIsTheOneAsked(scenario: Scenario) throws {
    for rate in [2_000, 20_000] as [UInt64] {
      let events = try Self.events(scenario, count: 60_000) { $0.rate = Amount(rate) }
      let times = events.filter { $0.kind == .msi }.map(\.time)
      let found = Double(times.count - 1) / Double(times.last! - times.first!) * 1e9
      // Every ninth of the eighth that goes wrong is an access; bursts are few.
      #expect(abs(found / Double(rate) - 1) < (scenario == .burst ? 0.25 : 0.1), "\(found)")
    }
  }

  @Test func steadyHasOneVectorPerDeviceAndNothingElseHappens() throws {
    let events = try Self.events(.steady)
    #expect(Set(events.filter { $0.kind == .msi }.map(\.vector)) == [0])
    #expect(Set(events.filter { $0.kind == .msi }.map(\.deviceID)).count == 8)
    let last = events.lastIndex { $0.kind.isSetUp }!
    #expect(last < 1_000)
  }

  @Test func manyVectorsUsesAllOfThem() throws {
    let events = try Self.events(.manyVectors, count: 60_000)
    #expect(Set(events.filter { $0.kind == .msi }.map(\.intid)).count == 512)
    let large = try Self.events(.manyVectors, count: 200_000) {
      $0.vectors = Amount(2_048)
      $0.devices = Amount(2)
    }
    #expect(Set(large.filter { $0.kind == .msi }.map(\.vector)).count > 2_000)
  }

  @Test func affinityStormMovesEveryVectorOnceAMillisecond() throws {
    let moves = try Self.events(.affinityStorm, count: 40_000)
      .filter { $0.kind == .itsCommand && $0.word0 & 0xFF == 0x01 }
    try #require(!moves.isEmpty)
    let first = moves.filter { $0.word0 == moves[0].word0 && $0.word1 == moves[0].word1 }
    #expect(first.count > 20)
    for (a, b) in zip(first, first.dropFirst()) {
      #expect((900_000...1_100_000).contains(b.time - a.time) && a.word2 != b.word2)
    }
  }

  @Test func overcommitRunsAQuarterOfTheVCPUsAtATime() throws {
    var running: [UInt32: UInt16] = [:]
    var kinds: [EventKind: Int] = [:]
    for event in try Self.events(.overcommit, count: 100_000) where event.kind.isVCPU {
      kinds[event.kind, default: 0] += 1
      let (from, to) = (
        UInt32(truncatingIfNeeded: event.word3), UInt32(truncatingIfNeeded: event.word3 >> 32)
      )
      switch event.kind {
      case .vcpuLoad: #expect(running.updateValue(event.target.number, forKey: to) == nil)
      case .vcpuPut, .vcpuBlock:
        #expect(running.removeValue(forKey: from) == event.target.number)
      default: #expect(!running.values.contains(event.target.number) && from != to)
      }
      #expect(running.count <= 4)
    }
    for kind in [EventKind.vcpuLoad, .vcpuPut, .vcpuBlock, .vcpuMigrate] {
      #expect(kinds[kind, default: 0] > 3, "\(kind)")
    }
  }

  @Test func hotPlugUnmapsAndMapsDevices() throws {
    let events = try Self.events(.hotPlug, count: 40_000)
    let mapd = events.filter { $0.kind == .itsCommand && $0.word0 & 0xFF == 0x08 }
    #expect(mapd.count { $0.word2 >> 63 == 0 } > 10)
    #expect(events.count { $0.kind == .itsCommand && $0.word0 & 0xFF == 0x0F } > 40)
    #expect(events.count { $0.kind == .unmap } > 100)
  }

  @Test func pressureHasNoLocality() throws {
    let events = try Self.events(.dmaPressure, count: 200_000)
    let (dma, msi) = (events.count { $0.kind == .dma }, events.count { $0.kind == .msi })
    #expect(dma / msi == 64)
    #expect(Set(events.filter { $0.kind == .dma }.map { $0.iova >> 12 }).count > 4_000)
  }

  @Test func burstsCoalesce() throws {
    let interrupts = try Self.events(.burst, count: 50_000).filter { $0.kind == .msi }
    let coalesced = interrupts.count { $0.outcome == .coalesced }
    #expect(coalesced * 10 > interrupts.count * 9)
  }

  @Test func errorsHaveNineNames() throws {
    let events = try Self.events(.errorMix)
    let outcomes = Set(
      events.filter { $0.kind == .msi && $0.outcome != .coalesced }.map(\.outcome))
    #expect(
      outcomes == [
        .delivered, .unmappedEvent, .eventIDOutOfRange, .notADoorbell, .smmuFault(0x10), .masked,
        .unmappedCollection, .unmappedDevice,
      ])
    #expect(events.contains { $0.kind == .dma && $0.outcome == .smmuFault(0x10) })
  }

  @Test func whatCannotBeIsRefused() {
    #expect(throws: SynthesisError.tooFewEvents(asked: 100, device: 0, devices: 4)) {
      try Self.events(.manyVectors, count: 100)
    }
    #expect(throws: SynthesisError.self) { try Self.events(.steady) { $0.devices = Amount(0) } }
    #expect(throws: SynthesisError.self) { try Self.events(.steady) { $0.devices = Amount(4_097) } }
    #expect(throws: SynthesisError.self) {
      try Self.events(.errorMix) { $0.vectors = Amount(2_048) }
    }
    #expect(throws: SynthesisError.self) { try Self.events(.steady) { $0.rate = Amount(0) } }
  }

  /// −ln, by the quantiles' mean, which is 1, and by known values.
  @Test func exponentialGapsHaveTheirMean() {
    #expect(ExponentialGap.ln(1) == 0)
    #expect(abs(Double(ExponentialGap.ln(2_048)) / 65_536 - 7.624_619) < 0.001)
    let gap = ExponentialGap(meanNanoseconds: 1_000_000)
    var random = RandomStream(seed: 3)
    let mean = (0..<100_000).reduce(0) { sum, _ in sum + gap.next(&random) } / 100_000
    #expect((985_000...1_015_000).contains(mean))
  }
}
