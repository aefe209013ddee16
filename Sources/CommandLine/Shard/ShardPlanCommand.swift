import ArgumentParser
import Foundation
import History
import Replay

struct ShardPlanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "Cut a suite of traces, designs and experiments into shards.",
    discussion: """
      One shard is one part of one trace through one design, with all experiments, in a process of its \
      own. Short traces are one part; long ones are cut where nothing waits for its invalidation, so that \
      parts add up to the whole. The plan holds the hashes of traces and of this very executable; 'run' \
      refuses others. Traces are named by absolute path: nodes share the file system.

      Try:
        doorbell shard plan Traces/nvme.dbtrace Traces/rebind.dbtrace --output plan.json
        doorbell shard plan Traces/nvme.dbtrace --launches 5 -o plan.json --slurm shards.sbatch
      """)

  @Argument(help: "Replay these traces.")
  var traces: [String]

  @Option(
    name: .customLong("design"), parsing: .upToNextOption,
    help: "Run these designs (trapped eventfd direct null).")
  var designs: [String] = ["trapped", "eventfd", "direct", "null"]

  @Option(
    name: .customLong("experiment"), parsing: .upToNextOption,
    help: "Run these experiments, as 'replay' names them (core path).")
  var experiments: [ReplayCommand.ExperimentName] = [.core, .path]

  @Option(
    parsing: .unconditional,
    help: "Give 'replay' these words too, in one argument, such as \"--passes 30 --arch gicv5\".")
  var replayOptions = ""

  @Option(help: "Run everything in this many fresh processes.")
  var launches = 1

  @Option(
    help: "Cut longer traces into parts of at least so many events, such as 500k (2M).")
  var partEvents = EventCount(argument: "2M")!

  @Option(name: .shortAndLong, help: "Write the plan here; it must not exist.")
  var output: String

  @Option(
    help:
      "Also write a script for 'sbatch' here, one array task per shard; results go beside the plan."
  )
  var slurm: String?

  @OptionGroup var verbosity: Verbosity

  /// What a shard gives 'replay' itself.
  private static let taken = [
    "--design", "--experiment", "--output", "-o", "--format", "--limit", "--backend",
    "--histograms",
  ]

  private var words: [String] { replayOptions.split(separator: " ").map(String.init) }

  func validate() throws {
    for word in words {
      guard Self.taken.allSatisfy({ word != $0 && !word.hasPrefix($0 + "=") }) else {
        throw ValidationError("--replay-options cannot hold \(word): the plan gives it")
      }
    }
    guard launches > 0, partEvents.value > 0 else {
      throw ValidationError("--launches and --part-events take numbers above 0")
    }
    guard Set(designs).count == designs.count, Set(traces).count == traces.count else {
      throw ValidationError("a trace or design is named twice")
    }
    // As each shard will call it.
    let names = experiments.map(\.rawValue)
    do {
      _ = try ReplayCommand.parse(
        ["trace", "--design"] + designs + ["--experiment"] + names + words)
    } catch {
      throw ValidationError(ReplayCommand.message(for: error))
    }
  }

  func run() throws {
    try reportingFailure(verbosity) {
      let planned = try traces.map { path in
        let hash = try ContentHash.ofFile(path)
        let (events, cuts) = try ShardCuts.find(path, size: partEvents.value)
        guard events > 0 else { throw Failure("\(path): holds no event; leave it out") }
        return ShardPlan.Trace(
          path: URL(fileURLWithPath: path).path, contentHash: hash, events: events, cuts: cuts)
      }
      let plan = ShardPlan(
        tool: .init(version: ToolVersion.text, contentHash: try ContentHash.ofTool()),
        traces: planned, designs: designs, experiments: experiments.map(\.rawValue),
        launches: launches, parameters: words)
      guard try ShardFile.create(plan, at: output) else {
        throw Failure(
          "\(output): is there already; a plan is not changed: remove it or name another")
      }
      if let slurm { try SlurmArray(plan, at: output).write(to: slurm) }
      for trace in planned {
        Console.print("\(trace.name): \(trace.events) events in \(trace.cuts.count) parts")
      }
      Console.print("\(plan.shards.count) shards, plan \(try plan.hash.prefix(12))")
    }
  }
}
