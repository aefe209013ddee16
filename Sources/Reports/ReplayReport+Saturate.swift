import History

// How much a design can take, and latency against rate.

extension ReplayReport {
  func saturate() -> [ReportSection] {
    var table = Table([
      .word("design"), .number("knee, M/s"), .word("confirmed"), .number("rates"), .number("runs"),
      .number("discarded"),
    ])
    let found = cells("saturate")
    for cell in found {
      let curve = cell.curve ?? []
      table.add([
        cell.design,
        cell.metric("knee-per-second").map { Format.millions($0.value) } ?? "none",
        cell.parameters["confirmed"] == "true" ? "yes" : "no", "\(curve.count)",
        "\(curve.reduce(0) { $0 + $1.runs })", "\(curve.reduce(0) { $0 + $1.discarded })",
      ])
    }
    guard let first = found.first else { return [] }
    let percent = Double(first.parameters["percentile"] ?? "").map(Format.percentile) ?? "?"
    let bound = UInt64(first.parameters["bound-ns"] ?? "").map(Format.nanoseconds) ?? "?"
    let title =
      "Saturate: the highest rate whose response keeps p\(percent) ≤ \(bound) ns, nothing lost; "
      + "\(first.parameters["arrivals"] ?? "?") arrivals"
    let knees = ReportSection(title, table, remarks: Self.voids(found))
    return [knees].compactMap { $0 } + found.compactMap(curve)
  }

  private func curve(of cell: RunRecord.Cell) -> ReportSection? {
    var table = Table([
      .number("rate/s"), .number("taken/s"), .number("runs"), .number("kept"), .number("p50"),
      .number("p99"), .number("p99.9"), .number("max"), .number("coalesced"), .number("lag p99.9"),
    ])
    for point in cell.curve ?? [] {
      table.add([
        Format.number(point.rate), Format.number(point.taken), "\(point.runs)",
        "\(point.sustained)", Format.nanoseconds(point.p50), Format.nanoseconds(point.p99),
        Format.nanoseconds(point.p999), Format.nanoseconds(point.maximum),
        Format.count(point.coalesced), Format.nanoseconds(point.lag),
      ])
    }
    return ReportSection("Response against rate, \(cell.design), ns", table)
  }
}
