import History

// The experiment `set-up`: cost per vector, and when a dearer set-up has paid for itself.

extension ReplayReport {
  private func perVector(_ cell: RunRecord.Cell, _ counters: [String]) -> String {
    let vectors = Double(cell.parameters["vectors"] ?? "") ?? 0
    let sum = counters.reduce(UInt64(0)) { $0 + (cell.setUpCounters[$1] ?? 0) }
    return vectors > 0 ? Format.number(Double(sum) / vectors) : "–"
  }

  func setUp() -> ReportSection? {
    var table = Table([
      .word("design"), .number("vectors"), .number("ns"), .number("min"), .number("traps"),
      .number("commands"), .number("entries"), .number("invalidations"), .number("delivery ns"),
    ])
    for cell in cells("set-up") {
      let cost = cell.metric("set-up-ns-per-vector")
      table.add([
        cell.design, cell.parameters["vectors"] ?? "–", value(cell, "set-up-ns-per-vector"),
        cost.map { Format.number($0.minimum) } ?? "–",
        perVector(cell, ["msix-traps", "command-traps"]), perVector(cell, ["its-commands"]),
        perVector(cell, ["irte-writes", "table-stores"]),
        perVector(cell, ["entry-cache-invalidations", "translation-cache-flushes"]),
        value(cell, "delivery-ns-per-interrupt"),
      ])
    }
    return ReportSection(
      "Set-up per vector, fresh tables; delivery: translate and acknowledge one interrupt, hot",
      table)
  }

  /// What the requests for vLPIs met, by name.
  func requests() -> ReportSection? {
    var table = Table([.word("case"), .number("times")])
    guard let cell = cells("vlpi-requests").first else { return nil }
    for (name, count) in cell.setUpCounters.sorted(by: { $0.key < $1.key }) {
      table.add([name, Format.count(count)])
    }
    return ReportSection(
      """
      Requests for vLPIs that owned set-up makes, at a host with \(cell.parameters["vpe-ids"] ?? "?") \
      vPEIDs that would \(cell.parameters["early-events"] ?? "?") early events: \
      \(cell.parameters["host-commands"] ?? "?") host commands
      """, table)
  }

  func breakEven() -> ReportSection? {
    var table = Table([
      .word("cheaper set-up"), .word("dearer set-up"), .number("costs, ns/vector"),
      .number("saves, ns/interrupt"), .number("break-even, interrupts/vector"),
    ])
    for pair in BreakEven.pairs(of: cells("set-up")) {
      table.add([
        pair.cheaper.design, pair.dearer.design, Format.number(pair.cost),
        Format.number(pair.saving), pair.text,
      ])
    }
    return ReportSection(
      "Break-even of modelled work (traps and wake-ups are counted above and cost nothing here)",
      table)
  }
}
