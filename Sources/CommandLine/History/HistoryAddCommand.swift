import ArgumentParser
import Foundation
import History
import HistoryStore

struct HistoryAddCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "add",
    abstract: "Add run records to a history; it begins with the first.",
    usage: "doorbell history add <history> <records> ... [<options>]",
    discussion: """
      Each record is one transaction: it is there whole or not at all. The same record is added once.

      Try:
        doorbell replay -o run.json && doorbell history add nights.sqlite run.json
        doorbell history add nights.sqlite run.json --commit 8a2f0c1
      """)

  @Argument(help: "Add to this history.")
  var history: String

  @Argument(help: "Add these run records, or folders of them.")
  var records: [String]

  @Option(help: "Say that this revision was measured.")
  var commit: String?

  @OptionGroup var verbosity: Verbosity

  func run() throws {
    try reportingFailure(verbosity) {
      let read = try records.map { path in
        guard let found = try RecordFiles.read(path) else {
          throw Failure("\(path): no run record there; 'doorbell replay --output FILE' writes one")
        }
        return (path, found)
      }
      let store = try HistoryStore(path: history, creates: true)
      for (path, records) in read {
        for record in records {
          let outcome = try Interruption.deferred { try store.add(record, commit: commit) }
          switch outcome {
          case .added(let id):
            try Console.print("run \(id): \(record.trace.name), \(record.started)")
          case .duplicate(let id): Console.note("\(path): run \(id) is this very record; not added")
          }
        }
      }
    }
  }
}
