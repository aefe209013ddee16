import EventModel
import Replay
import Testing
import TraceImport

@testable import Backends

/// Made traces mean what they say: the reference model gives every outcome that the generator states, and
/// every design agrees with it.
@Suite struct SyntheticTraceTests {
  static func prove(_ events: [TraceEvent], _ geometry: TableGeometry, _ name: String) {
    let answers = ReferenceAnswers(events, geometry: geometry)
    for architecture in Architecture.allCases {
      for design in BackendCatalogue.designs where design != .null {
        guard
          let runner = BackendCatalogue.runner(
            of: design, geometry: geometry, architecture: architecture)
        else { continue }
        let result = runner.prove(answers)
        let difference = result.firstDifference ?? result.firstRecordingDifference
        let conforms = result.conforms
        #expect(
          conforms,
          "\(name) \(design) \(architecture.rawValue): \(difference.map { "\($0)" } ?? "ledger")")
        #expect(result.interruptsCompared > 0)
        #expect(result.recordedCompared == result.accessesCompared)
        #expect(result.deliveryCounters.vectorShortages == 0)
      }
    }
  }

  @Test(arguments: Scenario.allCases) func everyDesignReplaysAScenario(scenario: Scenario) throws {
    var options = SynthesisOptions()
    options.events = 20_000
    let generator = try ScenarioGenerator(scenario, options)
    var events: [TraceEvent] = []
    try generator.run { span in for index in span.indices { events.append(span[index]) } }
    Self.prove(events, generator.geometry, scenario.rawValue)
  }
}
