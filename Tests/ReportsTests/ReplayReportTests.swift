import History
import Reports
import Testing

@Suite struct ReplayReportTests {
  private func record(difference: String?) -> RunRecord {
    var equality = RunRecord.Cell(
      design: "direct", setUp: "owned", delivery: "vlpi", experiment: "equality")
    equality.conformance = .init(
      accessesCompared: 98_877, interruptsCompared: 5057, agreedWithReference: difference == nil,
      recordedCompared: 98_877, agreedWithRecording: true, firstDifference: difference)
    equality.ledger = .init(
      offered: 5057, delivered: 5000, coalesced: 50, masked: 0,
      lost: ["lost: unmapped event": 7])
    equality.deliveryCounters = ["tlb-misses": 15_247, "msix-traps": 0]
    var core = RunRecord.Cell(
      design: "direct", setUp: "owned", delivery: "vlpi", experiment: "core")
    core.metrics = [
      .init(
        name: "delivery-ns-per-event", unit: "ns", lowerIsBetter: true, value: 3.456,
        samples: [3.1, 3.456, 9])
    ]
    return RunRecord(
      tool: .init(name: "doorbell", version: "0"), command: [], started: "",
      trace: .init(
        name: "nvme", contentHash: String(repeating: "ab", count: 32), events: 1_234_567,
        eventsByKind: [:], lostEvents: 0),
      host: .init(facts: ["cpu-model": "Some CPU"]), cells: [equality, core])
  }

  @Test func theProofTheFiguresAndTheLedgerAreShown() {
    let text = ReplayReport(record(difference: nil)).text()
    #expect(text.contains("1,234,567 events"))
    #expect(text.contains("98,877"))
    #expect(text.contains("3.46"))
    #expect(text.contains("7 unmapped event"))
    #expect(text.contains("tlb-misses"))
    #expect(!text.contains("msix-traps"), "a counter that is 0 everywhere is left out")
    #expect(text.contains("modelled"))
  }

  @Test func aDifferenceIsShownInFull() {
    let text = ReplayReport(record(difference: "  event 17: PE 1 against PE 0")).text()
    #expect(text.contains("DIFFERS"))
    #expect(text.contains("event 17: PE 1 against PE 0"))
  }

