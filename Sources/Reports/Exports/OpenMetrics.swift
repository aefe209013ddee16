package import History

/// Run records in the text format of OpenMetrics 1.0, for Prometheus (a textfile collector, a push gateway)
/// and whatever else reads it.
///
/// Every metric is a gauge of its own, `doorbell_` and its name; times by percentile are the summary
/// `doorbell_latency_seconds`; ledger and work counters are the gauges `doorbell_interrupts` and
/// `doorbell_work`: they are of one pass and do not go on counting. The labels are those that a history can
/// be drawn by; what changes with every run is in `doorbell_run_info`. Cells that are void give no figures
/// but `doorbell_void` = 1.
package struct OpenMetrics {
  /// What cannot be told apart by the labels.
  package struct Ambiguity: Error, CustomStringConvertible {
    let trace: String
    package var description: String {
      "\(trace): records of two builds or hosts; a metric has one value: export each by itself"
    }
  }

  private var families = OpenMetricsFamilies()

  /// - Parameter records: launches of one build on one host become one.
  package init(_ records: [RunRecord]) throws {
    let subjects = try ReportSubject.of(records, baseline: [])
    var seen: Set<[String]> = []
    for subject in subjects {
      let record = subject.record
      guard seen.insert([record.trace.name, subject.architecture]).inserted else {
        throw Ambiguity(trace: record.trace.name)
      }
      for cell in record.cells { add(cell, of: record) }
      families.add(
        "doorbell_run", "info", "What was measured, and when.", suffix: "_info",
        [
          ("trace", record.trace.name), ("architecture", subject.architecture),
          ("sha256", record.trace.contentHash), ("version", record.tool.version),
          ("started", record.started),
        ], 1)
    }
  }

  package func text() -> String { families.text() }

  private mutating func add(_ cell: RunRecord.Cell, of record: RunRecord) {
    let labels = [
      ("trace", record.trace.name), ("architecture", cell.architectureName),
      ("design", cell.design), ("experiment", cell.experiment), ("mode", cell.mode),
    ]
    families.add(
      "doorbell_void", "gauge", "1 if the cell's figures must not be believed.", labels,
      cell.voidReason == nil ? 0 : 1)
    guard cell.voidReason == nil else { return }
    var names: Set<String> = []
    for metric in cell.metrics {
      let name = "doorbell_" + Self.name(metric.name)
      guard names.insert(name).inserted else { continue }
      families.add(
        name, "gauge", "\(metric.name), \(metric.unit): the median.", labels, metric.value)
    }
    for shape in cell.distributions where shape.unit == "ns" && shape.total > 0 {
      let latency = "doorbell_latency_seconds"
      let labels = labels + [("distribution", shape.name)]
      let help = "Time by percentile."
      for percent in [50, 90, 99, 99.9, 99.99, 100] {
        families.add(
          latency, "summary", help, unit: "seconds",
          labels + [("quantile", "\(percent / 100)")], Double(shape.percentile(percent)) / 1e9)
      }
      families.add(
        latency, "summary", help, unit: "seconds", suffix: "_count", labels, Double(shape.total))
    }
    for (name, count) in cell.ledger?.entries ?? [] {
      families.add(
        "doorbell_interrupts", "gauge", "Interrupts of one pass by what became of them.",
        labels + [("outcome", name)], Double(count))
    }
    for (part, counters) in [("set-up", cell.setUpCounters), ("delivery", cell.deliveryCounters)] {
      for (name, count) in counters.sorted(by: { $0.key < $1.key }) {
        families.add(
          "doorbell_work", "gauge", "Work of one pass, exact.",
          labels + [("counter", name), ("part", part)], Double(count))
      }
    }
  }

  /// a-z, digits and `_`.
  private static func name(_ text: String) -> String {
    String(
      text.lowercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
  }
}
