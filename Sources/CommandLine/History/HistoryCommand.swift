import ArgumentParser

/// `doorbell history`: many nights in one file.
struct HistoryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "history",
    abstract: "Keep run records of many nights, and say when a figure really changed.",
    discussion: """
      A history is one SQLite file that any number of jobs may add to at once. 'check' is the last line of \
      a nightly job: it compares exact counters with the run before, finds the steps in every figure's \
      series, and ends with 0, 1, 2 or 3 as every verdict does.

      Try:
        doorbell replay -o run.json && doorbell history add nights.sqlite run.json
        doorbell history check nights.sqlite
      """,
    subcommands: [
      HistoryAddCommand.self, HistoryListCommand.self, HistoryShowCommand.self,
      HistoryCheckCommand.self, HistoryPruneCommand.self, HistoryExportCommand.self,
      HistoryImportCommand.self,
    ])
}
