import History

// What more device threads give.

extension ReplayReport {
  func scale() -> ReportSection? {
    guard let first = cells("scale").first,
      let count = Int(first.parameters["device-threads"] ?? ""),
      let vCPUs = Int(first.parameters["vcpu-threads"] ?? ""),
      let cpus = Int(first.parameters["cpus"] ?? "")
    else { return nil }
    var table = Table([
      .word("design"), .number("device threads"), .number("all threads"), .number("M events/s"),
      .number("× one"), .word("CPUs"),
    ])
    for cell in cells("scale") {
      let alone = cell.metric("events-per-second-1")?.value ?? .nan
      for threads in 1...max(1, count) {
        guard let rate = cell.metric("events-per-second-\(threads)") else { continue }
        // A reader, the device threads and the vCPUs'.
        let all = 1 + threads + vCPUs
        table.add([
          cell.design, "\(threads)", "\(all)", Format.millions(rate.value),
          Format.number(rate.value / alone), all > cpus ? "shared: \(all) on \(cpus)" : "one each",
        ])
      }
    }
    let isShared = 1 + count + vCPUs > cpus
    return ReportSection(
      "Scale: shards by StreamID; reader → device threads → vCPU threads", table,
      remarks: isShared
        ? ["where threads share CPUs the figures are those of the scheduler: they bound nothing"]
        : [])
  }
}
