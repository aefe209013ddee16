import History

/// A record that holds every experiment, with figures made up.
enum SampleRecord {
  static func cell(_ design: String, _ experiment: String) -> RunRecord.Cell {
    let pair: (String, String) =
      switch design {
      case "trapped": ("trapped", "vlpi")
      case "eventfd": ("trapped", "irqfd")
      default: ("owned", "vlpi")
      }
    return RunRecord.Cell(
      design: design, setUp: pair.0, delivery: pair.1, experiment: experiment)
  }

  static func metric(
    _ name: String, _ samples: [Double], lowerIsBetter: Bool = true
  ) -> RunRecord.Metric {
    let rising = samples.sorted()
    return .init(
      name: name, unit: "ns", lowerIsBetter: lowerIsBetter, value: rising[rising.count / 2],
      samples: samples)
  }

  /// Values from `least` on, a tenth as many of each further factor of two.
  static func distribution(_ name: String, least: UInt64) -> RunRecord.Distribution {
    .init(
      name: name, unit: "ns",
      counts: (0..<5).map { .init(value: least << $0, count: [9000, 900, 90, 9, 1][$0]) })
  }

  /// - Parameter slowdown: by which all times are longer.
  static func record(
    designs: [String] = ["trapped", "eventfd", "direct"], slowdown: Double = 1,
    name: String = "nvme.dbtrace"
  ) -> RunRecord {
    var record = RunRecord(
      tool: .init(name: "doorbell", version: "0.1.0"),
      command: ["replay", "Traces/nvme.dbtrace", "--design", "it's"],
      started: "2026-01-02T03:04:05Z",
      trace: .init(
        name: name, contentHash: String(repeating: "ab", count: 32), events: 163_839,
        eventsByKind: [:], lostEvents: 0),
      host: .init(facts: ["cpu-model": "Some CPU", "cpus": "2"]),
      cells: designs.enumerated().flatMap { cells($1, Double($0 + 1) * slowdown) },
      harness: [metric("clock-reading", [9])], warnings: ["eventfd: path: shares a CPU"])
    record.findings = [
      .init(name: "governor", fact: "powersave", state: .warn, advice: "set performance")
    ]
    record.slowPaths = [
      .init(
        name: "irqfd: assigning", unit: "ns for all",
        points: [1, 10, 100].map { .init(length: $0, walk: Double($0 * $0), map: Double($0)) })
    ]
    return record
  }

  private static func cells(_ design: String, _ factor: Double) -> [RunRecord.Cell] {
    var equality = cell(design, "equality")
    equality.conformance = .init(
      accessesCompared: 98_877, interruptsCompared: 5057, agreedWithReference: true,
      recordedCompared: 98_877, agreedWithRecording: true, firstDifference: nil)
    equality.ledger = .init(
      offered: 5057, delivered: 5000, coalesced: 50, masked: 0, lost: ["lost: unmapped event": 7])
    equality.deliveryCounters = ["tlb-misses": 15_247]
    var core = cell(design, "core")
    core.metrics = [
      metric("delivery-ns-per-event", (0..<20).map { factor * (4 + Double($0) / 100) }),
      metric("set-up-ns-per-vector", [500 * factor, 510 * factor]),
    ]
    var path = cell(design, "path")
    path.distributions = [distribution("total", least: UInt64(100 * factor))]
    path.stages = [50, 99].map {
      .init(
        percentile: $0, total: UInt64(100 * factor),
        stages: [
          .init(name: "its", nanoseconds: UInt64(60 * factor)),
          .init(name: "acknowledge", nanoseconds: UInt64(40 * factor)),
        ])
    }
    var paced = cell(design, "paced")
    paced.parameters = ["lag-budget-ns": "50000", "arrivals": "poisson"]
    paced.distributions = [
      distribution("response", least: UInt64(200 * factor)),
      distribution("lag", least: 10),
    ]
    if design == "eventfd" { paced.voidReason = "send lag above its budget" }
    var saturate = cell(design, "saturate")
    saturate.parameters = ["percentile": "99.0", "bound-ns": "50000"]
    saturate.metrics = [metric("knee-per-second", [1e6 / factor], lowerIsBetter: false)]
    saturate.curve = [1e3, 1e4, 1e5, 1e6].map {
      .init(
        rate: $0, taken: $0, runs: 3, sustained: 3, discarded: 0, coalesced: 0, lost: 0,
        p50: UInt64(200 * factor), p99: UInt64(900 * factor), p999: UInt64(4000 * factor),
        maximum: 9000, lag: 100)
    }
    var setUp = cell(design, "set-up")
    setUp.parameters = ["vectors": "4"]
    setUp.metrics = [
      metric("set-up-ns-per-vector", [1000 * factor]),
      metric("delivery-ns-per-interrupt", [30 - 5 * factor]),
    ]
    var scale = cell(design, "scale")
    scale.parameters = ["device-threads": "2", "vcpu-threads": "1", "cpus": "2"]
    scale.metrics = [
      metric("events-per-second-1", [1e7]), metric("events-per-second-2", [1.5e7]),
    ]
    return [equality, core, path, paced, saturate, setUp, scale]
  }
}
