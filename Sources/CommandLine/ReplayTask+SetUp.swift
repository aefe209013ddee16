import Backends
import EventModel
import History
import Measurement
import Replay

extension ReplayTask {
  /// Owned set-up with vLPIs: the trace's intents as requests to a host, by case. Counts, no times.
  func requests() -> RunRecord.Cell? {
    guard plugin == nil, design.setUp == .owned, design.delivery == .vlpi,
      architecture == .armGICv4
    else { return nil }
    var replay = RequestReplay(geometry: geometry, host: vLPIHost)
    for event in events { replay.apply(event) }
    var cell = cell("vlpi-requests")
    let cases = replay.cases
    for name in VLPIRequestCase.allCases where cases[name] > 0 {
      cell.setUpCounters[name.name] = cases[name]
    }
    cell.parameters = [
      "vpe-ids": "\(vLPIHost.vPEIDCount)", "early-events": "\(vLPIHost.earlyEvents)",
      "host-commands": "\(replay.commandCount)",
    ]
    return cell
  }

  /// What walks of lists cost by their length, beside maps. About a second.
  static func slowPaths() -> [RunRecord.LengthCurve] {
    SlowPaths.real.all().map { curve in
      .init(
        name: curve.name, unit: curve.unit,
        points: curve.points.map { .init(length: $0.length, walk: $0.walk, map: $0.map) })
    }
  }

  /// The experiment `set-up` of one design. Break-even is a matter of two: the report derives it.
  func setUp(_ runner: BackendRunner) throws -> RunRecord.Cell {
    let result = runner.setUp(events, setUpOptions)
    guard result.isRepeatable else {
      throw Failure(
        "\(design): set-up did different work in two passes over the same events; "
          + "nothing was reported", .regression)
    }
    var cell = cell("set-up")
    let vectors = Double(max(1, vectorCount))
    func metric(_ name: String, _ samples: [Double]) {
      guard !samples.isEmpty else { return }
      cell.metrics.append(
        .init(
          name: name, unit: "ns", lowerIsBetter: true, value: Summary(samples).median,
          samples: samples))
    }
    metric("set-up-ns-per-vector", result.setUpNanoseconds.map { Double($0) / vectors })
    metric(
      "set-up-ns-per-event",
      result.setUpNanoseconds.map { Double($0) / Double(max(1, result.setUpEvents)) })
    metric("delivery-ns-per-interrupt", result.deliveryNanoseconds)
    cell.setUpCounters = result.counters.named
    cell.parameters = [
      "passes": "\(result.setUpNanoseconds.count)", "set-up-events": "\(result.setUpEvents)",
      "vectors": "\(vectorCount)", "repeats": "\(setUpOptions.repeats)",
    ]
    return cell
  }
}
