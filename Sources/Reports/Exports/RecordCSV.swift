package import History

/// Everything that run records hold, one figure a line, as CSV (RFC 4180): for spreadsheets, data frames
/// and databases.
///
/// `kind` tells what `name`, `index` and `value` are:
///
///   sample    a metric; index: the pass, from 0; launch: from 0
///   bucket    a histogram's; index: the highest value of the bucket, value: how many fell into it
///   stage     of the interrupt at a percentile; index: the percentile
///   rate      latency at a rate; index: the rate per second
///   counter   work; unit: set-up or delivery
///   ledger    offered, delivered, coalesced, masked, and what was lost by its class
///
/// A cell whose `void` is not empty holds figures that must not be believed.
package struct RecordCSV {
  private let records: [RunRecord]

  package init(_ records: [RunRecord]) { self.records = records }

  static let columns = [
    "trace", "sha256", "version", "started", "architecture", "design", "set_up", "delivery",
    "experiment", "mode", "void", "kind", "name", "unit", "launch", "index", "value",
  ]

  package func text() -> String {
    var out = Self.line(Self.columns)
    for record in records {
      for cell in record.cells { add(cell, of: record, to: &out) }
    }
    return out
  }

  private func add(_ cell: RunRecord.Cell, of record: RunRecord, to out: inout String) {
    let start = Self.fields([
      record.trace.name, record.trace.contentHash, record.tool.version, record.started,
      cell.architectureName, cell.design, cell.setUp, cell.delivery, cell.experiment, cell.mode,
      cell.voidReason ?? "",
    ])
    func line(
      _ kind: String, _ name: String, _ unit: String, launch: Int? = nil, index: String = "",
      _ value: String
    ) {
      out += start + ","
      out += Self.line([kind, name, unit, launch.map(String.init) ?? "", index, value])
    }
    for metric in cell.metrics {
      for (launch, samples) in metric.samplesByLaunch.enumerated() {
        for (index, sample) in samples.enumerated() {
          line("sample", metric.name, metric.unit, launch: launch, index: "\(index)", "\(sample)")
        }
      }
    }
    for shape in cell.distributions {
      for bucket in shape.counts {
        line("bucket", shape.name, shape.unit, index: "\(bucket.value)", "\(bucket.count)")
      }
    }
    for found in cell.stages ?? [] {
      for stage in found.stages {
        line("stage", stage.name, "ns", index: "\(found.percentile)", "\(stage.nanoseconds)")
      }
    }
    for point in cell.curve ?? [] {
      let values: [(String, String, String)] = [
        ("taken", "1/s", "\(point.taken)"), ("p50", "ns", "\(point.p50)"),
        ("p99", "ns", "\(point.p99)"), ("p99.9", "ns", "\(point.p999)"),
        ("max", "ns", "\(point.maximum)"), ("lag", "ns", "\(point.lag)"),
        ("runs", "runs", "\(point.runs)"), ("kept", "runs", "\(point.sustained)"),
        ("coalesced", "interrupts", "\(point.coalesced)"), ("lost", "interrupts", "\(point.lost)"),
      ]
      for (name, unit, value) in values {
        line("rate", name, unit, index: "\(point.rate)", value)
      }
    }
    for (part, counters) in [("set-up", cell.setUpCounters), ("delivery", cell.deliveryCounters)] {
      for (name, count) in counters.sorted(by: { $0.key < $1.key }) {
        line("counter", name, part, "\(count)")
      }
    }
    for (name, count) in cell.ledger?.entries ?? [] {
      line("ledger", name, "interrupts", "\(count)")
    }
  }

  private static func line(_ values: [String]) -> String { fields(values) + "\r\n" }

  private static func fields(_ values: [String]) -> String {
    values.map { value in
      value.unicodeScalars.contains { [",", "\"", "\r", "\n"].contains($0) }
        ? "\"" + value.replacing("\"", with: "\"\"") + "\"" : value
    }.joined(separator: ",")
  }
}

extension RunRecord.LedgerRecord {
  /// Name → count; the losses last, each under its class.
  var entries: [(name: String, count: UInt64)] {
    [
      ("offered", offered), ("delivered", delivered), ("coalesced", coalesced), ("masked", masked),
    ] + lost.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }
}
