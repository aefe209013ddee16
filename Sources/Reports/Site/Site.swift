internal import Gates
import History

/// A dashboard of a history: an index with the newest verdict of every cell, and a page for each trace and
/// design with every figure run by run.
///
///   for file in try Site(pages).files() { write(file.content, to: folder + file.name) }
///
/// Plain files for any web server: no script, nothing fetched, and addresses that last. A page is named by trace
/// and design, `nvme.direct.html`; in it stand `#arm-gicv4-core`, `#arm-gicv4-core-delivery-ns-per-event` and
/// `#run-365`. The same history gives the same bytes: no clock is read, and nothing depends on what was built
/// before.
package struct Site {
  package struct File {
    package var name: String
    package var content: String
  }

  static let indexName = "index.html"
  let pages: HistoryPages

  package init(_ pages: HistoryPages) { self.pages = pages }

  /// The index comes last, so that who writes them in order never has a link to a page that is not there.
  package func files() throws -> [File] {
    let topics = topics
    return try topics.map { topic in
      File(name: topic.name, content: try page(topic).html())
    } + [File(name: Self.indexName, content: try SiteIndex(pages, topics).html())]
  }

  /// What one page is about: a design on a trace, wherever it ran.
  struct Topic {
    var trace: String
    var design: String
    var chapters: [Part]

    struct Part {
      var subject: HistoryPages.Subject
      var entries: [HistoryReview.Entry]
      /// Unique in the page.
      var anchor = ""
      /// Whether another host, or another trace of that name, ran later.
      var isOlder = false

      var newestStart: String {
        entries.compactMap(\.series.points.last?.started).max() ?? ""
      }
    }

    var name: String { Slug.text([trace, design], separator: ".") + ".html" }
  }

  /// By trace, then design, in the order of the history.
  var topics: [Topic] {
    var order: [[String]] = []
    var groups: [[String]: [Topic.Part]] = [:]
    for (subject, entries) in pages.subjects {
      let key = [subject.trace, subject.design]
      if groups[key] == nil { order.append(key) }
      groups[key, default: []].append(.init(subject: subject, entries: entries))
    }
    return order.map { key in
      Topic(trace: key[0], design: key[1], chapters: Self.anchored(groups[key] ?? []))
    }
  }

  /// What ran last comes first. The newest host of an architecture has the short name, so that a link to it lasts
  /// beyond an upgrade of the kernel, which makes another host of it.
  private static func anchored(_ parts: [Topic.Part]) -> [Topic.Part] {
    var taken: Set<String> = []
    return parts.enumerated().sorted {
      ($1.element.newestStart, $0.offset) < ($0.element.newestStart, $1.offset)
    }.map { _, part in
      let subject = part.subject
      let words = [subject.architecture] + (subject.mode == "modelled" ? [] : [subject.mode])
      var part = part
      part.anchor = Slug.text(words)
      if !taken.insert(part.anchor).inserted {
        part.isOlder = true
        part.anchor = Slug.text(
          words + [subject.host, subject.traceHash].map { String($0.prefix(8)) })
      }
      return part
    }
  }

  private func page(_ topic: Topic) -> ReportPage {
    ReportPage(
      kind: "Doorbell nights", home: Self.indexName, title: "\(topic.trace), \(topic.design)",
      lead: lead(topic),
      chapters: topic.chapters.map { part in
        let words = [part.subject.architecture, part.subject.mode]
        return pages.chapter(
          part.subject, part.entries,
          title: words.joined(separator: ", ")
            + (part.isOlder ? ", host \(part.subject.host.prefix(8))" : ""), anchor: part.anchor)
      })
  }

  /// What is to be said of each figure, or that nothing is.
  private func lead(_ topic: Topic) -> [String] {
    let findings = topic.chapters.flatMap(\.entries).map(\.finding)
    let lines = findings.compactMap { pages.headline($0) }
    let counts = Verdict.allCases.compactMap { verdict -> String? in
      let count = findings.filter { $0.verdict == verdict }.count
      return count > 0 ? "\(count) \(verdict.rawValue)" : nil
    }
    return ["The newest night of \(findings.count) figures: \(counts.joined(separator: ", "))."]
      + lines
  }
}
