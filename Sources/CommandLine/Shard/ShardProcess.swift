import Foundation
import History

/// One shard of a plan, replayed in a fresh process.
struct ShardProcess {
  let plan: ShardPlan
  /// Of the shard, from 1.
  let number: Int
  /// For files on the way. What is in it afterwards is nobody's.
  let folder: String
  let verbosity: Verbosity
  /// Whether what the process says is kept for `Failed.said`; else it goes to stderr.
  var keepsWords = false
  /// Called every so often while the process runs.
  var waiting: () -> Void = {}

  /// No record came of it.
  struct Failed: Error, CustomStringConvertible {
    var status: Int32
    /// Of stderr, the last lines.
    var said: String
    var description: String {
      "replay ended with \(status)" + (said.isEmpty ? "" : "; it said: \(said)")
    }
  }

  private var run: ShardPlan.Run { plan.runs[plan.shards[number - 1].run] }

  /// Words for `replay` that make the record, but for where it goes.
  static func words(_ run: ShardPlan.Run, trace: String) -> [String] {
    ["replay", trace, "--design", run.design]
      + (run.plugIn.map { ["--backend", $0.path] } ?? [])
      + ["--experiment"] + run.experiments + run.parameters
  }

  /// The record of the whole shard, also where `replay` ended with 1 or a run is void.
  ///
  /// - Parameter isWhole: keep all events in memory, however many; else as many as `replay` keeps by itself.
  func measure(isWhole: Bool) throws -> RunRecord {
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
    var words = Self.words(run, trace: path)
    if isWhole {
      // A snapshot comes before the events, and counts as they do.
      words += ["--limit", "\((Int(range.upperBound - range.lowerBound) + 1_000_000) * 2)"]
    }
    let (status, said) = try Console.step("replay through \(run)") {
      try start(words + ["--die-with-parent", "--format", "json", "-o", output] + verbosity.words)
    }
    guard FileManager.default.fileExists(atPath: output) else {
      throw Failed(status: status, said: said)
    }
    return run.own(try RunRecord.read(from: output))
  }

  private func cut(_ trace: ShardPlan.Trace, _ range: Range<UInt64>, into path: String) throws {
    let count = range.upperBound - range.lowerBound
    let report = path + ".json"
    let (status, said) = try start(
      [
        "slice", trace.path, "--first", "\(range.lowerBound)", "--count", "\(count)", "--format",
        "json", "--output", path,
      ] + verbosity.words, output: report)
    struct Report: Decodable { var selectedEvents, leadInEvents: UInt64 }
    guard status == 0 else {
      throw Failure("shard \(number): its part of \(trace.path) could not be cut out: \(said)")
    }
    let found = try JSONDecoder().decode(
      Report.self, from: Data(contentsOf: URL(fileURLWithPath: report)))
    guard found.selectedEvents == count, found.leadInEvents == 0 else {
      throw Failure(
        "shard \(number): its part has \(found.selectedEvents) events and \(found.leadInEvents) before "
          + "them, expected \(count) and 0; plan anew with this executable")
    }
  }

  /// Runs a verb of this tool to its end. Its results go to a file or nowhere.
  private func start(
    _ words: [String], output: String? = nil
  ) throws -> (status: Int32, said: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/proc/self/exe")
    process.arguments = words
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try output.map(FileHandle.init(creating:)) ?? FileHandle.nullDevice
    let log = folder + "/said.txt"
    if keepsWords { process.standardError = try FileHandle(creating: log) }
    try process.run()
    guard process.waitUntilExitOrStop(waiting) else {
      throw Interruption.Stopped(
        consequence: "shard \(number) has no result and can be run again")
    }
    let said = FileManager.default.contents(atPath: log).map { String(decoding: $0, as: UTF8.self) }
    let status =
      process.terminationReason == .exit
      ? process.terminationStatus : 128 + process.terminationStatus
    return (status, Self.last(said ?? ""))
  }

  private static func last(_ text: String) -> String {
    text.split(separator: "\n").suffix(4).joined(separator: "\n  ")
  }
}
