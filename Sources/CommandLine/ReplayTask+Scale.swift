import Backends
import EventModel
import History
import Measurement
import Replay

extension ReplayTask {
  /// The experiment `scale` of one design: 1 to N device threads, each of which must give the outcomes of
  /// one thread.
  mutating func scale(_ runner: BackendRunner) throws -> RunRecord.Cell {
    var options = ScaleExperiment.Options()
    options.vCPUs = scaling.vcpuThreads
    options.passes = scaling.scalePasses
    var cell = cell("scale")
    let cpus = ThreadPlacement.allowedCPUs.count
    cell.parameters = [
      "device-threads": "\(scaling.deviceThreads)", "vcpu-threads": "\(options.vCPUs)",
      "passes": "\(options.passes)", "cpus": "\(cpus)",
    ]
    var first: PassTally?
    for threads in 1...scaling.deviceThreads {
      options.deviceThreads = threads
      let result: ScaleExperiment.Result
      do throws(WorkerThreadError) {
        result = try runner.scale(events, options)
      } catch {
        throw Failure("\(design): scale: \(error)")
      }
      let alone = first ?? result.tally
      guard result.isConserved, result.tally.hasTheCounts(of: alone) else {
        throw Failure(
          "\(design): scale: \(threads) device threads gave other outcomes than one, or an interrupt was "
            + "lost between threads; nothing was reported", .regression)
      }
      first = alone
      let rate = Double(result.events) * 1e9 / Double(max(1, result.nanoseconds))
      cell.metrics.append(
        .init(
          name: "events-per-second-\(threads)", unit: "1/s", lowerIsBetter: false, value: rate,
          samples: [rate]))
    }
    return cell
  }
}

extension PassTally {
  /// All but the digest, which depends on how the streams lie between each other.
  fileprivate func hasTheCounts(of other: PassTally) -> Bool {
    (accesses, interrupts, delivered) == (other.accesses, other.interrupts, other.delivered)
      && (coalesced, masked, lost) == (other.coalesced, other.masked, other.lost)
  }
}
