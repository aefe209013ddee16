// Reports: run records → readers. Tables, pages, Markdown, JUnit, SARIF, OpenMetrics, CSV, histograms.
//
// What it is not: it measures nothing, decides nothing and reads no clock; who writes files is `CommandLine`.
//
//   print(ReplayReport(record).text())
//   let page = try ReportPage([record], baseline: [], comparisons: [], policy: Policy()).html()
//
// Invariants: everything that is shown stands in a record or follows from records here; a void cell is marked
// or left out; a percentile is read from a histogram; what a name means is the same in all forms
// (`Sources/Manual/Reference/Counters.md`).
// Threads: values; any thread.

public import History

/// What `doorbell replay` prints: proof, set-up and delivery apart, latency, work, ledger.
public struct ReplayReport {
  let record: RunRecord

  public init(_ record: RunRecord) { self.record = record }

  public func text() -> String {
    var out = heading()
    let start =
      [conformance(), core(), processor(), path(), roundTrips(), paced()].compactMap { $0 }
      + stages()
      + saturate()
    let end = [
      scale(), pipeline(), setUp(), breakEven(), requests(), slowPaths(), harness(), work(),
      ledger(),
    ].compactMap { $0 }
    for section in start + end { out += "\n" + section.text() }
    for warning in record.warnings { out += "\nwarning: \(warning)\n" }
    return out
  }

  private func heading() -> String {
    let facts = record.host.facts
    let host = ["cpu-model", "cpus", "kernel", "hypervisor", "clock"]
      .compactMap { name in facts[name].map { "\(name) \($0)" } }
      .joined(separator: ", ")
    let trace = record.trace
    let architectures = Set(record.cells.map { $0.architecture ?? "arm-gicv4" }).sorted()
    return """
      trace  \(trace.name): \(Format.count(trace.events)) events, sha256 \
      \(trace.contentHash.prefix(16)), \(Format.count(trace.lostEvents)) lost in recording
      host   \(host)
      arch   \(architectures.joined(separator: ", "))
      mode   modelled: software costs on this host, not hardware latencies

      """
  }

  func cells(_ experiment: String) -> [RunRecord.Cell] {
    record.cells.filter { $0.experiment == experiment }
  }

  func conformance() -> ReportSection? {
    var table = Table([
      .word("design"), .number("accesses"), .number("interrupts"), .word("reference model"),
      .number("recorded"), .word("recording"),
    ])
    var differences: [String] = []
    for cell in cells("equality") {
      guard let proof = cell.conformance else { continue }
      table.add([
        cell.design, Format.count(proof.accessesCompared), Format.count(proof.interruptsCompared),
        proof.agreedWithReference ? "equal" : "DIFFERS", Format.count(proof.recordedCompared),
        proof.agreedWithRecording ? "equal" : "DIFFERS",
      ])
      if let difference = proof.firstDifference {
        differences.append("\(cell.design): first difference:\n\(difference)")
      }
    }
    return ReportSection(
      "Equality, checked before anything was timed", table, remarks: differences)
  }

  func value(_ cell: RunRecord.Cell, _ name: String) -> String {
    cell.metric(name).map { Format.number($0.value) } ?? "–"
  }

  func core() -> ReportSection? {
    var table = Table([
      .word("design"), .number("ns/event"), .number("min"), .number("max"), .number("ns/access"),
      .number("M events/s"), .number("set-up ns/command"), .number("set-up ns/vector"),
    ])
    for cell in cells("core") {
      let perEvent = cell.metric("delivery-ns-per-event")
      table.add([
        cell.design, value(cell, "delivery-ns-per-event"),
        perEvent.map { Format.number($0.minimum) } ?? "–",
        perEvent.map { Format.number($0.maximum) } ?? "–",
        value(cell, "delivery-ns-per-access"),
        cell.metric("events-per-second").map { Format.millions($0.value) } ?? "–",
        value(cell, "set-up-ns-per-event"), value(cell, "set-up-ns-per-vector"),
      ])
    }
    let first = cells("core").first
    let samples = UInt64(first?.metric("delivery-ns-per-event")?.samples.count ?? 0)
    var repetitions = "\(samples) passes"
    // A short trace passes many times in one sample. A record of several launches has no count of all.
    if record.launches == 1, samples > 0,
      let passes = first?.parameters["warm-passes"].flatMap({ UInt64($0) }), passes > samples
    {
      repetitions =
        "\(Format.count(samples)) samples of \(Format.count(passes / samples)) passes"
    }
    return ReportSection(
      "Core: translation alone, one thread; delivery left, set-up right "
        + "(median of \(repetitions))", table)
  }

