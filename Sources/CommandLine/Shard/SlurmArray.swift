import Foundation
import History

/// A script for `sbatch` that runs the shards of a plan as one array job.
struct SlurmArray {
  /// Slurm's own default for `MaxArraySize` is 1001, one above the highest index.
  static let mostTasks = 1_000

  private let plan: ShardPlan
  private let planPath: String

  init(_ plan: ShardPlan, at path: String) {
    self.plan = plan
    planPath = URL(fileURLWithPath: path).path
  }

  var text: String {
    let shards = plan.shards.count
    let tasks = min(shards, Self.mostTasks)
    let tool =
      (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? "doorbell"
    return """
      #!/bin/bash
      # Runs \(shards) shards. A task that is requeued, or whose node fails, begins its shard anew; shards that
      # have their result are not run again. Exclusive, because a neighbour would be in the times.
      #SBATCH --job-name=doorbell
      #SBATCH --array=1-\(tasks)
      #SBATCH --requeue
      #SBATCH --exclusive
      #SBATCH --time=02:00:00
      #SBATCH --open-mode=append
      set -uo pipefail
      status=0
      for ((shard = SLURM_ARRAY_TASK_ID; shard <= \(shards); shard += \(tasks))); do
        "${DOORBELL:-\(Self.quotedInside(tool))}" shard run "\(Self.quotedInside(planPath))" "$shard" \\
          --results "\(Self.quotedInside(planPath)).results"
        ended=$?
        ((ended > status)) && status=$ended
      done
      exit "$status"

      """
  }

  func write(to path: String) throws {
    do {
      try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
    } catch {
      throw Failure("\(path): cannot be written: \(error.localizedDescription)")
    }
  }

  /// For bash, between double quotes.
  private static func quotedInside(_ path: String) -> String {
    path.reduce(into: "") { text, character in
      if "\"\\$`".contains(character) { text.append("\\") }
      text.append(character)
    }
  }
}
