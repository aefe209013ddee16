import EventModel
import TranslationCore

@main
struct CoreBenchmark {
  static func main() {
    var workloads = [
      Workload.hot(count: 65_536), .churn(count: 65_536), .thrash(count: 65_536),
    ]
    for path in CommandLine.arguments.dropFirst() {
      if let w = Workload.records(path: path) { workloads.append(w) }
    }
    if CommandLine.arguments.count > 1 { workloads.removeFirst(3) }
    for workload in workloads {
      var loop = SwiftLoop(nested: true)
      _ = unsafe workload.preparation.withUnsafeBufferPointer { unsafe loop.run($0) }
      var best = Double.infinity
      var digest: UInt64 = 0
      for _ in 0..<(CommandLine.arguments.count > 2 ? 3 : 200) {
        let clock = ContinuousClock()
        let d = clock.measure {
          digest = unsafe workload.events.withUnsafeBufferPointer { unsafe loop.run($0) }
        }
        best = min(best, Double(d.components.attoseconds) / 1e9 / Double(workload.events.count))
      }
      let c = loop.counters
      print(
        workload.name, best, "ns/event", digest, workload.events.count, loop.smmu.refusals.total,
        c.accesses, c.tlbMisses, c.stage1DescriptorReads, c.stage2DescriptorReads, c.smmuFaults)
    }
  }
}
