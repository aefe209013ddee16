import Foundation
import Reports

/// `conform`'s table: one line per trace, and what is wrong below.
struct ConformText {
  var report: ConformReport

  func text() -> String {
    let plugin = report.plugin
    var out =
      plugin.name.map { name in
        "plug-in \(plugin.path): \(name) \(plugin.version ?? ""), interface "
          + "\(plugin.interface ?? ""), design \(plugin.design ?? "")\n\n"
      } ?? "plug-in \(plugin.path)\n\n"
    var table = Table([
      .word("trace"), .number("events"), .number("accesses"), .number("interrupts"),
      .word("reference model"), .number("recorded"), .word("recording"), .word("verdict"),
    ])
    var details = ""
    for trace in report.traces {
      let name = (trace.path as NSString).lastPathComponent
      let isProved = trace.breach == nil || trace.breach == .differs
      func cell(_ value: String) -> String { isProved ? value : "–" }
      table.add([
        name, cell(Format.count(UInt64(trace.events))), cell(Format.count(trace.accesses)),
        cell(Format.count(trace.interrupts)),
        cell(trace.agreedWithReference ? "equal" : "DIFFERS"), cell(Format.count(trace.recorded)),
        cell(trace.agreedWithRecording ? "equal" : "DIFFERS"),
        trace.breach.map { $0.rawValue.uppercased() } ?? "conforms",
      ])
      if let breach = trace.breach {
        details += "\n\(name): \(breach.rawValue):\n\(trace.detail ?? "")\n"
      }
    }
    out += table.text() + details
    let sizes = report.batchSizes.sorted().map { Format.count(UInt64($0)) }
    let failed = report.traces.count { $0.breach != nil }
    return out
      + (failed == 0
        ? "\nconforms, in batches of \(sizes.dropLast().joined(separator: ", ")) and "
          + "\(sizes.last ?? "") events\n"
        : "\ndoes not conform on \(failed) of \(report.traces.count) traces\n")
  }
}
