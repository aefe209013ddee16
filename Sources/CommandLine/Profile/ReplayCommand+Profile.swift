import Backends
import Foundation
import History
import Replay
import Reports

/// `replay --profile`: the same cells, each once more in a process that perf watches. Never the measured one.
extension ReplayCommand {
  /// The watched process: one cell, which this very build has just proved on this trace. It reports nothing.
  func runProfiled(_ cell: String, _ path: String) throws {
    let words = cell.split(separator: ":").map(String.init)
    var command = self
    guard words.count == 2, let design = Design(name: words[0]),
      let experiment = ExperimentName(rawValue: words[1])
    else { throw Failure("--profiled-cell: no cell '\(cell)'") }
    command.experiments = [experiment]
    var source = try TraceFileSource(path: path, forReplay: true)
    var task = try command.task(&source, path)
    task.provesInFull = false
    task.design = design
    guard
      let runner = BackendCatalogue.runner(
        of: design, geometry: task.geometry, architecture: architecture,
        tlbEntries: core.tlbEntries)
    else { throw Failure("\(design) is not available on \(architecture.rawValue)") }
    _ = try task.run(runner)
  }

  /// - Parameter record: what was measured; each of its experiments is profiled.
  func writeProfile(of record: RunRecord, to file: String) throws {
    let names = Set(experiments.map(\.rawValue))
    let cells = record.cells.filter { names.contains($0.experiment) }
    let words = Array(ProcessInfo.processInfo.arguments.dropFirst())
    var stacks = FoldedStacks()
    var progress = Progress("profile", unit: .things("cells"))
    try Perf.use { perf in
      for (index, cell) in cells.enumerated() {
        let name = "\(cell.design):\(cell.experiment)"
        progress.update(UInt64(index), of: UInt64(cells.count), saying: name)
        try perf.profile(
          words + ["--profiled-cell", name, "--die-with-parent"],
          root: [cell.design, cell.experiment], into: &stacks)
      }
      progress.finish()
      do {
        try Data(stacks.text().utf8).write(to: URL(fileURLWithPath: file), options: .atomic)
      } catch let error as CocoaError {
        throw Failure("\(file): cannot be written: \(error.localizedDescription)")
      }
    }
    Console.note(
      "\(file): \(stacks.samples) samples in \(stacks.stacks) stacks, at \(Perf.hertz)/s")
  }
}
