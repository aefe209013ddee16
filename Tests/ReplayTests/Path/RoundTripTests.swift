import EventModel
import Measurement
import PipelineRaces
import Replay
import Testing

@Suite(.serialized) struct RoundTripTests {
  @Test func everyInterruptGoesThereAndBackBesideBareLines() throws {
    var events = toyTrace(rounds: 6)
    events.append(.msi(time: 99, streamID: 1, deviceID: 1, address: 0, data: 0xDEAD))
    var backend = ToyBackend()
    let result = try RoundTrip(events, interrupts: 500).run(through: &backend)
    #expect(result.delivery.count == 500 && result.line.count == 500)
    #expect(result.account.taken == 500 && result.account.isConserved)
    #expect(result.account.lost == 83 && result.account.coalesced == 0)
    #expect((result.ratio ?? 0) > 0)
  }

  @Test func aTraceThatDeliversNothingHasNoRatio() throws {
    let lost = TraceEvent.msi(time: 0, streamID: 1, deviceID: 1, address: 0, data: 0xDEAD)
    for events in [[], [lost]] {
      var backend = ToyBackend()
      let result = try RoundTrip(events, interrupts: 50).run(through: &backend)
      #expect(result.ratio == nil && result.delivery.count == 0)
    }
  }

  @Test func anInterruptFoundPendingIsClearedAndNotMeasured() throws {
    let events = toyTrace(rounds: 4, devices: 1)
    var backend = ToyBackend()
    _ = backend.translate(try #require(events.first { $0.kind == .msi }))
    let result = try RoundTrip(events, interrupts: 6).run(through: &backend)
    #expect(result.account.coalesced == 1 && result.account.taken == 6)
  }
}
