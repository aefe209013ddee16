import History

// How much a design can take, and latency against rate.

extension ReplayReport {
  func saturate() -> [ReportSection] {
    let found = cells("saturate")
    let several = found.contains { $0.launchCurves != nil }
    let remark = "of several launches the curve is shown whose knee is the median"
    return [knees(remarks: Self.voids(found) + (several ? [remark] : []))].compactMap { $0 }
      + found.compactMap { cell in
        var table = Table(Self.rateHeadings)
        for point in cell.curve ?? [] { table.add(Self.row(of: point)) }
        return ReportSection("Response against rate, \(cell.design), ns", table)
      }
  }

  func knees(remarks: [String]) -> ReportSection? {
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
    guard let first = found.first else { return nil }
    let percent = Double(first.parameters["percentile"] ?? "").map(Format.percentile) ?? "?"
    let bound = UInt64(first.parameters["bound-ns"] ?? "").map(Format.nanoseconds) ?? "?"
    return ReportSection(
      "Saturate: the highest rate whose response keeps p\(percent) ≤ \(bound) ns, nothing lost; "
        + "\(first.parameters["arrivals"] ?? "?") arrivals", table, remarks: remarks)
  }

  static let rateHeadings: [Table.Heading] = [
    "rate/s", "taken/s", "runs", "kept", "p50", "p99", "p99.9", "max", "coalesced", "lag p99.9",
  ].map { .number($0) }

  static func row(of point: RunRecord.RatePoint) -> [String] {
    [
      Format.number(point.rate), Format.number(point.taken), "\(point.runs)",
      "\(point.sustained)", Format.nanoseconds(point.p50), Format.nanoseconds(point.p99),
      Format.nanoseconds(point.p999), Format.nanoseconds(point.maximum),
      Format.count(point.coalesced), Format.nanoseconds(point.lag),
    ]
  }
}
