import EventModel
import Testing
import TraceImport

@testable import TranslationCore

/// The SMMU core against whole recordings: every translation, and every Nth by brute force.
@Suite(
  .enabled(
    if: environment("DOORBELL_CAPTURES") != nil,
    "set DOORBELL_CAPTURES to the folder of the recordings"))
struct SMMURecordingTests {
  /// Every Nth access is walked for, too.
  static let n = 20

  @Test(arguments: ["boot", "faults", "rebind", "nvme", "nested-v4"])
  func everyTranslationIsTheRecordedOne(_ name: String) throws {
    var events: [TraceEvent] = []
    let folder = environment("DOORBELL_CAPTURES") ?? ""
    var input: CaptureInput
    do {
      input = try CaptureInput(path: "\(folder)/\(name).qemu.log")
    } catch {
      input = try CaptureInput(path: "\(folder)/\(name).qemu.log.zst")
    }
    let report = try QEMULogImporter().run(source: &input) { span in
      for index in span.indices { events.append(span[index]) }
    }
    var options = SMMUOptions()
    options.nested = false
    options.streamTableSplit = 0
    var smmu = SMMUCore(geometry: report.geometry, options: options)
    let walker = BruteForceWalker(smmu)
    var compared = 0
    var walked = 0
    var accesses = 0
    for event in events {
      switch event.kind {
      case .streamConfiguration: smmu.configureStream(event)
      case .map: smmu.map(event)
      case .unmap: smmu.unmap(event)
      case .smmuCommand: smmu.command(event.word0, event.word1)
      case .dma, .msi:
        let write = event.kind == .msi || event.flags.contains(.write)
        let answer = smmu.translate(
          streamID: event.streamID, address: event.iova, write: write, read: !write)
        accesses += 1
        if event.flags.contains(.addressRecorded) {
          compared += 1
          if answer.address != event.expectedAddress {
            Issue.record("\(name): \(event) but \(answer)")
            return
          }
        }
        guard smmu.registers.isEnabled, accesses % Self.n == 0 else { continue }
        walked += 1
        let expected = walker.translate(smmu, event.streamID, event.iova, write: write)
        if answer != expected {
          Issue.record("\(name): \(event) but \(answer), by brute force \(expected)")
          return
        }
      default: break
      }
    }
    #expect(compared > accesses / 2)
    #expect(walked > accesses / (Self.n + 1))
    #expect(smmu.refusals.total == 0, "\(smmu.refusals)")
  }
}
