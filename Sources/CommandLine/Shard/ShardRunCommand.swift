import ArgumentParser
import Foundation
import History

struct ShardRunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Run one shard of a plan into a result file.",
    usage: "doorbell shard run <plan> <number> --results <results> [<options>]",
    discussion: """
      A shard that has its result is not run again, and of two that run at once the first result stays: a \
      job may be requeued, and started twice, at any time. A shard that is stopped midway leaves no \
      result. Ends as 'replay' does: 1 if a design does not conform, 3 if nothing could be measured.

      Try:
        doorbell shard plan Traces/boot.dbtrace --output plan.json
        doorbell shard run plan.json 1 --results results
      """)

  @Argument(help: "A plan that 'shard plan' wrote.")
  var plan: String

  @Argument(help: "Run this shard, from 1.")
  var number: Int

  @Option(help: "Write the result into this folder; it is made if it is not there.")
  var results: String

  @OptionGroup var verbosity: Verbosity

  func run() throws {
    try reportingFailure(verbosity) {
      let plan = try ShardPlan.read(from: plan)
      guard plan.shards.indices.contains(number - 1) else {
        throw Failure("\(self.plan): has no shard \(number); there are 1 to \(plan.shards.count)")
      }
      let path = "\(results)/\(ShardResult.fileName(number))"
      let name = "shard \(number): \(plan.name(of: number))"
      if FileManager.default.fileExists(atPath: path) {
        let result = try ShardResult.read(from: path, of: plan)
        try Console.print("\(name): has its result; not run again")
        return try judge(result.record)
      }
      Interruption.requestsStop()
      try check(plan)
      let record = try measure(plan)
      try FileManager.default.createDirectory(atPath: results, withIntermediateDirectories: true)
      if try ShardFile.create(ShardResult(plan: plan, number: number, record: record), at: path) {
        try Console.print("\(name): \(path)")
      } else {
        try Console.print("\(name): somebody else was first; his result stays")
      }
      try judge(record)
    }
  }

  private func judge(_ record: RunRecord) throws {
    if record.cells.contains(where: { $0.conformance?.firstDifference != nil }) {
      throw Failure("shard \(number): a design does not conform; see its result", .regression)
    }
  }

  /// Another build or another trace is another suite.
  private func check(_ plan: ShardPlan) throws {
    let tool = try ContentHash.ofTool()
    guard tool == plan.tool.contentHash else {
      throw Failure(
        "this executable is \(tool.prefix(12)), version \(ToolVersion.text); the plan is for "
          + "\(plan.tool.contentHash.prefix(12)), version \(plan.tool.version); run that one, or plan anew"
      )
    }
    let trace = plan.traces[plan.shards[number - 1].trace]
    let hash = try ContentHash.ofFile(trace.path)
    guard hash == trace.contentHash else {
      throw Failure(
        "\(trace.path): is \(hash.prefix(12)), expected \(trace.contentHash.prefix(12)) as planned; "
          + "restore the trace, or plan anew")
    }
    if let plugIn = plan.runs[plan.shards[number - 1].run].plugIn {
      let hash = try ContentHash.ofFile(plugIn.path)
      guard hash == plugIn.contentHash else {
        throw Failure(
          "\(plugIn.path): is \(hash.prefix(12)), expected \(plugIn.contentHash.prefix(12)) as planned; "
            + "restore the plug-in, or plan anew")
      }
    }
  }

  /// Replays the shard in a fresh process.
  private func measure(_ plan: ShardPlan) throws -> RunRecord {
    let folder = NSTemporaryDirectory() + "/doorbell-shard-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    do {
      let process = ShardProcess(
        plan: plan, number: number, folder: folder, verbosity: verbosity)
      let record = try process.measure(isWhole: true)
      if let void = record.cells.first(where: { $0.voidReason != nil }) {
        throw Failure(
          "shard \(number): \(void.design) \(void.experiment): void: \(void.voidReason ?? ""); it has no "
            + "result and can be run again")
      }
      return record
    } catch let failed as ShardProcess.Failed {
      throw Failure("shard \(number): \(failed); it has no result and can be run again")
    }
  }
}
