import EventModel
import History

/// Run records as small as they can be.
enum Example {
  static let host = HostFingerprint(facts: ["cpu-model": "x", "cpus": "2"])

  static func record(
    delivery: [Double] = [5, 5.1], work: [String: UInt64] = ["tlb-misses": 10],
    host: HostFingerprint = host, _ change: (inout RunRecord) -> Void = { _ in }
  ) -> RunRecord {
    var proof = RunRecord.Cell(
      design: "direct", setUp: "owned", delivery: "vlpi", experiment: "equality")
    proof.conformance = .init(
      accessesCompared: 3, interruptsCompared: 2, agreedWithReference: true, recordedCompared: 0,
      agreedWithRecording: true, firstDifference: nil)
    proof.ledger = .init(
      offered: 10, delivered: 8, coalesced: 1, masked: 0, lost: ["lost: unmapped event": 1])
    proof.deliveryCounters = work
    proof.digest = "abc"
    var core = RunRecord.Cell(
      design: "direct", setUp: "owned", delivery: "vlpi", experiment: "core")
    core.metrics = [
      .init(
        name: "delivery-ns-per-event", unit: "ns", lowerIsBetter: true, value: delivery[0],
        samples: delivery)
    ]
    var path = RunRecord.Cell(
      design: "direct", setUp: "owned", delivery: "vlpi", experiment: "path")
    path.distributions = [
      .init(
        name: "total", unit: "ns",
        counts: [
          .init(value: UInt64(delivery[0] * 100), count: 99),
          .init(value: UInt64(delivery[0] * 900), count: 1),
        ])
    ]
    var record = RunRecord(
      tool: .init(name: "doorbell", version: "1"), command: [], started: "2026-01-01T00:00:00Z",
      trace: .init(name: "t", contentHash: "00", events: 10, eventsByKind: [:], lostEvents: 0),
      host: host, cells: [proof, core, path])
    change(&record)
    return record
  }

  static func launches(_ count: Int, around value: Double, seed: UInt64) -> [RunRecord] {
    var random = SplitMix64(seed: seed)
    return (0..<count).map { _ in
      record(delivery: [value * Double.random(in: 1...1.01, using: &random), value * 1.2])
    }
  }
}
