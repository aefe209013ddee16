import Backends
import EventModel
import Foundation
import Replay
import Testing
import TraceFormat

/// Every design against the reference model and against what the recordings themselves state, on all
/// traces that come with the project.
@Suite struct RecordingTests {
  static let folder = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Traces")

  static func events(_ name: String) throws -> (events: [TraceEvent], geometry: TableGeometry) {
    var reader = try TraceReader(path: folder.appendingPathComponent("\(name).dbtrace").path)
    var events: [TraceEvent] = []
    var batch = [TraceEvent](repeating: TraceEvent(time: 0, kind: .mark), count: 4096)
    while true {
      // Safety: the pointer is used during the call only.
      let count = unsafe try batch.withUnsafeMutableBufferPointer {
        unsafe try reader.decode(into: $0)
      }
      if count == 0 { break }
      events += batch[0..<count]
    }
    return (events, reader.header.description.geometry)
  }

  @Test(arguments: [
    "boot", "faults", "rebind", "nvme", "nested-v4", "nested-irqfd", "nested-userspace",
  ])
  func everyDesignDeliversWhatTheRecordingDelivers(name: String) throws {
    let (events, geometry) = try Self.events(name)
    let interrupts = UInt64(events.count { $0.kind == .msi })
    let accesses = UInt64(events.count { $0.kind.isAccess })
    #expect(interrupts > 0)
    let answers = ReferenceAnswers(events, geometry: geometry)
    for architecture in Architecture.allCases {
      for design in BackendCatalogue.designs where design != .null {
        let runner = BackendCatalogue.runner(
          of: design, geometry: geometry, architecture: architecture)
        let isAbsent = BackendCatalogue.absence(of: design, on: architecture) != nil
        #expect((runner == nil) == isAbsent, "\(design) on \(architecture.rawValue)")
        guard let result = runner?.prove(answers) else { continue }
        let cell = "\(name) \(design) \(architecture.rawValue)"
        let difference = result.firstDifference ?? result.firstRecordingDifference
        #expect(result.differences == 0, "\(cell): \(difference.map { "\($0)" } ?? "")")
        #expect(result.recordingDifferences == 0, "\(cell): \(difference.map { "\($0)" } ?? "")")
        #expect(result.ledger.isConserved)
        #expect(result.interruptsCompared == interrupts)
        #expect(result.recordedCompared == accesses, "the recording states every outcome")
      }
    }
  }

  /// In `faults` a vector's entry was rewritten by hand: the losses have names.
  @Test func theFaultsRecordingLosesInterruptsByName() throws {
    let (events, geometry) = try Self.events("faults")
    let answers = ReferenceAnswers(events, geometry: geometry)
    let runner = try #require(BackendCatalogue.runner(of: .direct, geometry: geometry))
    let lost = Dictionary(
      uniqueKeysWithValues: runner.prove(answers).ledger.total.lost.map { ($0.outcome, $0.count) })
    #expect(
      lost == [
        .unmappedEvent: 1, .eventIDOutOfRange: 1, .notADoorbell: 1, .smmuFault(0x10): 1,
      ])
  }

  /// Two numberings really exist: the host's tables never hold the guest's EventIDs.
  @Test func trappedSetUpCostsTrapsAndOwnedDoesNot() throws {
    let (events, geometry) = try Self.events("rebind")
    let answers = ReferenceAnswers(events, geometry: geometry)
    let writes = UInt64(events.count { $0.kind == .msixTableWrite })
    let trapped = try #require(BackendCatalogue.runner(of: .trapped, geometry: geometry))
    let direct = try #require(BackendCatalogue.runner(of: .direct, geometry: geometry))
    #expect(trapped.prove(answers).setUpCounters.msixTraps == writes)
    #expect(direct.prove(answers).setUpCounters.msixTraps == 0)
  }

  @Test func workCountersRepeatExactly() throws {
    let (events, geometry) = try Self.events("rebind")
    let answers = ReferenceAnswers(events, geometry: geometry)
    for design in Design.named {
      let runner = try #require(BackendCatalogue.runner(of: design, geometry: geometry))
      let (first, second) = (runner.prove(answers), runner.prove(answers))
      #expect(first.setUpCounters == second.setUpCounters)
      #expect(first.deliveryCounters == second.deliveryCounters)
      #expect(first.tally.digest == second.tally.digest)
    }
  }
}
