import ArgumentParser
import Foundation
import History

struct ShardMergeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "merge",
    abstract: "Put the results of a plan's shards together, one run record per trace.",
    usage: "doorbell shard merge <plan> <results> ... --output <output> [<options>]",
    discussion: """
      Ledgers, work counters and histograms add up exactly, in any order; samples of times stay apart, by \
      process. A shard whose result is there twice counts once. Missing shards are named and end the \
      command with 3, as do results of another plan and shards that ran on unlike hosts.

      Try:
        doorbell shard plan Traces/boot.dbtrace --design direct -o p.json
        doorbell shard run p.json 1 --results r && doorbell shard merge p.json r -o m
      """)

  @Argument(help: "The plan.")
  var plan: String

  @Argument(help: "Folders with results of it.")
  var results: [String]

  @Option(name: .shortAndLong, help: "Write the run records into this folder.")
  var output: String

  @OptionGroup var verbosity: Verbosity

  func run() throws {
    try reportingFailure(verbosity) {
      let plan = try ShardPlan.read(from: plan)
      var merge = ShardMerge(plan)
      var progress = Progress("merge", unit: .things("results"))
      var read: UInt64 = 0
      for folder in results {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
          throw Failure("\(folder): No such file or directory; name a folder of results")
        }
        for name in names where name.hasPrefix("shard-") && name.hasSuffix(".json") {
          try merge.add(ShardResult.read(from: "\(folder)/\(name)", of: plan))
          read += 1
          progress.update(read, of: UInt64(plan.shards.count))
        }
      }
      progress.finish()
      let records = try merge.records()
      for number in merge.duplicates.sorted() {
        Console.note("shard \(number): has more than one result; counted once")
      }
      try FileManager.default.createDirectory(atPath: output, withIntermediateDirectories: true)
      for (index, record) in records.enumerated() {
        // Two folders may hold traces of one name.
        let path = "\(output)/\(index + 1)-\(record.trace.name).json"
        try Interruption.deferred { try record.write(to: path) }
        try Console.print("\(path): \(record.cells.count) cells, \(record.launches) launches")
      }
      if let cell = records.flatMap(\.cells).first(where: { $0.conformance?.firstDifference != nil }
      ) {
        throw Failure("\(cell.design) does not conform; see 'doorbell report'", .regression)
      }
    }
  }
}
