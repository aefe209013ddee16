import Foundation
import History
import Testing

@Suite struct RunRecordTests {
  private func sample() -> RunRecord {
    var cell = RunRecord.Cell(
      design: "direct", setUp: "owned", delivery: "vlpi", experiment: "core")
    cell.metrics = [
      .init(name: "ns-per-event", unit: "ns", lowerIsBetter: true, value: 4, samples: [5, 4, 3])
    ]
    cell.ledger = .init(
      offered: 10, delivered: 7, coalesced: 1, masked: 0, lost: ["lost: unmapped event": 2])
    cell.distributions = [
      .init(
        name: "total", unit: "ns",
        counts: [
          .init(value: 10, count: 98), .init(value: 20, count: 1), .init(value: 90, count: 1),
        ])
    ]
    cell.stages = [
      .init(percentile: 99.9, total: 7, stages: [.init(name: "its", nanoseconds: 7)])
    ]
    cell.curve = [
      .init(
        rate: 1e6, taken: 9e5, runs: 3, sustained: 2, discarded: 4, coalesced: 1, lost: 0, p50: 1,
        p99: 2,
        p999: 3, maximum: 4, lag: 5)
    ]
    return RunRecord(
      tool: .init(name: "doorbell", version: "1"), command: ["doorbell", "replay"],
      started: "2026-01-01T00:00:00Z",
      trace: .init(
        name: "t", contentHash: "00", events: 10, eventsByKind: ["msi": 10], lostEvents: 0),
      host: .init(facts: ["cpu-model": "x"]), cells: [cell])
  }

  private func temporaryPath() -> String {
    FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID()).json").path
  }

  @Test func aRecordSurvivesTheFile() throws {
    let path = temporaryPath()
    defer { try? FileManager.default.removeItem(atPath: path) }
    try sample().write(to: path)
    #expect(try RunRecord.read(from: path) == sample())
    let directory = (path as NSString).deletingLastPathComponent
    let left = try FileManager.default.contentsOfDirectory(atPath: directory)
    #expect(!left.contains { $0.hasPrefix((path as NSString).lastPathComponent + ".partial") })
  }

  @Test func equalRecordsAreEqualBytes() throws {
    #expect(try sample().json() == sample().json())
  }

  @Test func aNewerSchemaIsRefusedByName() throws {
    let path = temporaryPath()
    defer { try? FileManager.default.removeItem(atPath: path) }
    var record = sample()
    record.schema = RunRecord.currentSchema + 1
    try record.write(to: path)
    #expect {
      try RunRecord.read(from: path)
    } throws: {
      "\($0)".contains("schema 2")
    }
  }

  @Test func aForeignFileIsRefusedWithItsPath() throws {
    let path = temporaryPath()
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Data("{\"a\": 1}".utf8).write(to: URL(fileURLWithPath: path))
    #expect {
      try RunRecord.read(from: path)
    } throws: {
      "\($0)".contains(path) && "\($0)".contains("not a run record")
    }
    #expect {
      try RunRecord.read(from: path + ".missing")
    } throws: {
      "\($0)".contains("cannot be read")
    }
  }

  @Test func percentilesAreReadFromTheWholeHistogram() {
    let distribution = sample().cells[0].distributions[0]
    #expect(distribution.percentile(50) == 10)
    #expect(distribution.percentile(98) == 10)
    #expect(distribution.percentile(98.5) == 20)
    #expect(distribution.percentile(100) == 90)
    #expect(RunRecord.Distribution(name: "", unit: "", counts: []).percentile(50) == 0)
  }

  @Test func conservationIsOfferedAgainstTheSum() {
    var ledger = sample().cells[0].ledger!
    #expect(ledger.isConserved)
    ledger.coalesced += 1
    #expect(!ledger.isConserved)
  }

  @Test func fingerprintsNameTheFactThatDiffers() {
    let a = HostFingerprint(facts: ["kernel": "6.1", "cpu-model": "x"])
    let b = HostFingerprint(facts: ["kernel": "6.2", "cpu-model": "x"])
    #expect(a.differences(from: b) == ["kernel: 6.1 against 6.2"])
    #expect(a.differences(from: a).isEmpty)
    // What one host does not tell is no agreement.
    #expect(
      a.differences(from: HostFingerprint(facts: ["cpu-model": "x"]))
        == ["kernel: 6.1 against unknown"])
    var newer = a
    newer.schema = HostFingerprint.currentSchema + 1
    #expect(a.differences(from: newer) == ["fingerprint schema: 1 against 2"])
  }

  @Test func theCrossoverIsTheFirstLengthFromWhichTheMapStaysAhead() {
    var curve = RunRecord.LengthCurve(
      name: "", unit: "",
      points: [
        .init(length: 1, walk: 2, map: 1), .init(length: 2, walk: 1, map: 2),
        .init(length: 3, walk: 3, map: 2), .init(length: 4, walk: 9, map: 2),
      ])
    #expect(curve.crossover == 3)
    curve.points.append(.init(length: 5, walk: 1, map: 2))
    #expect(curve.crossover == nil)
  }
}
