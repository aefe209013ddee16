import Foundation
import Gates
import History
import Mustache
import Plots

/// The first page of a site.
struct SiteIndex {
  private typealias Values = [String: Any]
  private let pages: HistoryPages
  private let topics: [Site.Topic]

  /// A sparkline shows so many of the newest runs.
  private static let sparkRuns = 90
  /// So many runs are listed; all of them stand in the pages.
  private static let listedRuns = 30

  init(_ pages: HistoryPages, _ topics: [Site.Topic]) {
    self.pages = pages
    self.topics = topics
  }

  private var check: NightlyCheck { pages.review.check }

  func html() throws -> String {
    let template = try MustacheTemplate(
      string: String(decoding: PackageResources.index_mustache, as: UTF8.self))
    let cautions = check.facts.obstacles.map { "Cannot be compared: \($0)" } + warnings
    let values: Values = [
      "css": String(decoding: PackageResources.page_css, as: UTF8.self),
      "title": title,
      "verdict": check.conclusion.rawValue.replacing("-", with: " "),
      "verdictStyle": Self.style(check.conclusion), "lead": pages.headlines,
      "cautions": cautions, "hasCautions": !cautions.isEmpty, "groups": groups,
      "facts": [FactReport(check.facts).section].compactMap { $0 }.map(facts), "runs": runs,
      "hosts": hosts, "threshold": Percent.plain(check.policy.threshold),
      "falseAlarm": Percent.plain(check.policy.falseAlarm),
    ]
    return template.render(values)
  }

  private var title: String {
    let traces = Set(topics.map(\.trace)).sorted()
    return traces.count > 3 ? "\(traces.count) traces" : traces.joined(separator: ", ")
  }

  private var warnings: [String] {
    var found: [String] = []
    for warning in pages.newest.flatMap(\.record.warnings) where !found.contains(warning) {
      found.append(warning)
    }
    return found
  }

  /// One for each trace; what tells hosts and architectures apart stands in its cells.
  private var groups: [Values] {
    var order: [String] = []
    for topic in topics where !order.contains(topic.trace) { order.append(topic.trace) }
    var count = 0
    return order.map { trace in
      let parts = topics.filter { $0.trace == trace }
      let cells = parts.flatMap { topic in
        topic.chapters.flatMap { part in
          part.entries.map { entry -> Values in
            count += 1
            return cell(topic, part, entry, id: "k\(count)")
          }
        }
      }
      return [
        "id": "trace-" + Slug.text([trace]), "title": trace, "cells": cells,
        "sparkHeading": "newest \(Self.sparkRuns) runs",
      ]
    }
  }

  private func cell(
    _ topic: Site.Topic, _ part: Site.Topic.Part, _ entry: HistoryReview.Entry, id: String
  ) -> Values {
    let (series, finding) = (entry.series, entry.finding)
    let values = series.points.map(\.value)
    let start = max(0, values.count - Self.sparkRuns)
    let verdict = finding.isWatched ? "watch" : finding.verdict.rawValue
    let style = Self.style(finding)
    let spark = SparkPlot(
      title: "\(topic.design) \(finding.cell.question) \(series.name)",
      summary:
        "From \(Format.number(values[start])) to \(Format.number(values.last ?? 0)) \(series.unit).",
      values: Array(values[start...]),
      steps: entry.steps.map { $0.place - start }.filter { $0 > 0 }, style: style ?? 7)
    // One architecture and one mode need no name.
    let qualifier =
      part.anchor == topic.chapters.first?.anchor && topic.chapters.count == 1
      ? "" : " (\(part.anchor))"
    return [
      "page": "\(topic.name)#\(part.anchor)", "design": topic.design + qualifier,
      "experiment": finding.cell.question,
      "link": "\(topic.name)#\(part.anchor)-\(Slug.text([finding.cell.question, series.name]))",
      "figure": "\(series.name), \(series.unit)", "verdict": verdict,
      "style": style.map { "badge s\($0)" } ?? "plain", "spark": spark.svg(id: id),
      "newest": Format.number(finding.newest), "level": Format.number(finding.level),
      "change": finding.recentChange.map(Percent.signed) ?? "–",
      "detectable": finding.detectable.map(Percent.plain) ?? "–", "runs": "\(finding.runs)",
    ]
  }

  /// Nil for what needs no attention.
  private static func style(_ finding: NightlyCheck.Finding) -> Int? {
    switch finding.verdict {
    case .regressed: 4
    case _ where finding.isWatched: 1
    case .improved: 2
    case .inconclusive: 6
    case .pass, .unjudged: nil
    }
  }

  private static func style(_ conclusion: Conclusion) -> String {
    switch conclusion {
    case .pass: "s2"
    case .regression: "s4"
    case .inconclusive: "s6"
    case .couldNotMeasure: "s1"
    }
  }

  private func facts(_ section: ReportSection) -> Values {
    [
      "title": section.title,
      "parts": section.parts.map { part -> Values in
        switch part {
        case .table(let table): ["table": TableHTML(table, title: section.title) { _ in nil }.text]
        case .remark(let text): ["remark": text]
        }
      },
    ]
  }

  /// The newest runs with links to where they stand.
  private var runs: [Values] {
    struct Run {
      var point: FigureSeries.Point
      var trace: String
      var links: [(name: String, design: String)] = []
    }
    var found: [Int64: Run] = [:]
    for topic in topics {
      for part in topic.chapters {
        for point in part.entries.flatMap({ $0.series.points.suffix(Self.listedRuns) }) {
          var run = found[point.run] ?? Run(point: point, trace: topic.trace)
          if !run.links.contains(where: { $0.name == topic.name }) {
            run.links.append((topic.name, topic.design))
          }
          found[point.run] = run
        }
      }
    }
    return found.values.sorted {
      ($1.point.started, $1.point.run) < ($0.point.started, $0.point.run)
    }
    .prefix(Self.listedRuns).map { run in
      [
        "run": "\(run.point.run)", "started": run.point.started,
        "commit": run.point.commit.map(Commit.short) ?? "–", "trace": run.trace,
        "links": run.links.map {
          ["href": "\($0.name)#run-\(run.point.run)", "design": $0.design]
        },
      ]
    }
  }

  /// Each fingerprint once, by the newest of its runs.
  private var hosts: [Values] {
    var seen: Set<String> = []
    return pages.newest.sorted { ($1.record.started, $0.host) < ($0.record.started, $1.host) }
      .filter { seen.insert($0.host).inserted }.map { newest in
        var table = Table([.word("fact"), .word("value"), .word("state"), .word("what to do")])
        for (name, value) in newest.record.host.facts.sorted(by: { $0.key < $1.key }) {
          table.add([name, value, "fingerprint", ""])
        }
        for finding in newest.record.findings ?? [] {
          table.add([finding.name, finding.fact, finding.state.rawValue, finding.advice ?? ""])
        }
        let title = "Fingerprint \(newest.host.prefix(8)), newest run \(newest.record.started)"
        return ["title": title, "table": TableHTML(table, title: title) { _ in nil }.text]
      }
  }
}
