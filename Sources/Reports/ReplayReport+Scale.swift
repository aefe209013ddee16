import History

// What more device threads give.

extension ReplayReport {
  func scale() -> ReportSection? {
    guard let first = cells("scale").first,
      let vCPUs = UInt16(first.parameters["vcpu-threads"] ?? "").map(Int.init),
      let cpus = UInt16(first.parameters["cpus"] ?? "").map(Int.init)
    else { return nil }
    var table = Table([
      .word("design"), .number("device threads"), .number("all threads"), .number("M events/s"),
      .number("× one"), .word("CPUs"),
    ])
    for cell in cells("scale") {
      let alone = cell.metric("events-per-second-1")?.value ?? .nan
      for (threads, rate) in cell.ratesByThreads {
        // A reader, the device threads and the vCPUs'.
        let all = 1 + threads + vCPUs
        table.add([
          cell.design, "\(threads)", "\(all)", Format.millions(rate.value),
          Format.number(rate.value / alone), all > cpus ? "shared: \(all) on \(cpus)" : "one each",
        ])
      }
    }
    let most = cells("scale").flatMap(\.ratesByThreads).map(\.threads).max() ?? 0
    let isShared = 1 + most + vCPUs > cpus
    return ReportSection(
      "Scale: shards by StreamID; reader → device threads → vCPU threads", table,
      remarks: isShared
        ? ["where threads share CPUs the figures are those of the scheduler: they bound nothing"]
        : [])
  }
}

extension RunRecord.Cell {
  /// Events per second of `scale`, by the number of device threads.
  var ratesByThreads: [(threads: Int, rate: RunRecord.Metric)] {
    let prefix = "events-per-second-"
    return metrics.compactMap { metric in
      guard metric.name.hasPrefix(prefix), let threads = UInt16(metric.name.dropFirst(prefix.count))
      else { return nil }
      return (Int(threads), metric)
    }.sorted { $0.0 < $1.0 }
  }
}
