import ArgumentParser
import Foundation
import History

struct ShardRunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Run one shard of a plan into a result file.",
    discussion: """
      A shard that has its result is not run again, and of two that run at once the first result stays: a \
      job may be requeued, and started twice, at any time. A shard that is stopped midway leaves no \
      result. Ends as 'replay' does: 1 if a design does not conform, 3 if nothing could be measured.

      Try:
        doorbell shard run plan.json 1 --results results
        doorbell shard run plan.json 2 --results results
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
        Console.print("\(name): has its result; not run again")
        return try judge(result.record)
      }
      try check(plan)
      let record = try measure(plan)
      try FileManager.default.createDirectory(atPath: results, withIntermediateDirectories: true)
      if try ShardFile.create(ShardResult(plan: plan, number: number, record: record), at: path) {
        Console.print("\(name): \(path)")
      } else {
        Console.print("\(name): somebody else was first; his result stays")
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
  }

  /// Replays the shard in a fresh process.
  private func measure(_ plan: ShardPlan) throws -> RunRecord {
    let folder = NSTemporaryDirectory() + "/doorbell-shard-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let shard = plan.shards[number - 1]
    let trace = plan.traces[shard.trace]
    let range = trace.range(ofPart: shard.part)
    var path = trace.path
    if trace.cuts.count > 1 {
      path = folder + "/" + trace.name
      try Console.step("part \(shard.part + 1) of \(trace.name)") {
        try cut(trace, range, into: path)
      }
    }
    let output = folder + "/record.json"
    // A snapshot comes before the events, and counts as they do.
    let limit = (Int(range.upperBound - range.lowerBound) + 1_000_000) * 2
    let status = try Console.step("replay through \(shard.design)") {
      try start(
        ["replay", path, "--design", shard.design, "--experiment"] + plan.experiments
          + plan.parameters + ["--limit", "\(limit)", "--format", "json", "--output", output]
          + verbosity.words)
    }
    guard status == 0 || status == ExitStatus.regression.rawValue,
      FileManager.default.fileExists(atPath: output)
    else {
      throw Failure(
        "shard \(number): replay ended with \(status); it has no result and can be run again")
    }
    return try RunRecord.read(from: output)
  }

  private func cut(_ trace: ShardPlan.Trace, _ range: Range<UInt64>, into path: String) throws {
    let count = range.upperBound - range.lowerBound
    let report = path + ".json"
    let status = try start(
      [
        "slice", trace.path, "--first", "\(range.lowerBound)", "--count", "\(count)", "--format",
        "json", "--output", path,
      ] + verbosity.words, output: report)
    struct Report: Decodable { var selectedEvents, leadInEvents: UInt64 }
    guard status == 0 else {
      throw Failure("shard \(number): its part of \(trace.path) could not be cut out")
    }
    let found = try JSONDecoder().decode(
      Report.self, from: Data(contentsOf: URL(fileURLWithPath: report)))
    guard found.selectedEvents == count, found.leadInEvents == 0 else {
      throw Failure(
        "shard \(number): its part has \(found.selectedEvents) events and \(found.leadInEvents) before "
          + "them, expected \(count) and 0; plan anew with this executable")
    }
  }

  /// Runs a verb of this tool to its end. Its results go to a file or nowhere, its messages to stderr.
  private func start(_ words: [String], output: String? = nil) throws -> Int32 {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/proc/self/exe")
    process.arguments = words
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    if let output {
      guard FileManager.default.createFile(atPath: output, contents: nil) else {
        throw Failure.ofSystem("creating a file", path: output)
      }
      process.standardOutput = FileHandle(forWritingAtPath: output)
    }
    try process.run()
    process.waitUntilExit()
    return process.terminationReason == .exit
      ? process.terminationStatus : 128 + process.terminationStatus
  }
}
