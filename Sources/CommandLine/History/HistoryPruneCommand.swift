import ArgumentParser
import Foundation
import HistoryStore

struct HistoryPruneCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "prune",
    abstract: "Remove old runs from a history.",
    usage: "doorbell history prune <history> --before <before> [<options>]",
    discussion: """
      Removes runs that started before a day, but never the newest ones of a trace on a host. What was \
      removed is printed; 'doorbell history export' first keeps it elsewhere.

      Try:
        doorbell replay -o run.json && doorbell history add nights.sqlite run.json
        doorbell history prune nights.sqlite --before 2026-01-01 --keep 100
      """)

  @Argument(help: "Remove runs from this history.")
  var history: String

  @Option(help: "Remove runs that started before this day, such as 2026-01-01.")
  var before: String

  @Option(help: "Keep at least this many of the newest runs of each trace on each host.")
  var keep = 30

  @OptionGroup var verbosity: Verbosity

  func validate() throws {
    let day = before.split(separator: "-", omittingEmptySubsequences: false)
    guard day.map(\.count) == [4, 2, 2], day.allSatisfy({ $0.allSatisfy(\.isNumber) }) else {
      throw ValidationError("--before takes a day, such as 2026-01-01")
    }
    guard keep >= 0 else { throw ValidationError("--keep takes 0 or more") }
  }

  func run() throws {
    try reportingFailure(verbosity) {
      let pruned = try Interruption.deferred {
        try HistoryStore(path: history).prune(before: before, keeping: keep)
      }
      try Console.print(
        pruned.isEmpty
          ? "nothing to remove"
          : "removed \(pruned.count) runs: \(pruned.map(String.init).joined(separator: " "))")
    }
  }
}
