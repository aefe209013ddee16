import ArgumentParser
import Gates
import History
import HistoryStore
import Reports

struct HistoryCheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Say what changed lately, and end by the four codes: the last line of a nightly.",
    discussion: """
      First the newest run of each trace and host against the one before: equality, ledger and work \
      counters, exactly; if that one ran on another host, the answer is 3. Then the series of each figure: where its level changed (E-divisive with seeded \
      permutations), and whether that was within the newest runs. A lone last point is watched and does \
      not fail; a step of long ago does not fail again. 0 nothing got worse, 1 it did, 2 a step of the \
      threshold could hide in the scatter or there are too few runs, 3 nothing to judge.

      Try:
        doorbell replay -o run.json && doorbell history add nights.sqlite run.json
        doorbell history check nights.sqlite --threshold 5%
      """)

  @Argument(help: "Check this history.")
  var history: String

  @Option(help: "Check only this trace, by name.")
  var trace: String?

  @Option(help: "Count steps within this many of the newest runs as new.")
  var recent = 7

  @Option(help: "Judge series of at least this many runs.")
  var minimumRuns = 8

  @Option(help: "Look at the newest runs only, at most this many.")
  var window = 120

  @Option(help: "Permute by this seed.")
  var seed: UInt64 = 1

  @OptionGroup var policy: PolicyArguments

  @Option(help: "Print in this form.")
  var format: OutputFormat = .table

  @OptionGroup var verbosity: Verbosity

  func validate() throws {
    guard recent > 0, minimumRuns >= 4, window >= minimumRuns, window <= 2_000 else {
      throw ValidationError(
        "--recent takes a number above 0, --minimum-runs at least 4, --window from that to 2000")
    }
  }

  func run() throws {
    try reportingFailure(verbosity) {
      let store = try HistoryStore(path: history)
      var options = NightlyCheck.Options()
      options.recent = recent
      options.minimumRuns = minimumRuns
      options.window = window
      options.seed = seed
      let pairs = try Console.step("newest runs") { try NewestCells(store, trace: trace) }
      let series = try Console.step("series") { try store.series(trace: trace) }
      let check = Console.step("change points") {
        NightlyCheck(
          series: series, newest: pairs.newest, previous: pairs.previous,
          obstacles: pairs.obstacles, policy: policy.policy, options: options)
      }
      try format.print(check) { NightlyReport(check).text() }
      let status = ExitStatus(check.conclusion)
      if status != .pass { throw ExitCode(status.rawValue) }
    }
  }
}

extension ExitStatus {
  init(_ conclusion: Conclusion) {
    self =
      switch conclusion {
      case .pass: .pass
      case .regression: .regression
      case .inconclusive: .inconclusive
      case .couldNotMeasure: .couldNotMeasure
      }
  }
}
