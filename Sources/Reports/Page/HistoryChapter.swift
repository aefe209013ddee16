import Gates
import History
import Plots

/// One design on a trace, a host and an architecture, night by night.
struct HistoryChapter {
  let subject: HistoryPages.Subject
  let entries: [HistoryReview.Entry]
  let policy: Policy
  /// The newest run, if it is at hand.
  let newest: RunRecord?

  func chapter(title: String, anchor: String) -> ReportPage.Chapter {
    ReportPage.Chapter(
      title: title, facts: facts,
      sections: ([steps(anchor)] + experiments.map { experiment($0, anchor) }
        + [runs(anchor), reproduction]).filter { !$0.isEmpty }, anchor: anchor)
  }

  private var facts: [(name: String, value: String)] {
    let points = entries.flatMap(\.series.points)
    let cpu = newest?.host.facts["cpu-model"].map { "\($0), " } ?? ""
    return [
      ("Trace", subject.trace), ("SHA-256", subject.traceHash),
      ("Hardware", subject.architecture), ("Design", subject.design), ("Mode", subject.mode),
      ("Host", "\(cpu)fingerprint \(subject.host.prefix(8))"),
      ("Runs", Format.count(UInt64(Set(points.map(\.run)).count))),
      ("Newest", points.map(\.started).max() ?? "–"),
    ]
  }

  private var experiments: [String] {
    var found: [String] = []
    for entry in entries where !found.contains(entry.finding.cell.question) {
      found.append(entry.finding.cell.question)
    }
    return found
  }

  private func experiment(_ name: String, _ anchor: String) -> PageSection {
    PageSection(
      name,
      "A dot is a run, a line the median of a stretch without a step; the axis need not begin at 0. Every value "
        + "stands in the table of runs.",
      figures: entries.filter { $0.finding.cell.question == name }.map { figure($0, anchor) },
      anchor: "\(anchor)-\(Slug.text([name]))")
  }

  private func figure(_ entry: HistoryReview.Entry, _ anchor: String) -> PageSection.Figure {
    let (series, finding) = (entry.series, entry.finding)
    var table = Table([
      .word("from"), .word("to"), .number("runs"), .number("level"), .number("least"),
      .number("most"),
    ])
    for stretch in entry.stretches.reversed() {
      let points = series.points[stretch.runs]
      guard let first = points.first, let last = points.last else { continue }
      let values = points.map(\.value)
      table.add([
        "\(Day.of(first.started)), run \(first.run)", "\(Day.of(last.started)), run \(last.run)",
        "\(points.count)", Format.number(stretch.level), Format.number(values.min() ?? 0),
        Format.number(values.max() ?? 0),
      ])
    }
    let values = series.points.map(\.value)
    return PageSection.Figure(
      picture: HistoryPlot(
        title: "\(series.name), \(series.unit)",
        summary:
          "\(values.count) runs; level now \(Format.number(finding.level)) \(series.unit), newest "
          + "\(Format.number(values.last ?? 0)); steps: \(entry.steps.count); \(verdict(finding)).",
        y: Axis(
          series.unit, .around(values), series.unit == "ns" ? .nanoseconds : .plain),
        style: CellNames.style(ofDesign: subject.design), values: values,
        names: series.points.map { Day.of($0.started) },
        levels: entry.stretches.map { .init(runs: $0.runs, value: $0.level) },
        marks: marks(entry)),
      note: "Newest night: \(verdict(finding)).", table: table,
      anchor: "\(anchor)-\(Slug.text([finding.cell.question, series.name]))")
  }

  /// "watch", or the verdict and what it could have seen.
  private func verdict(_ finding: NightlyCheck.Finding) -> String {
    if finding.isWatched {
      return "watch: the newest run alone is far off, a second like it is a step"
    }
    return finding.verdict.rawValue
      + (finding.detectable.map {
        "; a new step of \(Percent.plain(max($0, 0.0001))) % would be seen"
      }
        ?? "")
  }

