public import History

/// What `doorbell live` prints: delivery by state of the vCPU, set-up, traps, ledger; each figure beside that
/// of the loop in C, and by name what this host lacks.
public struct LiveReport {
  private let record: RunRecord

  public init(_ record: RunRecord) { self.record = record }

  public func text() -> String {
    var out = heading()
    for section in sections { out += "\n" + section.text() }
    for absence in record.absences ?? [] {
      out += "\n\(absence.part): not available: \(absence.reason)\n"
    }
    for warning in record.warnings { out += "\nwarning: \(warning)\n" }
    return out
  }

  /// All but heading and warnings; none for a record that holds nothing live.
  var sections: [ReportSection] {
    [delivery(), polling(), coalescing(), setUp(), traps(), ledger()].compactMap { $0 }
  }

  private func heading() -> String {
    let facts = record.host.facts
    let host = ["cpu-model", "cpus", "kernel", "hypervisor", "clock"]
      .compactMap { name in facts[name].map { "\(name) \($0)" } }
      .joined(separator: ", ")
    let kvm = facts.keys.filter { $0.hasPrefix("kvm") }.sorted()
      .map { "\($0) \(facts[$0] ?? "")" }.joined(separator: ", ")
    var out = "host   \(host)\n"
    if !kvm.isEmpty { out += "kvm    \(kvm)\n" }
    return out + """
      guest  \(record.trace.contentHash.prefix(16))
      mode   live: measured on this host, in its state at that moment

      """
  }

  private func cells(_ prefix: String) -> [RunRecord.Cell] {
    record.cells.filter { $0.experiment.hasPrefix(prefix) }
  }

  private var deliveries: [RunRecord.Cell] { record.cells.filter { $0.parameters["vcpu"] != nil } }

  private func ratio(_ cell: RunRecord.Cell) -> String {
    cell.metric("swift-to-c").map { Format.number($0.value) } ?? "–"
  }

  private func percentile(_ cell: RunRecord.Cell, _ name: String, _ percent: Double) -> String {
    cell.distribution(name).map { Format.nanoseconds($0.percentile(percent)) } ?? "–"
  }

  private func delivery() -> ReportSection? {
    var table = Table([
      .word("design"), .word("vCPU"), .number("signal p50"), .number("guest entry p50"),
      .number("p90"), .number("p99"), .number("p99.9"), .number("seen p50"),
      .number("C: entry p50"), .number("Swift/C"),
    ])
    for cell in deliveries {
      let entry = "guest-entry"
      table.add(
        [cell.design, cell.parameters["vcpu"] ?? "–", percentile(cell, "signal", 50)]
          + [50, 90, 99, 99.9].map { percentile(cell, entry, $0) }
          + [
            percentile(cell, "seen-by-host", 50), percentile(cell, entry + "-c", 50), ratio(cell),
          ])
    }
    return ReportSection(
      "Delivery, one in flight, service time, ns: the write to the eventfd; from before it to the guest's "
        + "handler; until the host sees the record", table)
  }

  /// What KVM itself counted: whether a halted vCPU was really polled for.
  private func polling() -> ReportSection? {
    var table = Table([
      .word("design"), .word("vCPU"), .number("halt-poll ns"), .number("interrupts"),
      .number("found polling"), .number("woken up"), .number("exits"),
    ])
    func count(_ cell: RunRecord.Cell, _ name: String) -> String {
      cell.metric(name).map { Format.count(of: $0.value) } ?? "0"
    }
    for cell in deliveries where cell.metrics.contains(where: { $0.name.hasPrefix("kvm-") }) {
      table.add([
        cell.design, cell.parameters["vcpu"] ?? "–", cell.parameters["halt-poll-ns"] ?? "–",
        count(cell, "closed-loop-interrupts"), count(cell, "kvm-halt_successful_poll"),
        count(cell, "kvm-halt_wakeup"), count(cell, "kvm-exits"),
      ])
    }
    return ReportSection("What KVM counted meanwhile, Swift and C together", table)
  }

  private func coalescing() -> ReportSection? {
    var table = Table([
      .word("design"), .word("vCPU"), .number("burst of"), .number("offers"), .number("coalesced"),
      .number("%"),
    ])
    for cell in deliveries {
      guard let offers = cell.metric("burst-offers")?.value, offers > 0,
        let coalesced = cell.metric("burst-coalesced")?.value
      else { continue }
      table.add([
        cell.design, cell.parameters["vcpu"] ?? "–", cell.parameters["burst-length"] ?? "–",
        Format.count(of: offers), Format.count(of: coalesced),
        Format.number(100 * coalesced / offers),
      ])
    }
    return ReportSection(
      "Bursts without waiting: what was pending together is one interrupt", table)
  }

  private func setUp() -> ReportSection? {
    var table = Table([
      .number("vectors"), .number("traps"), .number("route updates"), .number("ns"),
      .number("of it routing"), .number("irqfd"), .number("by the guest"), .number("C: ns"),
      .number("Swift/C"),
    ])
    func value(_ cell: RunRecord.Cell, _ name: String) -> String {
      cell.metric(name).map { Format.number($0.value) } ?? "–"
    }
    for cell in cells("live-set-up") {
      table.add([
        cell.parameters["vectors"] ?? "–", Format.count(cell.setUpCounters["msix-traps"] ?? 0),
        Format.count(cell.setUpCounters["route-updates"] ?? 0),
        value(cell, "set-up-ns-per-vector"), value(cell, "routing-ns-per-vector"),
        value(cell, "irqfd-ns-per-vector"), value(cell, "guest-ns-per-vector"),
        value(cell, "set-up-ns-per-vector-c"), ratio(cell),
      ])
    }
    return ReportSection(
      "Set-up of trapped: a whole MSI-X table, ns per vector (median of the rounds); afterwards every "
        + "vector delivered once", table)
  }

  private func traps() -> ReportSection? {
    var table = Table([
      .word("mechanism"), .number("stores"), .number("trapped p50"), .number("p99"),
      .number("protect again p50"), .number("C: trapped p50"), .number("C: again p50"),
      .number("Swift/C"),
    ])
    for cell in cells("live-trap-") {
      table.add([
        String(cell.experiment.dropFirst("live-trap-".count)),
        Format.count(cell.distribution("trapped-store")?.total ?? 0),
        percentile(cell, "trapped-store", 50), percentile(cell, "trapped-store", 99),
        percentile(cell, "protect-again", 50), percentile(cell, "trapped-store-c", 50),
        percentile(cell, "protect-again-c", 50), ratio(cell),
      ])
    }
    return ReportSection("Set-up of trapped without KVM: one trapped store, ns", table)
  }

  private func ledger() -> ReportSection? {
    var table = Table([
      .word("design"), .word("experiment"), .number("offered"), .number("delivered"),
      .number("coalesced"), .number("masked"), .number("lost"),
    ])
    for cell in cells("live-") {
      guard let ledger = cell.ledger else { continue }
      table.add([
        cell.design, cell.experiment, Format.count(ledger.offered), Format.count(ledger.delivered),
        Format.count(ledger.coalesced), Format.count(ledger.masked),
        Format.count(ledger.lostTotal),
      ])
    }
    return ReportSection(
      "Ledger, all that was signalled: offered = delivered + coalesced + masked + lost", table)
  }
}
