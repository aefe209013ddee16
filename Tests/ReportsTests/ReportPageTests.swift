import Foundation
import History
import Plots
import Testing

@testable import Gates
@testable import Reports

@Suite struct ReportPageTests {
  private func page(
    _ records: [RunRecord], baseline: [RunRecord] = [], comparisons: [Comparison] = []
  ) throws -> ReportPage {
    try ReportPage(
      records, baseline: baseline, comparisons: comparisons, policy: Policy())
  }

  private func titles(_ page: ReportPage) -> [String] {
    page.chapters.flatMap(\.sections).map(\.title)
  }

  @Test func everyExperimentHasItsSection() throws {
    let page = try page([SampleRecord.record()])
    #expect(
      titles(page) == [
        "At a glance", "Equality", "Core: what translation costs", "Latency by percentile",
        "Where the time goes", "How much it takes", "Send lag", "Set-up against delivery",
        "Scale", "Slow paths", "Work counters", "Ledger", "Host", "Reproduce",
      ])
  }

  @Test func anExperimentThatNobodyKnowsIsShownToo() throws {
    var record = SampleRecord.record(designs: ["direct"])
    var other = SampleRecord.cell("direct", "reset")
    other.mode = "live"
    other.metrics = [SampleRecord.metric("resets-per-second", [9])]
    other.distributions = [SampleRecord.distribution("reset", least: 8_900)]
    other.ledger = .init(offered: 5, delivered: 4, coalesced: 1, masked: 0, lost: [:])
    record.cells.append(other)
    let page = try page([record])
    #expect(titles(page).contains("Experiment reset"))
    let html = try page.html()
    #expect(html.contains("resets-per-second"))
    #expect(html.contains("reset: reset"))
    #expect(html.contains("direct live"), "live and modelled are told apart")
    #expect(html.contains("direct modelled"))
  }

  @Test func whatAGuestSawStandsBesideTheLoopInC() throws {
    var record = SampleRecord.record(designs: [])
    for design in ["eventfd", "trapped+bounce"] {
      var cell = SampleRecord.cell(design, "live-halted")
      cell.mode = "live"
      cell.parameters = ["vcpu": "halted"]
      cell.distributions = [
        SampleRecord.distribution("guest-entry", least: 8_900),
        SampleRecord.distribution("guest-entry-c", least: 8_800),
      ]
      record.cells.append(cell)
    }
    record.absences = [.init(part: "direct", reason: "no IOMMU")]
    let page = try page([record])
    let live = try #require(page.chapters[0].sections.first { $0.title.hasPrefix("Live") })
    #expect(
      live.figures.map { $0.picture.legend.map(\.name) } == [
        ["eventfd", "eventfd in C", "trapped+bounce", "trapped+bounce in C"]
      ])
    #expect(live.figures[0].picture.legend.map(\.isDashed) == [false, true, false, true])
    #expect(live.cautions == ["direct: not available: no IOMMU"])
    #expect(live.tables.first?.title.hasPrefix("Delivery, one in flight") == true)
    #expect(!titles(page).contains("Experiment live-halted"))
    #expect(
      page.lead == [
        "Live, vCPU halted, from before the signal to the guest's handler, p50 and p99: eventfd 8,900 "
          + "and 17,800 ns, trapped+bounce 8,900 and 17,800 ns."
      ])
  }

  @Test func theSummaryHasFiguresWithTheirIntervals() throws {
    let lead = try page([SampleRecord.record()]).lead
    #expect(
      lead == [
        "trapped, eventfd, direct gave the outcomes of the reference model and of the recording: "
          + "98,877 accesses, 5,057 interrupts.",
        "trapped translates an event in 4.10 ns (95 % interval 4.05 … 4.14), by 20 passes of one "
          + "launch; eventfd takes 2.00 × (1.96 … 2.04), direct takes 3.00 × (2.93 … 3.07) as long.",
        "One delivery, one in flight, p50 and p99: trapped 100 and 200 ns, eventfd 200 and 400 ns, "
          + "direct 300 and 600 ns.",
        "Sustained rate: trapped 1,000,000/s, eventfd 500,000/s, direct 333,333/s.",
        "Setting a vector up takes trapped 1,000 ns; eventfd costs 2.00 ×, direct costs 3.00 × as "
          + "much; eventfd has paid for itself against trapped after 200 interrupts per vector, "
          + "direct has paid for itself against trapped after 200 interrupts per vector, direct has "
          + "paid for itself against eventfd after 200 interrupts per vector.",
      ])
  }

  @Test func aDesignThatDiffersIsNamedFirst() throws {
    var record = SampleRecord.record()
    record.cells[0].conformance?.firstDifference = "event 17: PE 1 against PE 0"
    let page = try page([record])
    #expect(page.lead.first?.hasPrefix("Not equal: trapped gave other outcomes") == true)
    #expect(try page.html().contains("event 17: PE 1 against PE 0"))
  }

  @Test func theFileStandsAlone() throws {
    let html = try page([SampleRecord.record()]).html()
    #expect(html.hasPrefix("<!DOCTYPE html>"))
    #expect(html.contains("prefers-color-scheme: dark"))
    #expect(html.contains("@media print"))
    for word in ["<script", "src=", "@import", "url(", "https:", "onload"] {
      #expect(!html.contains(word), "\(word)")
    }
    let links = html.components(separatedBy: "http:").count - 1
    let names = html.components(separatedBy: "xmlns=\"http://www.w3.org/2000/svg\"").count - 1
    #expect(links == names, "no address but the name of SVG")
  }

  @Test func everyPlotHasWordsAndATable() throws {
    let html = try page([SampleRecord.record()]).html()
    let figures = html.components(separatedBy: "<figure ").dropFirst()
    #expect(figures.count == 10)
    let stages = figures.filter { $0.contains("<figcaption>Stages, path</figcaption>") }
    #expect(stages.count == 1, "all percentiles in one")
    #expect(stages.allSatisfy { $0.contains(">p50</text>") && $0.contains(">p99</text>") })
    for figure in figures {
      let end = figure.components(separatedBy: "</figure>")[0]
      for part in ["<figcaption>", "role=\"img\"", "<title id=", "<desc id=", "<details>", "<td>"] {
        #expect(end.contains(part), "\(part): \(end.prefix(200))")
      }
    }
    let ids = html.components(separatedBy: " id=\"").dropFirst().map { $0.prefix { $0 != "\"" } }
    #expect(Set(ids).count == ids.count, "an id is there twice")
    for link in html.components(separatedBy: "href=\"#").dropFirst() {
      #expect(ids.contains(link.prefix { $0 != "\"" }))
    }
  }

  @Test func aRecordCannotLeaveItsPlace() throws {
    let hostile =
      "</title></style></script><script>alert(1)</script><img src=x onerror=\"x\">{{title}}"
    var record = SampleRecord.record(designs: ["direct", hostile], name: hostile)
    record.command = [hostile]
    record.started = hostile
    record.tool.version = hostile
    record.trace.contentHash = hostile
    record.host.facts = [hostile: hostile]
    record.warnings = [hostile]
    record.findings = [.init(name: hostile, fact: hostile, state: .warn, advice: hostile)]
    record.slowPaths?[0].name = hostile
    for index in record.cells.indices {
      record.cells[index].architecture = hostile
      record.cells[index].mode = hostile
      record.cells[index].voidReason = hostile
      record.cells[index].parameters[hostile] = hostile
      record.cells[index].setUpCounters = [hostile: 1]
      record.cells[index].conformance?.firstDifference = hostile
      for metric in record.cells[index].metrics.indices {
        record.cells[index].metrics[metric].unit = hostile
      }
    }
    var other = SampleRecord.cell(hostile, hostile)
    other.metrics = [
      .init(name: hostile, unit: hostile, lowerIsBetter: true, value: 1, samples: [1])
    ]
    other.distributions = [SampleRecord.distribution(hostile, least: 5)]
    other.stages = [
      .init(percentile: 50, total: 1, stages: [.init(name: hostile, nanoseconds: 1)])
    ]
    record.cells.append(other)
    let html = try page([record], baseline: [record]).html()
    #expect(html.contains("&lt;script&gt;"))
    #expect(!html.contains("<script"))
    #expect(!html.contains("<img"))
    #expect(html.components(separatedBy: "</style>").count == 2)
    #expect(html.contains("{{title}}"), "what a record holds is no template")
  }

  @Test func launchesOfOneBuildAreOneArmWithBandsBetween() throws {
    let launches = (0..<8).map { SampleRecord.record(slowdown: 1 + Double($0) / 100) }
    let page = try page(launches)
    #expect(page.chapters.count == 1)
    #expect(page.lead[1].contains("by 8 launches"), "\(page.lead)")
    #expect(page.lead[1].contains("95 % interval"))
    #expect(try page.html().contains("the greatest of 8 launches"))
  }

  @Test func otherTracesHaveTheirOwnChapter() throws {
    var other = SampleRecord.record(name: "net.dbtrace")
    other.trace.contentHash = "cd"
    let page = try page([SampleRecord.record(), other])
    #expect(page.title == "2 traces")
    #expect(page.chapters.map(\.title) == ["nvme.dbtrace", "net.dbtrace"])
    #expect(page.lead.contains { $0.hasPrefix("net.dbtrace: One delivery") })
  }

  @Test func everyArchitectureHasItsChapter() throws {
    var record = SampleRecord.record(designs: ["direct"])
    record.cells += record.cells.map { cell in
      var cell = cell
      cell.architecture = "x86-intel"
      return cell
    }
    let page = try page([record])
    #expect(page.chapters.map(\.title) == ["nvme.dbtrace, arm-gicv4", "nvme.dbtrace, x86-intel"])
    let counts = page.chapters.map { chapter in
      chapter.sections.first { $0.title == "Latency by percentile" }?.figures
        .map(\.picture.legend.count)
    }
    #expect(counts == [[1, 1], [1, 1]], "designs of two architectures are in one plot")
    #expect(
      page.chapters.map { $0.sections.contains { $0.title == "Slow paths" } } == [true, false])
  }

  @Test func bothArmsAreInEveryPlotOfLatency() throws {
    func arm(_ slowdown: Double) -> [RunRecord] {
      (0..<8).map { SampleRecord.record(slowdown: slowdown * (1 + Double($0) / 1000)) }
    }
    let page = try page(arm(1.5), baseline: arm(1))
    #expect(page.chapters.map(\.title) == ["Candidate against baseline", "nvme.dbtrace"])
    #expect(page.lead.contains { $0.contains("regressed. More is worse.") }, "\(page.lead)")
    let figures = page.chapters[1].sections.first { $0.title == "Latency by percentile" }?.figures
    #expect(figures?.count == 6, "one for each design and distribution")
    for figure in figures ?? [] {
      #expect(figure.picture.legend.count == 2)
      #expect(figure.picture.legend.map(\.isDashed) == [true, false])
    }
    #expect(try page.html().contains("line s0 dashed"))
  }

  @Test func aComparisonAloneMakesAPage() throws {
    let comparison = try Comparison(
      baseline: [SampleRecord.record()], candidate: [SampleRecord.record(slowdown: 2)],
      policy: Policy())
    let page = try page([], comparisons: [comparison])
    #expect(titles(page) == ["What changed", "Both arms by percentile"])
    #expect(try page.html().contains("nvme.dbtrace direct path total"))
  }

  @Test func aGateAloneMakesAPage() throws {
    var gate = GateDocument(
      baseline: "main", candidate: "<branch>", policy: Policy(), seed: 7, budgetSeconds: 60)
    let key = CellKey(
      trace: "nvme", architecture: "arm-gicv4", design: "direct", experiment: "core",
      mode: "modelled")
    func result(_ change: Double, _ verdict: Verdict) -> GateSession.Result {
      .init(
        cell: key,
        effect: Effect(
          change: change, lower: change - 0.01, upper: change + 0.01, p: 0.0001, blocks: 12,
          verdict: verdict), phase: .confirmation)
    }
    gate.times = [result(0.001, .pass), result(0.05, .regressed)]
    gate.launches = 48
    gate.warnings = ["host: noise"]
    gate.conclude()
    let page = try ReportPage(
      [], baseline: [], comparisons: [], gates: [gate], policy: Policy())
    #expect(
      page.lead == [
        "The gate ended as regression: 2 cells timed in 48 launches and 0.00 s.",
        "First by weight: nvme direct core changed by +5.00 % (interval +4.00 … +6.00 %, p <0.001): "
          + "regressed. More is worse.",
      ])
    let html = try page.html()
    #expect(html.contains("&lt;branch&gt;"))
    #expect(html.contains("host: noise"))
    #expect(html.contains("Change of each figure"))
  }

  @Test(arguments: [40, 80, 120]) func textKeepsToTheTerminal(columns: Int) throws {
    for characters in [TerminalCharacters.unicode, .ascii] {
      let text = try page([SampleRecord.record()]).text(columns: columns, characters: characters)
      for line in text.split(separator: "\n") where line.count > columns {
        let isTable = line.hasPrefix("  ")
        #expect(isTable || !line.contains(" "), "\(line)")
      }
      #expect(text.contains("path: total"))
      if characters == .ascii { #expect(text.utf8.allSatisfy { $0 < 128 }, "\(text)") }
    }
  }

  @Test func theCommandIsOneThatAShellReadsBack() throws {
    let html = try page([SampleRecord.record()]).html()
    #expect(
      html.contains(
        "doorbell replay Traces/nvme.dbtrace --design &#39;it&#39;\\&#39;&#39;s&#39;</code>"))
  }

  /// Traces of so many devices and events; each costs what its place says.
  private func field(_ places: [(devices: Int, events: UInt64)]) -> [RunRecord] {
    places.map { devices, events in
      var record = SampleRecord.record(
        designs: ["direct"], slowdown: Double(devices), name: "load-\(devices)-\(events)")
      record.trace.contentHash = record.trace.name
      record.trace.devices = devices
      record.trace.eventsByKind = ["dma": events - 10, "msi": 10]
      return record
    }
  }

  @Test func runsOnMoreDevicesAndEventsAreASurface() throws {
    // One place was not measured, and numbers of events differ a little from trace to trace.
    let page = try page(field([(1, 1000), (4, 1010), (16, 1000), (1, 8000), (4, 8000)]))
    let chapter = try #require(page.chapters.first)
    #expect(chapter.title == "Devices × events")
    let plot = try #require(chapter.sections[0].figures[0].picture as? HeatPlot)
    #expect(plot.rows == ["1", "4", "16"] && plot.columns.count == 2)
    #expect(
      plot.values.map { $0.map { $0 != nil } } == [[true, true], [true, true], [true, false]])
    #expect(plot.texts[1] == ["16.4", "16.4"] && plot.texts[2] == ["65.6", "–"])
    #expect(plot.svg(id: "f").components(separatedBy: "<path class=\"heat").count == 1 + 5)
    #expect(
      page.lead[0].hasPrefix("direct takes from 4.10 ns per event (devices: 1, "), "\(page.lead)")
    #expect(page.text(columns: 60, characters: .ascii).contains("## 65.6"))
    #expect(chapter.sections[0].figures[0].table.rows.count == 5)
  }

  @Test func recordingsOfDifferentLoadsAreNoSurface() throws {
    let page = try page(field([(1, 1000), (4, 2000), (16, 4000)]))
    #expect(!page.chapters.contains { $0.title == "Devices × events" })
  }

  @Test func aFullSuiteIsSmallEnough() throws {
    // As many recordings as are shipped.
    let suite = (0..<7).map { index -> RunRecord in
      var record = SampleRecord.record(
        designs: ["trapped", "eventfd", "direct", "null"], name: "trace-\(index)")
      record.trace.contentHash = "\(index)"
      return record
    }
    #expect(try page(suite).html().utf8.count < 2_000_000)
  }
}
