// What does it cost to cross the C interface of plug-ins?
//
//   make plugins && swift run -c release PluginCrossing                    Traces/nvme.dbtrace
//   .build/release/PluginCrossing TRACE [FOLDER]                           plug-ins of another folder
//
// The built-in design `null` and `null.so`, which do the same nothing, replay the same events in turns in
// one process; the difference of their fastest passes is the crossing: cutting into batches, the call,
// and reading the answers back. Beside it the design `direct` and its readable counterpart in C, for what
// the crossing is small against. Ends with 1 if the crossing costs 1 ns per event or more.

import Backends
import EventModel
import Glibc
import Replay
import TraceFormat

@main
struct PluginCrossing {
  private static let limitNanoseconds = 1.0
  private static let rounds = 25

  static func main() {
    let arguments = CommandLine.arguments.dropFirst()
    let path = arguments.first ?? "Traces/nvme.dbtrace"
    let folder = arguments.dropFirst().first ?? ".build/backends"
    do {
      try measure(path, folder)
    } catch {
      print("PluginCrossing: \(error)")
      exit(3)
    }
  }

  private static func measure(_ path: String, _ folder: String) throws {
    var reader = try TraceReader(path: path)
    var events: [TraceEvent] = []
    var batch = [TraceEvent](repeating: TraceEvent(time: 0, kind: .mark), count: 8_192)
    while true {
      // Safety: the pointer is used during the call only.
      let count = unsafe try batch.withUnsafeMutableBufferPointer {
        unsafe try reader.decode(into: $0)
      }
      if count == 0 { break }
      events += batch[..<count]
    }
    let geometry = reader.header.description.geometry
    let status = PluginStatus()
    func plugin(_ name: String) throws -> BackendRunner {
      try PluginLibrary(path: "\(folder)/\(name).so", status: status)
        .runner(geometry: geometry, status: status)
    }
    let (null, direct) = (Design.null, Design.direct)
    let contenders = [
      ("null, built in", BackendCatalogue.runner(of: null, geometry: geometry)!),
      ("null.so", try plugin("null")),
      ("direct, built in", BackendCatalogue.runner(of: direct, geometry: geometry)!),
      ("direct.so", try plugin("direct")),
    ]
    var options = CoreExperiment.Options()
    options.coldPasses = 1
    options.warmSamples = 3
    options.warmNanoseconds = 0
    options.trafficPasses = 0
    options.thrashPasses = 0
    var best = [Double](repeating: .infinity, count: contenders.count)
    for _ in 0..<rounds {
      for (index, contender) in contenders.enumerated() {
        let result = contender.1.core(events, options)
        let least = result.warm.map(\.meanDelivery).min() ?? 0
        best[index] = min(best[index], least / Double(max(1, result.deliveryEvents)))
      }
    }
    print("\(path): \(events.count) events, fastest of \(rounds * 3) passes, ns/event")
    for (contender, figure) in zip(contenders, best) {
      print("  \(contender.0)" + spaces(20 - contender.0.count) + text(figure))
    }
    let crossing = best[1] - best[0]
    let verdict = crossing < limitNanoseconds ? "below" : "NOT BELOW"
    print(
      "crossing: \(text(crossing)) ns per event, \(verdict) the limit of \(text(limitNanoseconds)): "
        + "\(text(crossing / best[2])) of what direct costs")
    if crossing >= limitNanoseconds { exit(1) }
  }

  private static func spaces(_ count: Int) -> String {
    String(repeating: " ", count: max(0, count))
  }

  private static func text(_ value: Double) -> String {
    let hundredths = Int((abs(value) * 100 + 0.5))
    let cents = hundredths % 100
    return "\(value < 0 ? "-" : "")\(hundredths / 100).\(cents < 10 ? "0" : "")\(cents)"
  }
}
