import Backends
import History
import Measurement
import Replay

extension ReplayTask {
  /// The experiment `paced` of one design. A void run is reported with its reason.
  mutating func paced(_ runner: BackendRunner) throws -> RunRecord.Cell {
    try proveHalves(runner, for: "paced")
    var options = PacedExperiment.Options()
    options.loop = pacing.loop
    options.eventfdHops = design.delivery.eventfdHops
    let result: PacedResult
    do throws(PathExperiment.Failure) {
      result = try runner.paced(events, options)
    } catch {
      throw Failure("\(design): paced: \(error)")
    }
    var cell = cell("paced")
    cell.parameters = [
      "time": "response time", "arrivals": options.loop.arrivals.text,
      "wait": options.loop.wait.rawValue,
      "lag-budget-ns": "\(options.loop.lagBudgetNanoseconds)",
      "duration-ns": "\(options.loop.nanoseconds)",
      "warm-up-ns": "\(options.loop.warmUpNanoseconds)",
    ]
    cell.distributions = [
      .init(name: "response", unit: "ns", result.response),
      .init(name: "service", unit: "ns", result.service),
      .init(name: "lag", unit: "ns", result.lag),
    ]
    func metric(_ name: String, _ unit: String, _ value: Double, lower: Bool) {
      cell.metrics.append(
        .init(name: name, unit: unit, lowerIsBetter: lower, value: value, samples: [value]))
    }
    metric("sent-per-second", "1/s", result.sentPerSecond, lower: false)
    metric("coalesced", "interrupts", Double(result.account.coalesced), lower: true)
    metric("lost", "interrupts", Double(result.account.lost), lower: true)
    if let allocations = result.allocations {
      metric("allocations", "calls", Double(allocations), lower: true)
    }
    cell.stages = attributions(result.atPercentile, result.stageSet)
    cell.voidReason = result.voidReason
    if let reason = result.allocationReason {
      // A plug-in may allocate: that is its own cost.
      if plugin != nil || Self.isUnoptimized {
        warnings.append("\(cell.design): paced: \(reason)")
      } else {
        cell.voidReason = cell.voidReason ?? reason
      }
    }
    warnings += result.placement.map { "\(design): paced: \($0)" }
    return cell
  }

  /// A debug build allocates where the optimizer needs no memory.
  private static var isUnoptimized: Bool {
    #if DEBUG
      true
    #else
      false
    #endif
  }

  /// Beside `path`: the delivery without stamps, and the bare cache line between the same threads.
  func addRoundTrip(_ runner: BackendRunner, to cell: inout RunRecord.Cell) throws {
    let found: RoundTrip.Result?
    do throws(WorkerThreadError) {
      found = try runner.roundTrip(events, pathOptions.interrupts)
    } catch {
      throw Failure("\(design): path: \(error)")
    }
    guard let found, let ratio = found.ratio else { return }
    guard found.account.isConserved else {
      throw Failure("\(design): path: the account does not hold; nothing was reported", .regression)
    }
    cell.distributions += [
      .init(name: "round-trip", unit: "ns", found.delivery),
      .init(name: "cache-line", unit: "ns", found.line),
    ]
    cell.metrics.append(
      .init(
        name: "round-trip-over-cache-line", unit: "×", lowerIsBetter: true, value: ratio,
        samples: [ratio]))
  }

  /// An interrupt is handed over between signal and injection: proved as two halves as well.
  mutating func proveHalves(_ runner: BackendRunner, for experiment: String) throws {
    guard design != .null else { return }
    let halves = runner.proveInHalves(reference())
    guard halves.conforms else {
      throw Failure(
        "\(design): \(experiment): delivery in two halves differs from the reference model:\n"
          + "\((halves.firstDifference ?? halves.firstRecordingDifference)?.description ?? "")",
        .regression)
    }
  }

  /// Without the stages that the design or the experiment does not have.
  func attributions(
    _ found: [(percent: Double, stages: DeliveryStages)], _ present: StageSet
  ) -> [RunRecord.StageAttribution] {
    found.map { percent, stages in
      .init(
        percentile: percent, total: stages.total,
        stages: DeliveryStages.all.filter { present.isSuperset(of: $0.set) }
          .map { .init(name: $0.name, nanoseconds: stages[keyPath: $0.path]) })
    }
  }
}
