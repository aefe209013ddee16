import Foundation
import History
import Testing

/// A record that was damaged or made up is refused before anything is computed from it.
@Suite struct RunRecordLimitsTests {
  private func record() -> RunRecord {
    var cell = RunRecord.Cell(
      design: "direct", setUp: "owned", delivery: "vlpi", experiment: "path")
    cell.metrics = [
      .init(name: "lost", unit: "interrupts", lowerIsBetter: true, value: 1, samples: [1, 2])
    ]
    cell.distributions = [
      .init(
        name: "total", unit: "ns", counts: [.init(value: 5, count: 6), .init(value: 7, count: 8)])
    ]
    cell.deliveryCounters = ["tlb-misses": 3]
    cell.ledger = .init(offered: 9, delivered: 9, coalesced: 0, masked: 0, lost: ["x": 0])
    cell.stages = [.init(percentile: 50, total: 4, stages: [.init(name: "its", nanoseconds: 4)])]
    cell.curve = [
      .init(
        rate: 10, taken: 10, runs: 1, sustained: 1, discarded: 0, coalesced: 0, lost: 0, p50: 1,
        p99: 2, p999: 3, maximum: 4, lag: 5)
    ]
    return RunRecord(
      tool: .init(name: "doorbell", version: "0"), command: [], started: "",
      trace: .init(name: "t", contentHash: "", events: 1, eventsByKind: [:], lostEvents: 0),
      host: .init(facts: [:]), cells: [cell])
  }

  private func reading(_ change: (inout RunRecord) -> Void) throws -> String {
    var record = record()
    change(&record)
    let path = NSTemporaryDirectory() + "doorbell-limits-\(UUID().uuidString).json"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try record.write(to: path)
    do {
      _ = try RunRecord.read(from: path)
      return "read"
    } catch {
      return "\(error)"
    }
  }

  @Test func aRecordIsRead() throws { #expect(try reading { _ in } == "read") }

  @Test func figuresThatNoRunGivesAreNamed() throws {
    let changes: [(String, (inout RunRecord) -> Void)] = [
      ("launches: 0", { $0.launches = 0 }),
      ("trace: events", { $0.trace.events = .max }),
      ("direct path: lost", { $0.cells[0].metrics[0].samples[1] = 1e300 }),
      ("direct path: lost", { $0.cells[0].metrics[0].launchSizes = [.max, .max] }),
      ("distribution 'total'", { $0.cells[0].distributions[0].counts[0].count = .max }),
      (
        "distribution 'total'",
        {
          $0.cells[0].distributions[0].counts[0].count = 1 << 53
          $0.cells[0].distributions[0].counts[1].count = 1 << 53
        }
      ),
      ("counter 'tlb-misses'", { $0.cells[0].deliveryCounters["tlb-misses"] = .max }),
      ("ledger", { $0.cells[0].ledger?.lost["x"] = .max }),
      ("stages", { $0.cells[0].stages?[0].percentile = -1 }),
      ("latency at rate", { $0.cells[0].curve?[0].runs = -1 }),
      (
        "slow path 's'",
        {
          $0.slowPaths = [
            .init(name: "s", unit: "ns", points: [.init(length: -1, walk: 1, map: 1)])
          ]
        }
      ),
    ]
    for (place, change) in changes {
      let said = try reading(change)
      #expect(said.contains("\(place)"), "\(said)")
      #expect(said.contains("beyond what a run can give"), "\(said)")
    }
  }
}
