import ArgumentParser
import Foundation
import Gates
import Reports

struct AACommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "aa",
    abstract: "Say how small a slowdown this host lets a gate see.",
    discussion: """
      Measures a build against itself, as 'gate' would: the difference that shows is the floor of this \
      host, and its scatter tells the smallest slowdown that a gate of the same budget catches in 95 of \
      100 tries, by cell. Use it before you trust a gate on a new host, and with --keep to store a \
      baseline. With --effect it ends with 2 where a slowdown of that size would be missed.

      Try:
        doorbell aa --budget 10s
        doorbell aa .build/release/doorbell --effect 3% --format json
      """)

  @Argument(help: "Measure this executable, build folder or plug-in (this tool itself).")
  var arm: String?

  @OptionGroup var plan: GatePlan

  @OptionGroup var policy: PolicyArguments

  @Option(help: "End with 2 unless a slowdown by this share would be caught in every cell.")
  var effect: Share?

  @OptionGroup var limit: BlockLimit

  @Option(help: "Print in this form.")
  var format: OutputFormat = .table

  @OptionGroup var verbosity: Verbosity

  func run() throws {
    try reportingFailure(verbosity) {
      let arm = try Arm(self.arm ?? Arm.thisTool())
      guard arm.stored == nil else {
        throw Failure("\(arm.name): stored launches cannot be measured; name a build or a plug-in")
      }
      var run = try GateRun(arm, arm, plan: plan, policy: policy.policy)
      let (evidence, seconds) = try run.blocks(
        seconds: plan.budgetSeconds, limit: limit.most)
      let document = SensitivityDocument(
        arm: arm.name, policy: policy.policy, seed: run.document.seed,
        budgetSeconds: plan.budgetSeconds, elapsedSeconds: run.elapsed,
        launches: run.launchCount, evidence: evidence, seconds: seconds,
        warnings: run.document.warnings)
      guard document.cells.count == evidence.count else {
        throw Failure(
          "\(document.blocks) blocks of launches in \(plan.budgetSeconds) s are too few for an "
            + "interval, which takes 6; raise --budget, or name fewer traces or designs")
      }
      try format.print(document) { SensitivityReport(document).text() }
      if let effect, !document.cells(blindTo: effect.value).isEmpty {
        throw ExitCode(ExitStatus.inconclusive.rawValue)
      }
    }
  }
}
