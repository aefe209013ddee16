import ArgumentParser
import HistoryStore
import Reports

struct HistoryListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List the runs of a history, oldest first.",
    discussion: """
      Try:
        doorbell history list nights.sqlite
        doorbell history list nights.sqlite --trace nvme --format json
      """)

  @Argument(help: "List this history.")
  var history: String

  @Option(help: "List only runs of this trace, by name.")
  var trace: String?

  @Option(help: "Print in this form.")
  var format: OutputFormat = .table

  @OptionGroup var verbosity: Verbosity

  func run() throws {
    try reportingFailure(verbosity) {
      let runs = try HistoryStore(path: history).runs(trace: trace)
      try format.print(runs) { HistoryReport.list(runs) }
    }
  }
}
