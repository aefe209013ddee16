import ArgumentParser
import Foundation
import History
import HistoryStore
import Reports

struct HistoryShowCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Show one run of a history, as 'replay' or 'live' printed it.",
    usage: "doorbell history show <history> <number> [<options>]",
    discussion: """
      Try:
        doorbell replay -o run.json && doorbell history add nights.sqlite run.json
        doorbell history show nights.sqlite 1 --format json
      """)

  @Argument(help: "Show a run of this history.")
  var history: String

  @Argument(help: "Show the run of this number (see 'doorbell history list').")
  var number: Int64

  @Option(help: "Print in this form; json is the run record.")
  var format: OutputFormat = .table

  @OptionGroup var verbosity: Verbosity

  func run() throws {
    try reportingFailure(verbosity) {
      let record = try HistoryStore(path: history).record(number)
      switch format {
      case .json: try Console.print(String(decoding: try record.json(), as: UTF8.self))
      case .table:
        let isLive = record.cells.contains { $0.mode == "live" }
        try Console.show(isLive ? LiveReport(record).text() : ReplayReport(record).text())
      }
    }
  }
}
