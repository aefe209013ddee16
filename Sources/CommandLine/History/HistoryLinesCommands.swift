import ArgumentParser
import Foundation
import HistoryStore

struct HistoryExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Print a history as lines of JSON, one run each.",
    discussion: """
      Each line holds the commit and the whole run record; 'doorbell history import' reads them back.

      Try:
        doorbell replay -o run.json && doorbell history add nights.sqlite run.json
        doorbell history export nights.sqlite | gzip > nights.jsonl.gz
      """)

  @Argument(help: "Print this history.")
  var history: String

  @OptionGroup var verbosity: Verbosity

  func run() throws {
    try reportingFailure(verbosity) {
      var stream = ResultStream()
      do {
        try HistoryStore(path: history).export { line in
          stream.bytes += line
          stream.bytes.append(UInt8(ascii: "\n"))
          try stream.flushIfFull()
        }
        try stream.flush()
      } catch is ResultStream.Closed {
        // Whoever reads has enough.
      }
    }
  }
}

struct HistoryImportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Add runs from lines of JSON to a history.",
    discussion: """
      Adds every line or none: a line that is not a run ends the command with its number. Runs that are \
      there already are left as they are.

      Try:
        doorbell replay -o run.json && doorbell history add nights.sqlite run.json
        doorbell history export nights.sqlite | doorbell history import copy.sqlite -
      """)

  @Argument(help: "Add to this history; it is made if there is none.")
  var history: String

  @Argument(help: "Read these lines; - is standard input.")
  var lines: String

  @OptionGroup var verbosity: Verbosity

  func run() throws {
    try reportingFailure(verbosity) {
      let text: Data
      if lines == "-" {
        text = try FileHandle.standardInput.readToEnd() ?? Data()
      } else {
        guard let found = FileManager.default.contents(atPath: lines) else {
          throw Failure.ofSystem("reading", path: lines)
        }
        text = found
      }
      let count = try Interruption.deferred {
        try HistoryStore(path: history, creates: true).importLines(text, from: lines)
      }
      try Console.print("\(count.added) runs added, \(count.duplicates) were there")
    }
  }
}