  @Test func processorCountersAreShownOrNamedWithTheReason() {
    var record = record(difference: nil)
    func counters(_ counted: Bool) -> [RunRecord.ProcessorCounter] {
      [("cycles", 12.5), ("instructions", 50), ("cache-misses", 0.125)].map { name, value in
        .init(
          name: name, perEvent: counted ? value : nil, countedShare: counted ? 1 : nil,
          reason: counted ? nil : "not supported (ENOENT)")
      }
    }
    record.cells[1].processorCounters = counters(true)
    record.cells[1].processorCounters?[2] = counters(false)[2]
    let shown = ReplayReport(record).text()
    #expect(shown.contains("direct   12.5         50.0            –      4.00"), "\(shown)")
    #expect(shown.contains("  cache-misses: not supported (ENOENT)\n"))
    record.cells[1].processorCounters = counters(false)
    #expect(
      ReplayReport(record).text().contains(
        "Processor counters of core\n  cycles, instructions, cache-misses: not supported (ENOENT)\n"
      ))
  }

  @Test func nothingIsWiderThanAHundredColumns() {
    let text = ReplayReport(record(difference: nil)).text()
    #expect(text.split(separator: "\n").allSatisfy { $0.count <= 100 })
  }

  private func setUpCell(_ design: String, setUp: Double, delivery: Double) -> RunRecord.Cell {
    var cell = RunRecord.Cell(
      design: design, setUp: "trapped", delivery: "vlpi", experiment: "set-up")
    cell.parameters = ["vectors": "4"]
    cell.setUpCounters = ["msix-traps": 20, "its-commands": 8, "irte-writes": 4]
    cell.metrics = [("set-up-ns-per-vector", setUp), ("delivery-ns-per-interrupt", delivery)].map {
      .init(name: $0.0, unit: "ns", lowerIsBetter: true, value: $0.1, samples: [$0.1])
    }
    return cell
  }

  @Test func setUpShowsItsCostPerVectorAndTheBreakEven() {
    var record = record(difference: nil)
    record.cells = [
      setUpCell("trapped", setUp: 1_000, delivery: 10),
      setUpCell("eventfd", setUp: 400, delivery: 25),
      setUpCell("direct", setUp: 300, delivery: 9),
    ]
    let lines = ReplayReport(record).text().split(separator: "\n").map(String.init)
    func row(_ words: String...) -> Bool {
      lines.contains { line in
        line.split(separator: " ").map(String.init) == words
      }
    }
    #expect(row("trapped", "4", "1,000", "1,000", "5.00", "2.00", "1.00", "0.00", "10.0"))
    #expect(row("eventfd", "trapped", "600", "15.0", "40.0"))
    #expect(row("direct", "trapped", "700", "-1.00", "none"))
    #expect(lines.allSatisfy { $0.count <= 100 })
    for index in record.cells.indices { record.cells[index].metrics[1].samples.append(1) }
    #expect(ReplayReport(record).text().contains("unresolved"))
  }

  @Test func slowPathsShowWalkAndMapByLength() {
    var record = record(difference: nil)
    #expect(!ReplayReport(record).text().contains("Slow paths"))
    record.slowPaths = [
      .init(
        name: "irqfd: assigning", unit: "ns for all n",
        points: [.init(length: 1, walk: 2, map: 3), .init(length: 10, walk: 9, map: 4)])
    ]
    let text = ReplayReport(record).text()
    let lines = text.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
    #expect(lines.contains(["length", "1", "10"]))
    #expect(lines.contains(["walk", "2.00", "9.00"]) && lines.contains(["map", "3.00", "4.00"]))
    #expect(text.contains("map never dearer from length 10 on"))
    record.slowPaths?[0].points.append(.init(length: 100, walk: 1, map: 2))
    #expect(ReplayReport(record).text().contains("the walk wins to the end"))
  }

  @Test(arguments: [
    (0, "9", "median of 0 passes"), (3, "3", "median of 3 passes"),
    (3, "9", "median of 3 samples of 3 passes"), (3, "-1", "median of 3 passes"),
  ]) func samplesAreNotTakenForPasses(samples: Int, passes: String, said: String) {
    var record = record(difference: nil)
    var cell = RunRecord.Cell(
      design: "direct", setUp: "owned", delivery: "vlpi", experiment: "core")
    cell.parameters = ["warm-passes": passes]
    cell.metrics = [
      .init(
        name: "delivery-ns-per-event", unit: "ns", lowerIsBetter: true, value: 4,
        samples: [Double](repeating: 4, count: samples))
    ]
    record.cells = [cell]
    #expect(ReplayReport(record).text().contains("(\(said))"))
  }

  @Test func stagesOfOneInterruptStandInARowAndMissingOnesAreADash() {
    var record = record(difference: nil)
    var cell = RunRecord.Cell(
      design: "trapped+bounce", setUp: "trapped", delivery: "bounce", experiment: "paced")
    cell.distributions = ["response", "service", "lag"].map {
      .init(name: $0, unit: "ns", counts: [.init(value: 1_234_567_890, count: 1_000)])
    }
    cell.stages = [
      .init(
        percentile: 99.9, total: 1_000_900,
        stages: [
          .init(name: "decode-wait", nanoseconds: 1_000_000),
          .init(name: "its", nanoseconds: 900),
        ])
    ]
    cell.voidReason = "the sender was late"
    record.cells = [cell]
    let text = ReplayReport(record).text()
    let lines = text.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
    #expect(
      lines.contains([
        "trapped+bounce", "p99.9", "1,000,000", "–", "–", "900", "–", "–", "–", "–", "1,000,900",
      ]))
    #expect(text.contains("trapped+bounce: VOID: the sender was late"))
    #expect(text.split(separator: "\n").allSatisfy { $0.count <= 100 })
  }

  @Test func theKneeAndTheCurveAreShown() {
    var record = record(difference: nil)
    var cell = RunRecord.Cell(
      design: "direct", setUp: "owned", delivery: "vlpi", experiment: "saturate")
    cell.parameters = [
      "percentile": "99.0", "bound-ns": "50000", "arrivals": "poisson", "confirmed": "true",
    ]
    cell.metrics = [
      .init(
        name: "knee-per-second", unit: "1/s", lowerIsBetter: false, value: 2_340_000,
        samples: [2_340_000])
    ]
    cell.curve = [
      .init(
        rate: 16_000, taken: 15_990, runs: 3, sustained: 2, discarded: 4, coalesced: 7, lost: 0,
        p50: 400,
        p99: 900, p999: 12_345, maximum: 123_456_789, lag: 99)
    ]
    record.cells = [cell]
    let text = ReplayReport(record).text()
    #expect(text.contains("keeps p99 ≤ 50,000 ns, nothing lost; poisson arrivals"))
    let lines = text.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
    #expect(lines.contains(["direct", "2.34", "yes", "1", "3", "4"]))
    #expect(
      lines.contains([
        "16,000", "15,990", "3", "2", "400", "900", "12,345", "123,456,789", "7", "99",
      ]))
    #expect(text.split(separator: "\n").allSatisfy { $0.count <= 100 })
  }
}