  func path() -> ReportSection? {
    var table = Table([
      .word("design"), .number("interrupts"), .number("p50"), .number("p90"), .number("p99"),
      .number("p99.9"), .number("max"),
    ])
    for cell in cells("path") {
      guard let total = cell.distribution("total") else { continue }
      table.add(
        [cell.design, Format.count(total.total)]
          + [50, 90, 99, 99.9, 100].map { Format.nanoseconds(total.percentile($0)) })
    }
    return ReportSection(
      "Path: one interrupt in flight, device thread to vCPU thread and back; service time, ns",
      table)
  }

  func pipeline() -> ReportSection? {
    var table = Table([
      .word("design"), .number("events"), .number("M events/s"), .number("resident MiB"),
      .number("reader waits"), .number("core waits"),
    ])
    for cell in cells("pipeline") {
      table.add([
        cell.design, value(cell, "events"),
        cell.metric("events-per-second").map { Format.millions($0.value) } ?? "–",
        value(cell, "resident-mib"), value(cell, "reader-waits"), value(cell, "core-waits"),
      ])
    }
    return ReportSection("Pipeline: trace file → decode → ring → core, two threads", table)
  }

  /// What every figure above contains, and the floor under `path`.
  func harness() -> ReportSection? {
    var table = Table([.word("harness"), .number("ns")])
    for metric in record.harness { table.add([metric.name, Format.number(metric.value)]) }
    return ReportSection("Harness on this host, in this run (see also design 'null')", table)
  }

  /// Counters of one pass, the designs side by side; rows in which all are 0 are left out.
  func work() -> ReportSection? {
    let cells = cells("equality").filter { !$0.deliveryCounters.isEmpty }
    guard !cells.isEmpty else { return nil }
    var table = Table([.word("counter")] + cells.map { .number($0.design) })
    let names = Set(cells.flatMap { $0.deliveryCounters.keys }).union(
      cells.flatMap { $0.setUpCounters.keys })
    for name in names.sorted() {
      let pairs = cells.map { ($0.setUpCounters[name] ?? 0, $0.deliveryCounters[name] ?? 0) }
      guard pairs.contains(where: { $0.0 + $0.1 > 0 }) else { continue }
      table.add(
        [name]
          + pairs.map { pair in
            pair.0 == 0
              ? Format.count(pair.1) : "\(Format.count(pair.0)) + \(Format.count(pair.1))"
          })
    }
    return ReportSection("Work in one pass, exact (set-up + delivery)", table)
  }

  func ledger() -> ReportSection? {
    var table = Table([
      .word("design"), .number("offered"), .number("delivered"), .number("coalesced"),
      .number("masked"), .number("lost"), .word("of these"),
    ])
    for cell in cells("equality") {
      guard let ledger = cell.ledger else { continue }
      let classes = ledger.lost.sorted { $0.key < $1.key }
        .map { "\($0.value) \($0.key.replacing("lost: ", with: ""))" }
      table.add([
        cell.design, Format.count(ledger.offered), Format.count(ledger.delivered),
        Format.count(ledger.coalesced), Format.count(ledger.masked),
        Format.count(ledger.lostTotal), classes.joined(separator: ", "),
      ])
    }
    return ReportSection("Ledger: offered = delivered + coalesced + masked + lost", table)
  }
}
