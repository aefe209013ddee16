import History

// The processor's own counters over core's delivery: where the time of a design goes.

extension ReplayReport {
  func processor() -> ReportSection? {
    let cells = cells("core").filter { $0.processorCounters != nil }
    guard let names = cells.first?.processorCounters?.map(\.name), !names.isEmpty else {
      return nil
    }
    var table = Table([.word("design")] + names.map { .number($0) } + [.number("per cycle")])
    var reasons: [String: Set<String>] = [:]
    for cell in cells {
      let counters = Dictionary(
        (cell.processorCounters ?? []).map { ($0.name, $0) }, uniquingKeysWith: { $1 })
      for counter in counters.values {
        if let reason = counter.reason { reasons[reason, default: []].insert(counter.name) }
      }
      guard counters.values.contains(where: { $0.perEvent != nil }) else { continue }
      let cycles = counters["cycles"]?.perEvent ?? 0
      let instructions = counters["instructions"]?.perEvent
      table.add(
        [cell.design]
          + names.map { counters[$0]?.perEvent.map(Format.number) ?? "–" }
          + [cycles > 0 ? instructions.map { Format.number($0 / cycles) } ?? "–" : "–"])
    }
    let missing = reasons.sorted { $0.key < $1.key }.map { reason, of in
      "\(names.filter(of.contains).joined(separator: ", ")): \(reason)"
    }
    let title =
      table.isEmpty
      ? "Processor counters of core"
      : "Processor, per event of core's delivery, outside of the kernel; instructions per cycle"
    return ReportSection(
      title, (table.isEmpty ? [] : [.table(table)]) + missing.map(ReportSection.Part.remark))
  }
}
