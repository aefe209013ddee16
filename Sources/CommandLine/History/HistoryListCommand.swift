import ArgumentParser
import HistoryStore
import Reports

struct HistoryListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List the runs of a history, oldest first.",
    usage: "doorbell history list <history> [<options>]",
    discussion: """
      Try:
        doorbell replay -o run.json && doorbell history add nights.sqlite run.json
        doorbell history list nights.sqlite --trace nvme.dbtrace
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
