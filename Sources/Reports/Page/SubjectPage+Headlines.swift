import Gates
import History

extension SubjectPage {
  /// What the reader takes away, a sentence each.
  var headlines: [String] {
    [equalityHeadline, coreHeadline, pathHeadline, kneeHeadline, setUpHeadline].compactMap { $0 }
      + liveHeadlines
  }

  /// One for each state of the vCPU.
  private var liveHeadlines: [String] {
    var states: [String] = []
    for cell in record.cells where cell.distribution("guest-entry") != nil {
      if !states.contains(cell.experiment) { states.append(cell.experiment) }
    }
    return states.map { state in
      let entries = cells(state).compactMap { cell in
        cell.distribution("guest-entry").map { entry in
          "\(names[cell]) \(Format.nanoseconds(entry.percentile(50))) and "
            + "\(Format.nanoseconds(entry.percentile(99))) ns"
        }
      }
      return "Live, vCPU \(state.dropFirst("live-".count)), from before the signal to the guest's "
        + "handler, p50 and p99: \(entries.joined(separator: ", "))."
    }
  }

  private var equalityHeadline: String? {
    let proofs = cells("equality").filter { $0.conformance != nil }
    guard let first = proofs.first?.conformance else { return nil }
    let failed = proofs.filter { $0.conformance?.firstDifference != nil }
    guard failed.isEmpty else {
      return "Not equal: \(failed.map { names[$0] }.joined(separator: ", ")) gave other outcomes "
        + "than the reference model or the recording, and was not timed."
    }
    return "\(proofs.map { names[$0] }.joined(separator: ", ")) gave the outcomes of the reference "
      + "model and of the recording: \(Format.count(first.accessesCompared)) accesses, "
      + "\(Format.count(first.interruptsCompared)) interrupts."
  }

  /// Designs that do something, the best first.
  private func ranked(
    _ experiment: String, _ figure: (RunRecord.Cell) -> Estimate?
  ) -> [(name: String, estimate: Estimate)] {
    cells(experiment).filter { $0.design != "null" && $0.voidReason == nil }
      .compactMap { cell in figure(cell).map { (names[cell], $0) } }
      .sorted { $0.1.value < $1.1.value }
  }

  private var coreHeadline: String? {
    let found = ranked("core") {
      Estimate($0.metric("delivery-ns-per-event"), confidence: policy.confidence)
    }
    guard let best = found.first else { return nil }
    let interval = best.estimate.intervalText.map { " (\(confidenceText) interval \($0))" } ?? ""
    let rest = found.dropFirst().map { "\($0.name) takes \($0.estimate.ratio(to: best.estimate))" }
    return
      "\(best.name) translates an event in \(Format.number(best.estimate.value)) ns\(interval), "
      + "by \(best.estimate.basis)"
      + (rest.isEmpty ? "." : "; \(rest.joined(separator: ", ")) as long.")
  }

  private var pathHeadline: String? {
    let found = cells("path").filter { $0.design != "null" && $0.voidReason == nil }
      .compactMap { cell in
        cell.distribution("total").flatMap { $0.total > 0 ? (names[cell], $0) : nil }
      }
      .sorted { $0.1.percentile(50) < $1.1.percentile(50) }
    guard !found.isEmpty else { return nil }
    return "One delivery, one in flight, p50 and p99: "
      + found.map { name, times in
        "\(name) \(Format.nanoseconds(times.percentile(50))) and "
          + "\(Format.nanoseconds(times.percentile(99))) ns"
      }.joined(separator: ", ") + "."
  }

  private var kneeHeadline: String? {
    let found = cells("saturate").filter { $0.design != "null" }
    guard !found.isEmpty else { return nil }
    return "Sustained rate: "
      + found.map { cell in
        cell.metric("knee-per-second").map { "\(names[cell]) \(Format.number($0.value))/s" }
          ?? "\(names[cell]) none found"
      }.joined(separator: ", ") + "."
  }

  private var setUpHeadline: String? {
    let found = ranked("set-up") {
      Estimate($0.metric("set-up-ns-per-vector"), confidence: policy.confidence)
    }
    guard let best = found.first else { return nil }
    let rest = found.dropFirst().map { "\($0.name) costs \($0.estimate.ratio(to: best.estimate))" }
    let paid = BreakEven.pairs(of: cells("set-up")).compactMap { pair in
      pair.interrupts.map {
        "\(names[pair.dearer]) has paid for itself against \(names[pair.cheaper]) after "
          + "\(Format.number($0)) interrupts per vector"
      }
    }
    return "Setting a vector up takes \(best.name) \(best.estimate.text) ns"
      + (rest.isEmpty ? "" : "; \(rest.joined(separator: ", ")) as much")
      + (paid.isEmpty ? "." : "; \(paid.joined(separator: ", ")).")
  }
}
