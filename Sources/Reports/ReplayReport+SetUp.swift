import History

// The experiment `set-up`: cost per vector, and when a dearer set-up has paid for itself.

extension ReplayReport {
  private func perVector(_ cell: RunRecord.Cell, _ counters: [String]) -> String {
    let vectors = Double(cell.parameters["vectors"] ?? "") ?? 0
    let sum = counters.reduce(UInt64(0)) { $0 + (cell.setUpCounters[$1] ?? 0) }
    return vectors > 0 ? Format.number(Double(sum) / vectors) : "–"
  }

  func setUp() -> String? {
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
    guard !table.isEmpty else { return nil }
    return
      "Set-up per vector, fresh tables; delivery: translate and acknowledge one interrupt, hot\n"
      + table.text()
  }

  /// What the requests for vLPIs met, by name.
  func requests() -> String? {
    var table = Table([.word("case"), .number("times")])
    guard let cell = cells("vlpi-requests").first else { return nil }
    for (name, count) in cell.setUpCounters.sorted(by: { $0.key < $1.key }) {
      table.add([name, Format.count(count)])
    }
    guard !table.isEmpty else { return nil }
    return """
      Requests for vLPIs that owned set-up makes, at a host with \(cell.parameters["vpe-ids"] ?? "?") \
      vPEIDs that would \(cell.parameters["early-events"] ?? "?") early events: \
      \(cell.parameters["host-commands"] ?? "?") host commands

      """ + table.text()
  }

  /// (set-up A − set-up B) ÷ (delivery B − delivery A) for every pair; none where the design that is
  /// dearer to set up does not deliver cheaper, unresolved where its median is not below every sample of
  /// the other.
  func breakEven() -> String? {
    let cells = cells("set-up").filter { $0.design != "null" }
    var table = Table([
      .word("cheaper set-up"), .word("dearer set-up"), .number("costs, ns/vector"),
      .number("saves, ns/interrupt"), .number("break-even, interrupts/vector"),
    ])
    for (index, first) in cells.enumerated() {
      for second in cells[(index + 1)...] {
        guard let a = figures(first), let b = figures(second) else { continue }
        let isFirstCheaper = a.setUp <= b.setUp
        let cost = abs(a.setUp - b.setUp)
        let saving = isFirstCheaper ? a.delivery - b.delivery : b.delivery - a.delivery
        table.add([
          isFirstCheaper ? first.design : second.design,
          isFirstCheaper ? second.design : first.design, Format.number(cost),
          Format.number(saving),
          saving <= 0
            ? "none" : isResolved(first, second) ? Format.number(cost / saving) : "unresolved",
        ])
      }
    }
    guard !table.isEmpty else { return nil }
    return
      "Break-even of modelled work (traps and wake-ups are counted above and cost nothing here)\n"
      + table.text()
  }

  /// Whether one design's deliveries are cheaper beyond what its passes differ by.
  private func isResolved(_ first: RunRecord.Cell, _ second: RunRecord.Cell) -> Bool {
    guard let a = first.metric("delivery-ns-per-interrupt"),
      let b = second.metric("delivery-ns-per-interrupt")
    else { return false }
    return a.value < b.minimum || b.value < a.minimum
  }

  private func figures(_ cell: RunRecord.Cell) -> (setUp: Double, delivery: Double)? {
    guard let setUp = cell.metric("set-up-ns-per-vector"),
      let delivery = cell.metric("delivery-ns-per-interrupt")
    else { return nil }
    return (setUp.value, delivery.value)
  }
}
