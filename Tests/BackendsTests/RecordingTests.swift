import Backends
import EventModel
import Foundation
import Replay
import Testing
import TraceImport

/// Every design against the reference model and the recordings themselves.
@Suite struct RecordingTests {
  static let folder: String = {
    let environment = ProcessInfo.processInfo.environment
    return environment["DOORBELL_CAPTURES"] ?? "../shared/captures"
  }()

  /// Path of a recording, plain or compressed; nil if it is not here.
  static func path(_ name: String) -> String? {
    ["\(folder)/\(name).qemu.log", "\(folder)/\(name).qemu.log.zst"]
      .first { FileManager.default.isReadableFile(atPath: $0) }
  }

  @Test(arguments: [
    "boot", "faults", "rebind", "nvme", "nested-v4", "nested-irqfd", "nested-userspace",
  ])
  func everyDesignDeliversWhatTheRecordingDelivers(name: String) throws {
    guard let path = Self.path(name) else {
      print("skipped: no recording \(name) in \(Self.folder)")
      return
    }
    var input = try CaptureInput(path: path)
    var events: [TraceEvent] = []
    let report = try QEMULogImporter().run(source: &input) { batch in
      for index in batch.indices { events.append(batch[index]) }
    }
    let answers = ReferenceAnswers(events, geometry: report.geometry)
    for architecture in Architecture.allCases {
      for design in BackendCatalogue.designs where design != .null {
        let runner = BackendCatalogue.runner(
          of: design, geometry: report.geometry, architecture: architecture)
        let isAbsent = BackendCatalogue.absence(of: design, on: architecture) != nil
        #expect((runner == nil) == isAbsent, "\(design) on \(architecture.rawValue)")
        guard let result = runner?.prove(answers) else { continue }
        let cell = "\(name) \(design) \(architecture.rawValue)"
        #expect(
          result.differences == 0,
          "\(cell): \(result.differences), first \(result.firstDifference.map { "\($0)" } ?? "")")
        #expect(
          result.recordingDifferences == 0,
          "\(cell): \(result.firstRecordingDifference.map { "\($0)" } ?? "")")
        #expect(result.ledger.isConserved)
        #expect(result.interruptsCompared == report.count(.msi))
        #expect(result.recordedCompared == report.count(.msi) + report.count(.dma))
      }
    }
  }
}
