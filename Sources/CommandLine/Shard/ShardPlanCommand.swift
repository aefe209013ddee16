import ArgumentParser
import Foundation
import History
import Replay
import Suites

struct ShardPlanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "Cut a suite of traces, designs and experiments into shards.",
    usage: "doorbell shard plan [<traces> ...] --output <output> [<options>]",
    discussion: """
      One shard is one part of one trace through one design, in a process of its own, with all experiments; \
      from a suite file, with one. Short traces are one part; long ones are cut into parts of about \
      --shard-minutes, at key frames or other places where nothing waits for its invalidation, so that \
      parts add up to the whole. How many events that is comes from a short replay of each trace, just now on \
      this host. The plan holds the hashes of traces and of this very executable; 'run' refuses others. \
      Traces are named by absolute path: nodes share the file system.

      Try:
        doorbell shard plan --suite Benchmarks/Nightly/suite.toml --output plan.json
        doorbell shard plan Traces/nvme.dbtrace -o nvme.json --slurm nvme.sbatch
      """)

  @Argument(help: "Replay these traces.")
  var traces: [String] = []

  @Option(
    help: "Plan what this suite file says, as 'suite run' would run it; instead of what follows.")
  var suite: String?

  @Option(
    name: .customLong("design"), parsing: .upToNextOption,
    help: "Run these designs (trapped eventfd direct null).")
  var designs: [String] = []

  @Option(
    name: .customLong("experiment"), parsing: .upToNextOption,
    help: "Run these experiments, as 'replay' names them (core path).")
  var experiments: [ReplayCommand.ExperimentName] = []

  @Option(
    parsing: .unconditional,
    help: "Give 'replay' these words too, in one argument, such as \"--passes 30 --arch gicv5\".")
  var replayOptions = ""

  @Option(help: "Run everything in this many fresh processes (1).")
  var launches: Int?

  @Option(help: "Cut longer traces into parts that take about this many minutes each (5).")
  var shardMinutes: Double?

  @Option(help: "Cut longer traces into parts of at least so many events instead, such as 500k.")
  var partEvents: EventCount?

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
  private var chosenDesigns: [String] {
    designs.isEmpty ? ["trapped", "eventfd", "direct", "null"] : designs
  }
  private var chosenExperiments: [String] {
    experiments.isEmpty ? ["core", "path"] : experiments.map(\.rawValue)
  }

  func validate() throws {
    for word in words {
      guard Self.taken.allSatisfy({ word != $0 && !word.hasPrefix($0 + "=") }) else {
        throw ValidationError("--replay-options cannot hold \(word): the plan gives it")
      }
    }
    guard (1...1_000).contains(launches ?? 1), (0.01...10_000).contains(shardMinutes ?? 5) else {
      throw ValidationError("--launches takes 1 to 1000, --shard-minutes 0.01 to 10000")
    }
    guard shardMinutes == nil || partEvents == nil else {
      throw ValidationError("--shard-minutes and --part-events: give one of them")
    }
    guard Set(designs).count == designs.count, Set(traces).count == traces.count else {
      throw ValidationError("a trace or design is named twice")
    }
    guard suite == nil else {
      guard traces.isEmpty, designs.isEmpty, experiments.isEmpty, words.isEmpty, launches == nil
      else {
        throw ValidationError("--suite says which traces, designs and experiments: give it alone")
      }
      return
    }
    guard !traces.isEmpty else { throw ValidationError("name traces, or a suite with --suite") }
    _ = try command()
  }

  /// As each shard will call it.
  private func command() throws -> ReplayCommand {
    do {
      return try ReplayCommand.parse(
        ["trace", "--design"] + chosenDesigns + ["--experiment"] + chosenExperiments + words)
    } catch {
      throw ValidationError(ReplayCommand.message(for: error))
    }
  }

  func run() throws {
    try reportingFailure(verbosity) {
      let plan = try suite.map(planned) ?? planned()
      try Interruption.deferred {
        guard try ShardFile.create(plan, at: output) else {
          throw Failure(
            "\(output): is there already; a plan is not changed: remove it or name another")
        }
        if let slurm { try SlurmArray(plan, at: output).write(to: slurm) }
      }
      for trace in plan.traces {
        try Console.print("\(trace.name): \(trace.events) events in \(trace.cuts.count) parts")
      }
      try Console.print("\(plan.shards.count) shards, plan \(try plan.hash.prefix(12))")
    }
  }

  private func planned() throws -> ShardPlan {
    let command = try command()
    let planned = try traces.map { path in
      ShardPlan.Trace(
        path: URL(fileURLWithPath: path).path, contentHash: try ContentHash.ofFile(path),
        events: try ShardCuts.events(of: path), cuts: try cuts(path, [command]))
    }
    return ShardPlan(
      tool: try SuitePlan.tool(), traces: planned,
      runs: chosenDesigns.map {
        .init(
          design: $0, experiments: chosenExperiments, parameters: words, launches: launches ?? 1,
          traces: Array(planned.indices))
      })
  }

  private func planned(_ path: String) throws -> ShardPlan {
    let suite = try SuitePlan(path)
    if let cell = suite.suite.cells.first(where: { $0.choice.contains { $0.name == "limit" } }) {
      throw Failure(
        "\(path): run \(cell.run): expected no 'limit', because shards replay all events of their part; take "
          + "it out, or use 'suite run'")
    }
    let traces = try suite.traces { trace in
      try cuts(trace, suite.suite.cells.filter { $0.trace == trace }.map(suite.command))
    }
    return ShardPlan(
      tool: try SuitePlan.tool(), traces: traces, runs: try suite.runs(traces))
  }

  /// - Parameter commands: what is done with each part of the trace.
  private func cuts(_ path: String, _ commands: [ReplayCommand]) throws -> [UInt64] {
    if let partEvents { return try ShardCuts.find(path, size: partEvents.value) }
    let seconds = (shardMinutes ?? 5) * 60
    let calibration = try SuiteCost.Calibration(path)
    var size = UInt64.max
    for command in commands {
      let cost = SuiteCost(command, calibration)
      guard cost.seconds < seconds else {
        throw Failure(
          String(
            format:
              "%@: a shard takes %.0f s however short its part is, expected less than %.0f; raise "
              + "--shard-minutes", path, cost.seconds, seconds))
      }
      size = min(size, UInt64(min(1e18, (seconds - cost.seconds) / cost.secondsPerEvent)))
    }
    Console.note(
      String(
        format: "%@: %.0f ns/event to read and prove, %.1f in core: parts of %llu events", path,
        calibration.proofSecondsPerEvent * 1e9, calibration.coreSecondsPerEvent * 1e9, size))
    return try ShardCuts.find(path, size: max(1, size))
  }
}
