package import Gates
package import History
import Plots

/// Many nights of a history as chapters: one for each design on a trace, a host and an architecture, in it a
/// plot of each figure, the steps that were accepted, and a table of all runs.
package struct HistoryPages {
  /// The newest run of a trace on a host, whole.
  package struct Newest {
    package var traceHash: String
    /// As `FigureSeries` has it.
    package var host: String
    package var record: RunRecord
    package init(traceHash: String, host: String, record: RunRecord) {
      self.traceHash = traceHash
      self.host = host
      self.record = record
    }
  }

  let review: HistoryReview
  let newest: [Newest]

  package init(_ review: HistoryReview, newest: [Newest]) {
    self.review = review
    self.newest = newest
  }

  /// What one chapter is about.
  struct Subject: Hashable {
    var trace: String
    var traceHash: String
    var host: String
    var architecture: String
    var design: String
    var mode: String

    init(_ series: FigureSeries) {
      trace = series.trace
      traceHash = series.traceHash
      host = series.host
      architecture = series.architecture
      design = series.design
      mode = series.mode
    }
  }

  /// In the order in which a history gives them.
  var subjects: [(subject: Subject, entries: [HistoryReview.Entry])] {
    var order: [Subject] = []
    var groups: [Subject: [HistoryReview.Entry]] = [:]
    for entry in review.entries {
      let subject = Subject(entry.series)
      if groups[subject] == nil { order.append(subject) }
      groups[subject, default: []].append(entry)
    }
    return order.map { ($0, groups[$0] ?? []) }
  }

  /// "history-" and what tells the chapter apart.
  func chapters() -> [ReportPage.Chapter] {
    let subjects = subjects
    return subjects.map { subject, entries in
      let words = [subject.trace, subject.architecture, subject.design, subject.mode]
      return chapter(
        subject, entries, title: "History: \(words.joined(separator: ", "))",
        anchor: "history-" + Slug.text(words))
    }
  }

  func chapter(
    _ subject: Subject, _ entries: [HistoryReview.Entry], title: String, anchor: String
  ) -> ReportPage.Chapter {
    HistoryChapter(
      subject: subject, entries: entries, policy: review.check.policy,
      newest: newest.first { $0.traceHash == subject.traceHash && $0.host == subject.host }?.record
    ).chapter(title: title, anchor: anchor)
  }

  /// How the newest night stands, a sentence each.
  var headlines: [String] {
    let points = review.entries.flatMap(\.series.points)
    guard let first = points.map(\.started).min(), let last = points.map(\.started).max() else {
      return ["The history holds no figure that could be judged."]
    }
    let runs = Set(points.map(\.run)).count
    var lines = [
      "History of \(Format.count(UInt64(runs))) runs, \(Day.of(first)) to \(Day.of(last)); the newest night: "
        + NightlyReport(review.check).conclusion + "."
    ]
    for finding in review.check.findings.prefix(5) {
      if let line = headline(finding) { lines.append(line) }
    }
    return lines
  }

  /// Nil if there is nothing to say of it.
  func headline(_ finding: NightlyCheck.Finding) -> String? {
    let name = "\(finding.cell) \(finding.name)"
    if let change = finding.recentChange,
      finding.verdict == .regressed || finding.verdict == .improved,
      let step = finding.steps.first(where: \.isRecent)
    {
      return
        "\(name): \(finding.verdict.rawValue), \(Percent.signed(change)) % since run \(step.run) "
        + "of \(Day.of(step.started))" + (step.commit.map { " (\(Commit.short($0)))" } ?? "")
        + ". More is worse."
    }
    return finding.isWatched
      ? "\(name): watched, the newest run alone is far off: \(Format.number(finding.newest)) "
        + "\(finding.unit) where the level is \(Format.number(finding.level))."
      : nil
  }
}

/// Names in addresses.
enum Slug {
  /// Lower-case letters, digits, `+`, `-` and `_` of each word, joined by `separator`; a word that has anything
  /// else in it ends with a digest of itself, so that no two are the same.
  static func text(_ words: [String], separator: String = "-") -> String {
    words.map(word).joined(separator: separator)
  }

  private static func word(_ word: String) -> String {
    let plain = word.hasSuffix(".dbtrace") ? String(word.dropLast(".dbtrace".count)) : word
    var isWhole = !plain.isEmpty
    let kept = String(
      plain.unicodeScalars.map { scalar -> Character in
        switch scalar {
        case "a"..."z", "0"..."9", "+", "-", "_": return Character(scalar)
        case "A"..."Z":
          isWhole = false
          return Character(Unicode.Scalar(scalar.value + 32) ?? scalar)
        default:
          isWhole = false
          return "-"
        }
      })
    return isWhole ? kept : "\(kept.prefix(40))-\(SHA256.hex(word.utf8).prefix(8))"
  }
}

/// Of an ISO 8601 time the day.
enum Day {
  static func of(_ started: String) -> String { String(started.prefix(10)) }
}

/// A revision as people quote it.
enum Commit {
  static func short(_ commit: String) -> String { String(commit.prefix(12)) }
}
