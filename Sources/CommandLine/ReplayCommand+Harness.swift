import Backends
import EventModel
import History
import Measurement
import Replay

extension ReplayCommand {
  /// What measuring itself costs, beside every result: the clock, a record, the way from one CPU to the
  /// other and back where an experiment goes it, and the design that does nothing, unless it is among those
  /// that are shown.
  func harness(
    _ events: [TraceEvent], _ geometry: TableGeometry
  ) throws -> [RunRecord.Metric] {
    let cost = HarnessCost.measured()
    var metrics = [
      metric("clock-reading", cost.clockNanoseconds),
      metric("clock-reading-ordered", cost.orderedClockNanoseconds),
      metric("histogram-record", cost.recordNanoseconds),
      metric("clock-and-record", cost.eventNanoseconds),
    ]
    if experiments.contains(where: { $0 != .core && $0 != .setUp }) {
      do throws(WorkerThreadError) {
        let pingPong = try PingPong.measure()
        metrics += [
          metric("cache-line-round-trip-p50", Double(pingPong.line.percentile(50))),
          metric("ring-round-trip-p50", Double(pingPong.ring.percentile(50))),
        ]
      } catch {
        throw Failure("harness: \(error)")
      }
    }
    return try metrics + null(events, geometry) + waits()
  }

  private func metric(_ name: String, _ value: Double) -> RunRecord.Metric {
    .init(name: name, unit: "ns", lowerIsBetter: true, value: value, samples: [value])
  }

  /// The loops around a design that translates nothing.
  private func null(
    _ events: [TraceEvent], _ geometry: TableGeometry
  ) throws -> [RunRecord.Metric] {
    guard !designs.contains("null"), !events.isEmpty,
      let runner = BackendCatalogue.runner(of: .null, geometry: geometry)
    else { return [] }
    var metrics: [RunRecord.Metric] = []
    if experiments.contains(.core) {
      var options = CoreExperiment.Options()
      options.coldPasses = 1
      options.warmSamples = 5
      options.warmNanoseconds = 0
      options.trafficPasses = 0
      options.thrashPasses = 0
      options.counterPasses = 0
      let found = runner.core(events, options)
      let delivery = found.warm.map(\.meanDelivery)
      metrics.append(
        metric(
          "null-core-ns-per-event", Summary(delivery).median / Double(max(1, found.deliveryEvents)))
      )
    }
    if experiments.contains(.path) {
      var options = PathExperiment.Options()
      options.interrupts = min(interrupts, 1_000)
      do throws(PathExperiment.Failure) {
        let found = try runner.path(events, options)
        metrics.append(metric("null-path-p50", Double(found.total.percentile(50))))
      } catch {
        throw Failure("harness: \(error)")
      }
    }
    return metrics
  }

  /// What waiting for the next start costs, by strategy.
  private func waits() -> [RunRecord.Metric] {
    guard experiments.contains(where: { $0 == .paced || $0 == .saturate }) else { return [] }
    let cost = PacingWaitCost.measured()
    return [
      metric("wait-spin-step", cost.spin), metric("wait-yield-step", cost.yield),
      metric("wait-sleep-late-median", cost.sleepMedian),
      metric("wait-sleep-late-worst-of-\(PacingWaitCost.sleeps)", cost.sleepWorst),
    ]
  }
}
