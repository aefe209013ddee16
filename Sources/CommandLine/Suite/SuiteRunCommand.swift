import ArgumentParser
import Foundation
import History

struct SuiteRunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Run a suite into a folder, and go on where it was stopped.",
    discussion: """
      Each cell and launch is a fresh process and one run record in 'results', whole or not there; 'merged' \
      holds all launches of a trace together, for 'report', 'compare' and 'history add'. Run again, it \
      measures only what is missing. Results of another suite, trace, executable or host are never mixed: \
      they end the command with 3. A cell that fails does not stop the others; it is named at the end: 1 if \
      a design does not conform, 3 if something could not be measured.

      Try:
        doorbell suite run Benchmarks/Nightly/shared.toml --output night
        doorbell suite run Benchmarks/Nightly/shared.toml --output night --verbose
      """)

  @Argument(help: "Run this suite.")
  var suite: String

  @Option(
    name: .shortAndLong, help: "Keep the results in this folder; it is made if there is none.")
  var output: String

  @OptionGroup var verbosity: Verbosity

  func run() throws {
    try reportingFailure(verbosity) {
      let plan = try SuitePlan(suite).plan()
      var session = SuiteSession(try SuiteFolder(output, for: plan), verbosity)
      Interruption.requestsStop()
      try session.run()
      for (path, record) in try session.folder.merge() {
        try Console.print("\(path): \(record.cells.count) cells, \(record.launches) launches")
      }
      try Console.print(session.summary)
      for failure in session.failures { Console.error(failure.text) }
      guard !session.isStopped else {
        throw Interruption.Stopped(consequence: "the same command goes on where this one stopped")
      }
      if let status = session.status { throw ExitCode(status.rawValue) }
    }
  }
}
