import ArgumentParser

/// `doorbell shard`: a suite on many machines, put together as if one had run it.
struct ShardCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "shard",
    abstract: "Cut a suite into shards for many machines, run one, put their results together.",
    discussion: """
      'plan' writes down which part of which trace goes through which design, with hashes of traces and \
      executable. 'run' does one shard, in a fresh process, into one file that is there whole or not at \
      all. 'merge' adds the results up exactly, in any order, and names the shards that are missing.

      Try:
        doorbell shard plan Traces/nvme.dbtrace -o plan.json --slurm night.sbatch
        doorbell shard run plan.json 1 --results results
      """,
    subcommands: [ShardPlanCommand.self, ShardRunCommand.self, ShardMergeCommand.self])
}