  private func marks(_ entry: HistoryReview.Entry) -> [HistoryPlot.Mark] {
    var marks = entry.steps.map { step -> HistoryPlot.Mark in
      let point = entry.series.points[step.place]
      let name = point.commit.map(Commit.short) ?? "run \(point.run)"
      return .init(
        place: step.place, kind: .step, style: style(step),
        name: "\(Percent.signed(step.change)) % \(name.prefix(8))",
        hint: "\(word(step)): \(Percent.signed(step.change)) %, run \(point.run) of "
          + "\(point.started), \(point.commit ?? "no commit named")")
    }
    if entry.finding.isWatched, let last = entry.series.points.last {
      marks.append(
        .init(
          place: entry.series.points.count - 1, kind: .watch, style: 1, name: "watch",
          hint: "watch: run \(last.run) of \(last.started), \(last.commit ?? "no commit named")"))
    }
    return marks
  }

  /// What a step is called: one of long ago is the level that the project lives with.
  private func word(_ step: HistoryReview.Step) -> String {
    guard step.isRecent else { return "accepted" }
    guard abs(step.change) >= policy.threshold else { return "below the threshold" }
    return (step.change > 0 ? Verdict.regressed : .improved).rawValue
  }

  private func style(_ step: HistoryReview.Step) -> Int {
    guard step.isRecent, abs(step.change) >= policy.threshold else { return 7 }
    return step.change > 0 ? 4 : 2
  }

  private func steps(_ anchor: String) -> PageSection {
    var table = Table([
      .word("first run"), .word("commit"), .word("experiment"), .word("figure"),
      .number("before"), .number("since"), .number("worse by %"), .number("p"), .word("is"),
    ])
    let found = entries.flatMap { entry in
      entry.steps.enumerated().map { (entry: entry, index: $0.offset, step: $0.element) }
    }.sorted { a, b in
      let (first, second) = (
        a.entry.series.points[a.step.place], b.entry.series.points[b.step.place]
      )
      return (second.started, b.entry.series.name) < (first.started, a.entry.series.name)
    }
    for (entry, index, step) in found {
      let point = entry.series.points[step.place]
      table.add([
        "\(point.run), \(point.started)", point.commit.map(Commit.short) ?? "–",
        entry.finding.cell.question, "\(entry.series.name), \(entry.series.unit)",
        Format.number(entry.stretches[index].level),
        Format.number(entry.stretches[index + 1].level), Percent.signed(step.change),
        step.p < 0.001 ? "<0.001" : Format.number(step.p), word(step),
      ])
    }
    return PageSection(
      "Steps",
      "Where a level changed, newest first; before and since are medians of whole stretches. A step within "
        + "the newest runs is judged against \(Percent.plain(policy.threshold)) %, one of long ago is accepted.",
      tables: [ReportSection("Accepted steps", table)], anchor: "\(anchor)-steps")
  }

  /// Newest first.
  private func runs(_ anchor: String) -> PageSection {
    struct Run {
      var started: String
      var commit: String?
      var values: [Int: Double] = [:]
    }
    var runs: [Int64: Run] = [:]
    for (column, entry) in entries.enumerated() {
      for point in entry.series.points {
        runs[point.run, default: Run(started: point.started, commit: point.commit)].values[column] =
          point.value
      }
    }
    var table = Table(
      [.number("run"), .number("started"), .number("commit")]
        + entries.map {
          .number("\($0.finding.cell.question): \($0.series.name), \($0.series.unit)")
        })
    for (id, run) in runs.sorted(by: { ($1.value.started, $1.key) < ($0.value.started, $0.key) }) {
      table.add(
        ["\(id)", run.started, run.commit.map(Commit.short) ?? "–"]
          + entries.indices.map { run.values[$0].map(Format.number) ?? "–" }, anchor: "run-\(id)")
    }
    return PageSection(
      "Runs",
      "The values behind the plots, newest first. 'doorbell history show FILE RUN' gives a run whole.",
      tables: [ReportSection("Figures by run", table)], anchor: "\(anchor)-runs")
  }

  private var reproduction: PageSection {
    guard let newest else { return PageSection("", "") }
    return PageSection(
      "Reproduce",
      "What the newest run of this trace was measured with: \(newest.tool.name) \(newest.tool.version).",
      code: [SubjectPage.shell([newest.tool.name] + newest.command)])
  }
}
