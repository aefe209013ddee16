import EventModel
import Foundation
import History
import Plots
import Testing

@testable import Gates
@testable import Reports

@Suite struct HistoryPagesTests {
  static func series(
    _ values: [Double], trace: String = "nvme.dbtrace", design: String = "direct",
    name: String = "delivery-ns-per-event", host: String = "0123456789abcdef", hash: String = "aa",
    architecture: String = "arm-gicv4", firstRun: Int = 1
  ) -> FigureSeries {
    FigureSeries(
      trace: trace, traceHash: hash, host: host, architecture: architecture, design: design,
      experiment: "core", mode: "modelled", name: name, unit: "ns", lowerIsBetter: true,
      points: values.enumerated().map { index, value in
        .init(
          run: Int64(firstRun + index),
          started: String(format: "2026-%02d-%02dT02:00:00Z", 1 + index / 28, 1 + index % 28),
          commit: "c0ffee\(index)", value: value)
      })
  }

  /// 30 nights around 6, and some more around `level`.
  static func nights(_ more: Int, _ level: Double) -> [Double] {
    (0..<30 + more).map { index -> Double in
      let scatter = 1 + 0.001 * Double((index * 7) % 5 - 2)
      return index < 30 ? 6 * scatter : level * scatter
    }
  }

  static func pages(_ series: [FigureSeries]) -> HistoryPages {
    HistoryPages(
      HistoryReview(series: series, newest: [], previous: [], policy: Policy()),
      newest: [
        .init(traceHash: "aa", host: "0123456789abcdef", record: SampleRecord.record())
      ])
  }

  private static func report(_ series: [FigureSeries]) throws -> ReportPage {
    try ReportPage(
      [], baseline: [], comparisons: [], history: pages(series), policy: Policy())
  }

  @Test func aStepStandsInTheSummaryThePlotAndTheTable() throws {
    let page = try Self.report([Self.series(Self.nights(5, 6.75))])
    #expect(page.title == "History")
    #expect(
      page.lead == [
        "History of 35 runs, 2026-01-01 to 2026-02-07; the newest night: regression: 1 of 1 series got worse "
          + "lately.",
        "nvme.dbtrace direct core delivery-ns-per-event: regressed, +12.5 % since run 31 of 2026-02-03 "
          + "(c0ffee30). More is worse.",
      ])
    #expect(page.chapters.map(\.title) == ["History: nvme.dbtrace, arm-gicv4, direct, modelled"])
    #expect(page.chapters[0].sections.map(\.title) == ["Steps", "core", "Runs", "Reproduce"])
    let html = try page.html()
    for text in [
      "id=\"history-nvme-arm-gicv4-direct-modelled\"", "id=\"run-31\"", "+12.5 % c0ffee30",
      "regressed: +12.5 %, run 31 of 2026-02-03T02:00:00Z, c0ffee30",
      "id=\"history-nvme-arm-gicv4-direct-modelled-core-delivery-ns-per-event\"",
      "doorbell replay Traces/nvme.dbtrace",
    ] { #expect(html.contains(text), "\(text)") }
    let text = page.text(columns: 80, characters: .unicode)
    #expect(text.contains("regressed: +12.5 %, run 31"))
    #expect(text.contains("c0ffee34"), "the table of runs")
  }

  @Test func aLoneLastPointIsWatched() throws {
    let page = try Self.report([Self.series(Self.nights(1, 7))])
    #expect(page.lead.last?.contains("watched, the newest run alone is far off") == true)
    let html = try page.html()
    #expect(html.contains("ring s1") && html.contains(">watch<"))
  }

  @Test func aHistoryOfNothingSaysSo() throws {
    let page = try Self.report([])
    #expect(page.lead == ["The history holds no figure that could be judged."])
    #expect(try page.html().contains("</html>"))
  }

  @Test func whatHistoriesSayOfThemselvesIsEscaped() throws {
    let hostile = "</title><script>alert(1)</script>"
    var series = Self.series(
      Self.nights(5, 6.75), trace: hostile, design: hostile, host: hostile, architecture: hostile)
    series.unit = hostile
    series.experiment = hostile
    for index in series.points.indices { series.points[index].commit = hostile }
    let page = try Self.report([series])
    let files = try Site(Self.pages([series])).files()
    for html in [try page.html()] + files.map(\.content) {
      #expect(html.contains("&lt;script&gt;") && !html.contains("<script"))
    }
    for file in files { #expect(file.name.allSatisfy { $0.isASCII && $0 != "/" && $0 != "<" }) }
  }

  private static var site: [Site.File] {
    get throws {
      try Site(
        pages([
          series(nights(5, 6.75)), series(nights(5, 6), name: "set-up-ns-per-event"),
          series(nights(5, 6), design: "trapped+bounce"),
          series(nights(5, 6), trace: "My Trace", hash: "bb", firstRun: 100),
          // The same trace on another host, which ran earlier, and on other hardware.
          series(nights(0, 6), host: "ffff0000", firstRun: 200),
          series(nights(5, 6), architecture: "x86-intel"),
        ])
      ).files()
    }
  }

  @Test func aPageForEachTraceAndDesignAndTheIndexLast() throws {
    let names = try Self.site.map(\.name)
    #expect(
      names == [
        "nvme.direct.html", "nvme.trapped+bounce.html",
        "my-trace-\(SHA256.hex("My Trace".utf8).prefix(8)).direct.html", "index.html",
      ])
  }

  @Test func everyLinkOfTheSiteLeadsToAnAnchorThatIsThere() throws {
    let files = try Self.site
    var ids: [String: Set<String>] = [:]
    for file in files {
      let found = file.content.components(separatedBy: " id=\"").dropFirst().map { part in
        String(part.prefix { $0 != "\"" })
      }
      ids[file.name] = Set(found)
      #expect(Set(found).count == found.count, "\(file.name): an id is there twice")
    }
    var count = 0
    for file in files {
      for part in file.content.components(separatedBy: "href=\"").dropFirst() {
        let link = String(part.prefix { $0 != "\"" })
        guard link != "data:," else { continue }
        let halves = link.split(separator: "#", omittingEmptySubsequences: false).map(String.init)
        let target = halves[0].isEmpty ? file.name : halves[0]
        let known = try #require(ids[target], "\(file.name): \(link)")
        if halves.count > 1 { #expect(known.contains(halves[1]), "\(file.name): \(link)") }
        count += 1
      }
      for word in ["<script", "src=", "@import", "url(", "https:"] {
        #expect(!file.content.contains(word), "\(file.name): \(word)")
      }
    }
    #expect(count > 70)
    let direct = try #require(ids["nvme.direct.html"])
    for anchor in [
      "arm-gicv4", "arm-gicv4-core-set-up-ns-per-event", "x86-intel-core", "run-35", "run-229",
      "arm-gicv4-ffff0000-aa",
    ] { #expect(direct.contains(anchor), "\(anchor)") }
  }

  @Test func theIndexHasAVerdictAndASparkForEveryCell() throws {
    let index = try #require(try Self.site.last?.content)
    #expect(index.components(separatedBy: "<svg class=\"spark\"").count == 1 + 6)
    #expect(index.contains("<span class=\"badge s4\">regression</span>"))
    #expect(index.contains("<span class=\"badge s4\">regressed</span>"))
    #expect(index.contains("nvme.direct.html#arm-gicv4-core-delivery-ns-per-event"))
  }

  @Test func theSameHistoryGivesTheSameBytes() throws {
    #expect(try Self.site.map(\.content) == Self.site.map(\.content))
  }
}
