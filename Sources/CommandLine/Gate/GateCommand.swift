import ArgumentParser
import Foundation
import Gates
import Reports

struct GateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gate",
    abstract: "Decide whether a change made anything worse.",
    discussion: """
      Holds a candidate against a baseline: two executables, two build folders, two plug-ins, or a \
      candidate against launches of the same host that were stored. Outcomes are compared first, then \
      the ledger, then exact work counters, and only then time: launches of both arms take turns by lot, \
      every one a fresh process with another memory layout; what looks slower is measured anew before it \
      may fail. Use it in front of a merge. Exit codes: 0 pass, 1 regression, 2 inconclusive (this host \
      is too noisy for the threshold and the budget), 3 could not measure.

      Try:
        doorbell gate .build/release/doorbell .build/release/doorbell
        doorbell gate .build .build --measure-identical --budget 30s --format json
      """)

  @Argument(help: "Hold against this executable, build folder, plug-in, or folder of run records.")
  var baseline: String

  @Argument(help: "Judge this executable, build folder or plug-in.")
  var candidate: String

  @OptionGroup var plan: GatePlan

  @OptionGroup var policy: PolicyArguments

  @Flag(help: "Measure arms that are the same bytes, too: it shows how often a gate is wrong.")
  var measureIdentical = false

  @Option(
    help: """
      Print in this form: table, json, markdown (for a comment on a pull request), junit, sarif, openmetrics.
      """)
  var format: FindingsFormat = .table

  @OptionGroup var verbosity: Verbosity

  func run() throws {
    try reportingFailure(verbosity) {
      var run = try GateRun(
        Arm(baseline), Arm(candidate), plan: plan, policy: policy.policy)
      let document = try run.judge(skippingIdentical: !measureIdentical)
      try format.print(document, Findings(document)) { GateReport(document).text() }
      let status = ExitStatus(document.conclusion)
      if status != .pass { throw ExitCode(status.rawValue) }
    }
  }
}
