import Backends
import History
import Measurement
import Replay

extension ReplayTask {
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
