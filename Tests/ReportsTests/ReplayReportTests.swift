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

  @Test func nothingIsWiderThanAHundredColumns() {
    let text = ReplayReport(record(difference: nil)).text()
    #expect(text.split(separator: "\n").allSatisfy { $0.count <= 100 })
  }
}
