import ArgumentParser
import Foundation
import Gates
import History
import Reports

struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Say what differs between two builds, or two run records or folders of them.",
    discussion: """
      Compares equality, ledger and work counters exactly, then every figure of core and path: the change \
      with its interval, the p-value and a verdict, what matters most on top. Two executables, build \
      folders or plug-ins are measured now: their launches take turns by lot until the budget is used up, \
      and pairs of them are compared. Of run records, a folder holds the launches of one build, one record \
      each. An interval needs 6 pairs, or 4 launches in each arm. With --format json also the whole latency \
      curves. It informs, and ends with 0 whenever it could compare; 'doorbell gate' decides.

      Try:
        doorbell replay -o run.json && doorbell compare run.json run.json
        doorbell compare .build/release/doorbell .build/release/doorbell --budget 20s
      """)

  @Argument(
    help: "Compare with this executable, build folder, plug-in, run record or folder of them.")
  var baseline: String

  @Argument(help: "Compare this executable, build folder, plug-in, run record or folder of them.")
  var candidate: String

  enum Experiment: String, ExpressibleByArgument, CaseIterable { case core, path }

  @Option(
    name: .customLong("experiment"), parsing: .upToNextOption,
    help: "Of builds, measure these experiments: core, path (core path).")
  var experiments: [Experiment] = [.core, .path]

  @OptionGroup(title: "Options of builds") var plan: GatePlan

  @OptionGroup var limit: BlockLimit

  @OptionGroup var policy: PolicyArguments

  @Option(
    help: """
      Print in this form: table, json, markdown (for a comment on a pull request), junit, sarif, openmetrics.
      """)
  var format: FindingsFormat = .table

  @OptionGroup var verbosity: Verbosity

  func run() throws {
    try reportingFailure(verbosity) {
      let comparison = try comparison()
      try format.print(
        comparison, Findings(comparison, baseline: baseline, candidate: candidate)
      ) { ComparisonReport(comparison).text() }
      if !comparison.facts.obstacles.isEmpty {
        throw ExitCode(ExitStatus.couldNotMeasure.rawValue)
      }
    }
  }

  private func comparison() throws -> Comparison {
    let (before, after) = (try Arm(baseline), try Arm(candidate))
    switch (before.stored, after.stored) {
    case (let first?, let second?):
      return try Comparison(baseline: first, candidate: second, policy: policy.policy)
    case (nil, nil):
      var plan = plan
      plan.experiments = experiments.map(\.rawValue)
      var run = try GateRun(before, after, plan: plan, policy: policy.policy)
      return try run.compare(limit: limit.most)
    default:
      throw Failure(
        "\(before.stored == nil ? before.name : after.name) is a build and the other arm was stored; "
          + "name two builds, or two records, or hold a build against what was stored with 'doorbell gate'"
      )
    }
  }
}
