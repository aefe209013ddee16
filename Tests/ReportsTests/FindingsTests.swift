import Foundation
import Gates
import History
import Reports
import Testing

#if canImport(FoundationXML)
  import FoundationXML
#endif

/// The forms of findings: one gate with a changed counter, one with every verdict of time.
@Suite struct FindingsTests {
  private static func key(_ design: String) -> CellKey {
    CellKey(
      trace: "a<b>&\"|.dbtrace", architecture: "arm-gicv4", design: design, experiment: "core",
      mode: "modelled", stage: "delivery")
  }

  private func gate() throws -> GateDocument {
    var gate = GateDocument(
      baseline: "old/doorbell", candidate: "new/doorbell", policy: Policy(), seed: 1,
      budgetSeconds: 60)
    let verdicts: [(String, Verdict)] = [
      ("direct", .regressed), ("eventfd", .inconclusive), ("trapped", .improved),
      ("owned+irqfd", .pass),
    ]
    gate.times = try verdicts.map { design, verdict in
      let cell = String(decoding: try JSONEncoder().encode(Self.key(design)), as: UTF8.self)
      return try JSONDecoder().decode(
        GateSession.Result.self,
        from: Data(
          """
          {"cell": \(cell), "phase": "confirmation", "effect": {"change": 0.031, "lower": 0.02, \
          "upper": 0.04, "p": 0.0004, "blocks": 20, "verdict": "\(verdict.rawValue)"}}
          """.utf8))
    }
    gate.warnings = ["load: \u{1} 4.2"]
    gate.elapsedSeconds = 12.5
    gate.conclude()
    return gate
  }

  private func changedWork() throws -> Comparison {
    func record(_ misses: UInt64) -> RunRecord {
      var cell = RunRecord.Cell(
        design: "direct", setUp: "owned", delivery: "vlpi", experiment: "equality")
      cell.deliveryCounters = ["tlb-misses": misses]
      return RunRecord(
        tool: .init(name: "doorbell", version: "1"), command: [], started: "2026-01-01T00:00:00Z",
        trace: .init(name: "t", contentHash: "00", events: 1, eventsByKind: [:], lostEvents: 0),
        host: HostFingerprint(facts: [:]), cells: [cell])
    }
    return try Comparison(baseline: [record(10)], candidate: [record(1_011)], policy: Policy())
  }

  @Test func markdownShowsWhatChangedAndFoldsTheRest() throws {
    let text = FindingsMarkdown(Findings(try gate())).text()
    #expect(text.hasPrefix("### doorbell gate: regression, with an improvement\n"))
    let parts = text.components(separatedBy: "<details>")
    #expect(parts.count == 2 && parts[1].hasSuffix("</details>\n"))
    #expect(parts[0].contains("| direct | core: time delivery | regressed |"))
    #expect(parts[0].contains("a&lt;b&gt;&amp;\"\\|.dbtrace"))
    #expect(!parts[0].contains("owned+irqfd") && parts[1].contains("owned+irqfd"))
    let work = FindingsMarkdown(
      Findings(try changedWork(), baseline: "a.json", candidate: "b.json")
    ).text()
    #expect(work.contains("tlb-misses (delivery): 10 against 1,011"))
    #expect(FindingsMarkdown.maximum > work.utf8.count)
  }

  @Test func junitIsXMLWhoseCountsAreThoseOfItsCases() throws {
    let text = FindingsJUnit(Findings(try gate()), timestamp: "2026-01-01T00:00:00").text()
    let document = try XMLDocument(xmlString: text)
    let suite = try #require(document.rootElement()?.elements(forName: "testsuite").first)
    #expect(suite.attribute(forName: "time")?.stringValue == "12.500", "three decimals at most")
    let cases = suite.elements(forName: "testcase")
    #expect(cases.count == 4)
    for (attribute, element, count) in [
      ("tests", "", 4), ("failures", "failure", 1), ("skipped", "skipped", 1),
      ("errors", "error", 0),
    ] {
      #expect(suite.attribute(forName: attribute)?.stringValue == "\(count)", "\(attribute)")
      if !element.isEmpty {
        #expect(cases.count { !$0.elements(forName: element).isEmpty } == count)
      }
    }
    var broken = try gate()
    broken.obstacles = ["no trace"]
    broken.conclude()
    let unmeasured = FindingsJUnit(Findings(broken), timestamp: "2026-01-01T00:00:00").text()
    #expect(unmeasured.contains("<error message=\"no trace\""))
  }

  @Test func sarifHoldsRegressionsAlone() throws {
    let json = try FindingsSARIF(Findings(try gate()), version: "1").json()
    let root = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any]
    #expect(root?["version"] as? String == "2.1.0")
    let run = try #require((root?["runs"] as? [[String: Any]])?.first)
    let results = try #require(run["results"] as? [[String: Any]])
    #expect(results.count == 1 && results[0]["ruleId"] as? String == "time")
    #expect(json.contains("a%3Cb%3E&%22%7C.dbtrace"), "\(json)")
    let work = try FindingsSARIF(
      Findings(try changedWork(), baseline: "a", candidate: "b"), version: "1"
    ).json()
    #expect(work.contains("tlb-misses (delivery): 10 against 1,011"))
  }

  @Test func openMetricsStatesTheConclusionAndEveryChange() throws {
    let text = FindingsOpenMetrics(Findings(try gate())).text()
    #expect(text.hasSuffix("# EOF\n"))
    #expect(text.contains("# TYPE doorbell_gate stateset\n"))
    #expect(text.contains("doorbell_gate{doorbell_gate=\"regression\"} 1.0\n"))
    #expect(text.contains("doorbell_gate{doorbell_gate=\"pass\"} 0.0\n"))
    #expect(text.contains("check=\"time delivery\",bound=\"estimate\"} 0.031\n"))
    #expect(text.contains("doorbell_gate_seconds 12.5\n"))
  }

  @Test func aComparisonConcludesLikeAGate() throws {
    let work = FindingsJUnit(
      Findings(try changedWork(), baseline: "a", candidate: "b"), timestamp: "2026-01-01T00:00:00"
    ).text()
    #expect(work.contains("<property name=\"conclusion\" value=\"regression\"/>"))
    let same = try Comparison(baseline: [], candidate: [], policy: Policy())
    #expect(
      FindingsMarkdown(Findings(same, baseline: "a", candidate: "b")).text()
        .hasPrefix("### doorbell compare: pass\n"))
  }
}
