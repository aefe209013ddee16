import Gates
import History

/// The chapter of one trace, build, host and architecture.
struct SubjectPage {
  let subject: ReportSubject
  let title: String
  let names: CellNames
  let policy: Policy
  let report: ReplayReport

  init(_ subject: ReportSubject, title: String, names: CellNames, policy: Policy) {
    self.subject = subject
    self.title = title
    self.names = names
    self.policy = policy
    report = ReplayReport(subject.record)
  }

  var record: RunRecord { subject.record }
  func cells(_ experiment: String) -> [RunRecord.Cell] { subject.cells(experiment) }

  /// "95 %"
  var confidenceText: String { Format.percentile(policy.confidence * 100) + " %" }

  var chapter: ReportPage.Chapter {
    ReportPage.Chapter(
      title: title, facts: facts,
      sections: ([
        glance, equality, core, latency, stages, rates, lag, setUp, scale, pipeline, slowPaths,
        live,
      ] + others + [work, ledger, host, reproduction]).filter { !$0.isEmpty })
  }

  private var facts: [(String, String)] {
    let trace = record.trace
    let modes = Set(record.cells.map(\.mode)).sorted()
    var facts = [
      (
        "Trace",
        trace.name + (trace.events > 0 ? ", \(Format.count(trace.events)) events" : "")
      ),
      ("SHA-256", trace.contentHash), ("Started", record.started),
      ("Build", "\(record.tool.name) \(record.tool.version)"),
      ("Launches", "\(record.launches)"),
      ("Hardware", subject.architecture),
      ("Mode", modes.joined(separator: ", ")),
    ]
    if let baseline = subject.baseline {
      facts.append(("Baseline launches", "\(baseline.merged.launches)"))
    }
    if trace.lostEvents > 0 {
      facts.append(("Lost in recording", Format.count(trace.lostEvents)))
    }
    return facts
  }

  /// One row for each design, one column for each question that was asked.
  private var glance: PageSection {
    struct Question {
      var heading: String
      var answer: (String) -> String?
    }
    // The cell by which a design answers: of the name, in this experiment.
    func cell(_ name: String, _ experiment: String) -> RunRecord.Cell? {
      cells(experiment).first { names[$0] == name }
    }
    func percentile(_ name: String, _ experiment: String, _ distribution: String, _ percent: Double)
      -> String?
    {
      guard let cell = cell(name, experiment), let found = cell.distribution(distribution),
        found.total > 0
      else { return nil }
      return Format.nanoseconds(found.percentile(percent)) + (cell.voidReason == nil ? "" : " void")
    }
    func metric(_ name: String, _ experiment: String, _ metric: String) -> String? {
      Estimate(cell(name, experiment)?.metric(metric), confidence: policy.confidence)?.text
    }
    let questions = [
      Question(heading: "core, ns/event") { metric($0, "core", "delivery-ns-per-event") },
      Question(heading: "path p50, ns") { percentile($0, "path", "total", 50) },
      Question(heading: "path p99, ns") { percentile($0, "path", "total", 99) },
      Question(heading: "response p99, ns") { percentile($0, "paced", "response", 99) },
      Question(heading: "knee, M/s") { name in
        cell(name, "saturate")?.metric("knee-per-second").map { Format.millions($0.value) }
      },
      Question(heading: "set-up, ns/vector") { metric($0, "set-up", "set-up-ns-per-vector") },
      Question(heading: "lost") { name in
        cell(name, "equality")?.ledger.map { Format.count($0.lostTotal) }
      },
    ]
    var rows: [String] = []
    for cell in record.cells where !rows.contains(names[cell]) { rows.append(names[cell]) }
    let asked = questions.filter { question in rows.contains { question.answer($0) != nil } }
    var table = Table([.word("design")] + asked.map { .number($0.heading) })
    for row in rows {
      let answers = asked.map { $0.answer(row) }
      if answers.contains(where: { $0 != nil }) { table.add([row] + answers.map { $0 ?? "–" }) }
    }
    return PageSection(
      "At a glance",
      "In brackets the \(confidenceText) interval. Set-up and delivery are "
        + "never one figure.",
      tables: asked.isEmpty ? [] : [ReportSection("Designs side by side", table)])
  }

  private var equality: PageSection {
    PageSection(
      "Equality",
      "Every access goes through the slow reference model, through the design, and "
        + "against what the recording itself holds, before anything is timed.",
      tables: [report.conformance()])
  }

  private var pipeline: PageSection {
    PageSection(
      "Pipeline", "What file, decoder, ring and core sustain together, on two threads.",
      tables: [report.pipeline()])
  }

  private var work: PageSection {
    PageSection(
      "Work counters",
      "Exact: the same trace and design give the same numbers on every host. "
        + "A change here is a change of the design, not noise.",
      tables: [report.work(), report.requests()])
  }

  private var ledger: PageSection {
    PageSection(
      "Ledger", "Every interrupt that was offered is accounted for, or the run is void.",
      tables: [report.ledger()])
  }

  /// Cells of experiments that have no section of their own: their figures as they stand.
  private var others: [PageSection] {
    let known: Set = [
      "equality", "core", "path", "paced", "saturate", "scale", "pipeline", "set-up",
      "vlpi-requests",
    ]
    var experiments: [String] = []
    for cell in record.cells
    where !known.contains(cell.experiment) && !cell.experiment.hasPrefix("live-")
      && !experiments.contains(cell.experiment)
    {
      experiments.append(cell.experiment)
    }
    return experiments.map(other)
  }

  private func other(_ experiment: String) -> PageSection {
    let found = cells(experiment)
    var figures = Table([.word("design"), .word("figure"), .word("unit"), .number("value")])
    var accounts = Table([
      .word("design"), .number("offered"), .number("delivered"), .number("coalesced"),
      .number("masked"), .number("lost"),
    ])
    for cell in found {
      for metric in cell.metrics {
        let estimate = Estimate(metric, confidence: policy.confidence)
        figures.add([names[cell], metric.name, metric.unit, estimate?.text ?? "–"])
      }
      if let ledger = cell.ledger {
        accounts.add(
          [names[cell]]
            + [
              ledger.offered, ledger.delivered, ledger.coalesced, ledger.masked, ledger.lostTotal,
            ].map(Format.count))
      }
    }
    let parameters = Set(found.flatMap { $0.parameters.map { "\($0.key) \($0.value)" } }).sorted()
    return PageSection(
      "Experiment \(experiment)", parameters.joined(separator: ", "),
      tables: [
        ReportSection("Figures", figures),
        ReportSection("Ledger: offered = delivered + coalesced + masked + lost", accounts),
      ], cautions: ReplayReport.voids(found))
  }
}
