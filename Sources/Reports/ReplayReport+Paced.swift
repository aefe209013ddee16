import History

// The open loop, and the stages of single interrupts.

extension ReplayReport {
  func paced() -> ReportSection? {
    let percentiles: [Double] = [50, 99, 99.9, 100]
    var table = Table(
      [.word("design"), .number("sent/s"), .number("interrupts"), .word("time")]
        + ["p50", "p99", "p99.9", "max"].map { .number($0) })
    for cell in cells("paced") {
      for name in ["response", "service", "lag"] {
        guard let times = cell.distribution(name) else { continue }
        let isFirst = name == "response"
        table.add(
          [
            isFirst ? cell.design : "",
            isFirst ? value(cell, "sent-per-second") : "", Format.count(times.total), name,
          ] + percentiles.map { Format.nanoseconds(times.percentile($0)) })
      }
    }
    guard let first = cells("paced").first else { return nil }
    var remarks: [String] = []
    let allocations = cells("paced").compactMap { cell in
      cell.metric("allocations").map { "\(cell.design) \(Format.count(of: $0.value))" }
    }
    if !allocations.isEmpty {
      remarks.append(
        "allocations between first and last interrupt, set-up apart: "
          + allocations.joined(separator: ", "))
    }
    return ReportSection(
      "Paced: \(first.parameters["arrivals"] ?? "?"), one absolute schedule; "
        + "response from the intended start, ns", table,
      remarks: remarks + Self.voids(cells("paced")))
  }

  /// Why figures must not be believed, a remark each.
  static func voids(_ cells: [RunRecord.Cell]) -> [String] {
    cells.compactMap { cell in cell.voidReason.map { "\(cell.design): VOID: \($0)" } }
  }

  /// Delivery over nothing but two cache lines, without stamps.
  func roundTrips() -> ReportSection? {
    var table = Table([
      .word("design"), .word("what"), .number("p50"), .number("p90"), .number("p99"),
      .number("p99.9"), .number("× the line, p50"),
    ])
    for cell in cells("path") {
      for (name, what) in [("round-trip", "interrupt"), ("cache-line", "bare line")] {
        guard let times = cell.distribution(name) else { continue }
        let isFirst = name == "round-trip"
        table.add(
          [isFirst ? cell.design : "", what]
            + [50, 90, 99, 99.9].map { Format.nanoseconds(times.percentile($0)) }
            + [isFirst ? value(cell, "round-trip-over-cache-line") : ""])
      }
    }
    return ReportSection(
      "Round trip without stamps: translate, a cache line there and back, acknowledge; ns", table)
  }

  /// The stages of the very interrupts that stand at a percentile of the total: they add up. "–" is a
  /// stage that the design or the experiment does not have.
  func stages() -> [ReportSection] {
    let names = [
      ("decode-wait", "decode"), ("ring-wait", "ring"), ("smmu", "smmu"), ("its", "its"),
      ("wake-up", "wake-up"), ("inject", "inject"), ("notification", "notify"),
      ("acknowledge", "ack"),
    ]
    return ["path", "paced"].compactMap { experiment in
      var table = Table(
        [.word("design"), .word("at")] + names.map { .number($0.1) } + [.number("sum")])
      for cell in cells(experiment) {
        for found in cell.stages ?? [] {
          table.add(
            [cell.design, "p" + Format.percentile(found.percentile)]
              + names.map { found.stage($0.0).map(Format.nanoseconds) ?? "–" }
              + [Format.nanoseconds(found.total)])
        }
      }
      return ReportSection("Stages of those interrupts, \(experiment), ns", table)
    }
  }
}
