package import Gates
package import History

/// A report for people who look before they read: one document, as one HTML file or on a terminal.
///
///   let page = try ReportPage(records, baseline: [], comparisons: [], policy: Policy())
///   let html = try page.html()
///   print(page.text(columns: 80, characters: .unicode))
///
/// Everything in it stands in the records or is derived from them here; nothing is measured.
package struct ReportPage {
  struct Chapter {
    var title: String
    var facts: [(name: String, value: String)]
    var sections: [PageSection]
    /// As of a figure.
    var anchor: String?
  }

  /// What sort of page it is.
  var kind = "Doorbell report"
  /// The address of the page that leads here; absent where the page stands alone.
  var home: String?
  var title: String
  /// What the reader takes away, a sentence each.
  var lead: [String] = []
  var cautions: [String] = []
  var chapters: [Chapter] = []

  /// - Parameters:
  ///   - records: of any number of traces; launches of one build on one trace and host become one arm.
  ///   - baseline: what they are compared with; empty if with nothing.
  ///   - comparisons, gates: documents that `compare` and a gate wrote.
  ///   - history: many nights; with records, those of their traces only.
  package init(
    _ records: [RunRecord], baseline: [RunRecord], comparisons: [Comparison],
    gates: [GateDocument] = [], history: HistoryPages? = nil, policy: Policy
  ) throws {
    let subjects = try ReportSubject.of(records, baseline: baseline)
    let names = CellNames((records + baseline).flatMap(\.cells))
    var comparisons = comparisons
    if !baseline.isEmpty, !records.isEmpty {
      comparisons.insert(
        try Comparison(baseline: baseline, candidate: records, policy: policy), at: 0)
    }
    title = Self.title(subjects, isGate: !gates.isEmpty, isComparison: !comparisons.isEmpty)
    for gate in gates {
      let page = GatePage(gate)
      lead += page.headlines
      chapters.append(page.chapter)
    }
    for comparison in comparisons {
      let changes = ChangePage(comparison, drawsCurves: baseline.isEmpty)
      lead += changes.headlines
      cautions += comparison.facts.obstacles.map { "Cannot be compared: \($0)" }
      chapters.append(changes.chapter)
    }
    let surface = SurfacePage(subjects, names, policy: policy)
    if let chapter = surface.chapter {
      lead += surface.headlines
      chapters.append(chapter)
    }
    let namesArchitecture = Set(subjects.map(\.architecture)).count > 1
    for subject in subjects {
      let title =
        subject.record.trace.name + (namesArchitecture ? ", " + subject.architecture : "")
      let page = SubjectPage(subject, title: title, names: names, policy: policy)
      let prefix = subjects.count > 1 ? title + ": " : ""
      lead += page.headlines.map { prefix + $0 }
      cautions += subject.record.warnings.map { prefix + $0 }
      chapters.append(page.chapter)
    }
    if let history {
      lead += history.headlines
      chapters += history.chapters()
    }
  }

  /// A page of a site.
  init(kind: String, home: String, title: String, lead: [String], chapters: [Chapter]) {
    self.kind = kind
    self.home = home
    self.title = title
    self.lead = lead
    self.chapters = chapters
  }

  private static func title(
    _ subjects: [ReportSubject], isGate: Bool, isComparison: Bool
  ) -> String {
    guard let first = subjects.first else {
      return isGate ? "Gate" : isComparison ? "Comparison" : "History"
    }
    let traces = Set(subjects.map(\.record.trace.name)).count
    return traces == 1 ? first.record.trace.name : "\(traces) traces"
  }
}
