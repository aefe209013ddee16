import Backends
import History
import Measurement
import Replay
import Reports

extension ReplayTask {
  /// The experiment `saturate` of one design: the knee, and latency against rate.
  mutating func saturate(_ runner: BackendRunner) throws -> RunRecord.Cell {
    try proveHalves(runner, for: "saturate")
    var options = PacedExperiment.Options()
    options.eventfdHops = design.delivery.eventfdHops
    options.loop = pacing.loop
    let search = pacing.search
    var placement: Set<String> = []
    let found: SaturationSearch.Result
    do throws(PathExperiment.Failure) {
      found = try SaturationSearch(search).run(clock: CycleClock.shared) {
        (rate, seed, nanoseconds) throws(PathExperiment.Failure) in
        detail("\(design): saturate, \(Format.count(rate)) interrupts/s")
        options.loop.arrivals = pacing.arrivals(at: rate, seed: seed)
        options.loop.warmUpNanoseconds = 20_000_000
        options.loop.nanoseconds = nanoseconds + options.loop.warmUpNanoseconds
        let result = try runner.paced(events, options)
        placement.formUnion(result.placement)
        return result
      }
    } catch {
      throw Failure("\(design): saturate: \(error)")
    }
    var cell = cell("saturate")
    cell.parameters = [
      "time": "response time", "percentile": "\(search.percent)",
      "bound-ns": "\(search.boundNanoseconds)", "seed": "\(search.seed)",
      "arrivals": (pacing.arrivals ?? .poisson).rawValue, "wait": options.loop.wait.rawValue,
      "repeats": "\(search.repeats)", "confirmed": "\(found.isConfirmed)",
      "resolution-thousandths": "\(search.resolutionThousandths)",
    ]
    cell.curve = found.curve.map(RunRecord.RatePoint.init)
    if let knee = found.knee {
      cell.metrics = [
        .init(
          name: "knee-per-second", unit: "1/s", lowerIsBetter: false, value: Double(knee),
          samples: [Double(knee)])
      ]
    } else {
      cell.voidReason = found.note ?? "no knee was found"
    }
    if let note = found.note, found.knee != nil {
      warnings.append("\(design): saturate: \(note)")
    }
    warnings += placement.map { "\(design): saturate: \($0)" }
    return cell
  }
}

extension RunRecord.RatePoint {
  init(_ point: SaturationSearch.Point) {
    self.init(
      rate: Double(point.rate), taken: point.takenPerSecond, runs: point.runs,
      sustained: point.sustained, discarded: point.discarded, coalesced: point.account.coalesced,
      lost: point.account.lost,
      p50: point.response.percentile(50), p99: point.response.percentile(99),
      p999: point.response.percentile(99.9), maximum: point.response.maximum,
      lag: point.lag.percentile(PacedLoop.lagPercent))
  }
}
