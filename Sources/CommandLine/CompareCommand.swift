import ArgumentParser
import Foundation
import Gates
import History
import Reports

struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Say what differs between two run records, or folders of them.",
    discussion: """
      Compares equality, ledger and work counters exactly, then every figure: the change with its \
      interval, the p-value and a verdict, what matters most on top. A folder holds the launches of one \
      build, one run record each; an interval needs 4 launches in each arm. With --format json also the \
      whole latency curves. It informs, and ends with 0 whenever it could compare; 'doorbell gate' decides.

      Try:
        doorbell compare before.json after.json
        doorbell compare before/ after/ --format json
      """)

  @Argument(help: "Compare with this run record, or folder of run records.")
  var baseline: String

  @Argument(help: "Compare this run record, or folder of run records.")
  var candidate: String

  @OptionGroup var policy: PolicyArguments

  @Option(
    help: """
      Print in this form: table, json, markdown (for a comment on a pull request), junit, sarif, openmetrics.
      """)
  var format: FindingsFormat = .table

  func run() throws {
    try reportingFailure {
      let comparison = try Comparison(
        baseline: records(baseline), candidate: records(candidate), policy: policy.policy)
      try format.print(
        comparison, Findings(comparison, baseline: baseline, candidate: candidate)
      ) { ComparisonReport(comparison).text() }
      if !comparison.facts.obstacles.isEmpty {
        throw ExitCode(ExitStatus.couldNotMeasure.rawValue)
      }
    }
  }

  private func records(_ path: String) throws -> [RunRecord] {
    guard let records = try RecordFiles.read(path) else {
      throw Failure(
        "\(path): no run record there; 'doorbell replay --output FILE' writes one per launch")
    }
    return records
  }
}
