import EventModel
import Testing

@testable import Backends

/// The recordings as requests for vLPIs.
@Suite struct RequestReplayTests {
  private static func replay(
    _ name: String, _ host: VLPIHost = VLPIHost()
  ) throws -> (cases: VLPIRequestCases, commands: UInt64, interrupts: UInt64) {
    let (events, geometry) = try RecordingTests.events(name)
    var replay = RequestReplay(geometry: geometry, host: host)
    for event in events { replay.apply(event) }
    return (replay.cases, replay.commandCount, UInt64(events.count { $0.kind == .msi }))
  }

  /// With vPEIDs for all, every interrupt that the recording delivered is a vLPI.
  @Test(arguments: ["boot", "rebind", "nvme", "nested-irqfd"])
  func nothingIsRefusedAndEveryMessageBecomesAVLPI(name: String) throws {
    let (cases, commands, interrupts) = try Self.replay(name)
    #expect(cases.refused == 0, "\(cases)")
    #expect(cases[.grantedEventfd] == 0 && cases[.poolExhausted] == 0)
    #expect(cases[.eventAsVLPI] == interrupts, "\(cases)")
    #expect(cases[.grantedVLPI] > 0 && commands > 2 * cases[.grantedVLPI])
  }

  /// A hypervisor's mappings for its own guest are no requests to its host.
  @Test func virtualMappingsOfARecordedHypervisorAreLeftOut() throws {
    let (cases, _, interrupts) = try Self.replay("nested-v4")
    #expect(cases.refused == 0, "\(cases)")
    #expect(interrupts > 0 && cases[.grantedVLPI] > 0 && cases[.eventAsVLPI] == 0)
    #expect(cases[.earlyEventDropped] == 0)
  }

  /// Those of `faults` that no ITS could take.
  @Test func strayMessagesAreNamed() throws {
    let (cases, _, interrupts) = try Self.replay("faults")
    #expect(cases.refused == 0)
    #expect(cases[.earlyEventDropped] == 1)
    #expect(cases[.eventOutOfTable] == 1)
    // Two more go to another address, which is the SMMU's to stop.
    #expect(cases[.eventAsVLPI] == interrupts - 2)
  }

  /// A vPE without a vPEID gets its interrupts all the same.
  @Test func anExhaustedPoolFallsBackToEventfds() throws {
    var host = VLPIHost()
    host.vPEIDCount = 1
    let (cases, _, interrupts) = try Self.replay("rebind", host)
    let (all, _, _) = try Self.replay("rebind")
    #expect(cases.refused == 0)
    #expect(cases[.poolExhausted] > 0 && cases[.grantedEventfd] > 0)
    #expect(cases[.eventAsVLPI] > 0 && cases[.eventThroughEventfd] > 0)
    #expect(cases[.eventAsVLPI] + cases[.eventThroughEventfd] == interrupts)
    #expect(cases[.grantedVLPI] + cases[.grantedEventfd] == all[.grantedVLPI])
  }
}
