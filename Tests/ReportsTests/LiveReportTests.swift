import History
import Reports
import Testing

@Suite struct LiveReportTests {
  private func record() -> RunRecord {
    var delivery = RunRecord.Cell(
      design: "eventfd", setUp: "trapped", delivery: "irqfd", experiment: "live-halted",
      mode: "live")
    delivery.parameters = ["vcpu": "halted", "halt-poll-ns": "200000", "burst-length": "16"]
    delivery.distributions = [
      .init(name: "signal", unit: "ns", counts: [.init(value: 410, count: 3)]),
      .init(
        name: "guest-entry", unit: "ns",
        counts: [.init(value: 8_983, count: 2), .init(value: 38_559, count: 1)]),
      .init(name: "guest-entry-c", unit: "ns", counts: [.init(value: 8_900, count: 3)]),
    ]
    func metric(_ name: String, _ value: Double) -> RunRecord.Metric {
      .init(name: name, unit: "", lowerIsBetter: true, value: value, samples: [value])
    }
    delivery.metrics = [
      metric("swift-to-c", 1.01), metric("kvm-halt_wakeup", 9), metric("burst-offers", 320),
      metric("burst-coalesced", 300), metric("closed-loop-interrupts", 1_000),
    ]
    delivery.ledger = .init(
      offered: 1_340, delivered: 1_040, coalesced: 300, masked: 0, lost: [:])
    var record = RunRecord(
      tool: .init(name: "doorbell", version: "0"), command: [], started: "",
      trace: .init(
        name: "live guest", contentHash: String(repeating: "ab", count: 32), events: 0,
        eventsByKind: [:], lostEvents: 0),
      host: .init(facts: ["cpu-model": "Some CPU", "kvm-module": "kvm_amd"]), cells: [delivery],
      warnings: ["a warning"])
    record.absences = [.init(part: "direct", reason: "no IOMMU")]
    return record
  }

  @Test func figuresStandBesideThoseOfCAndAbsencesHaveNames() {
    let text = LiveReport(record()).text()
    for part in [
      "kvm    kvm-module kvm_amd", "  eventfd halted        410           8,983 38,559",
      "        8,900    1.01", "  eventfd halted       200000      1,000             0        9",
      "320       300 93.8", "1,340     1,040       300      0    0",
      "direct: not available: no IOMMU", "warning: a warning",
    ] {
      #expect(text.contains(part), "\(part)\n\(text)")
    }
    #expect(!text.contains("Set-up of trapped"), "an empty section")
  }
}
