import ArgumentParser
import EventModel
import TraceFormat
import TraceImport

#if canImport(Glibc)
  import Glibc
#endif

struct CatCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cat",
    abstract: "Print the events of a trace as text, JSON lines or CSV.",
    usage: "doorbell cat <trace> [<options>]",
    discussion: """
      Prints one event per line with every field that is not 0; times are the trace's, in seconds \
      (text) or nanoseconds (jsonl, csv). Use it to look at what a design will see, or to hand \
      events to another tool; 'doorbell import' reads jsonl and csv back.

      Try:
        doorbell cat Traces/boot.dbtrace --kind msi --count 100
        doorbell cat Traces/nvme.dbtrace --from 12s --to 12.01s --format jsonl
      """)

  enum Form: String, ExpressibleByArgument, CaseIterable {
    case text, jsonl, csv

    var eventText: EventText.Form {
      switch self {
      case .text: .text
      case .jsonl: .jsonLines
      case .csv: .csv
      }
    }
  }

  @Argument(help: "Read this trace: a path, or '-' for standard input.")
  var trace: String

  @OptionGroup var selection: EventSelection

  @Option(help: "Print in this form.")
  var format: Form = .text

  @OptionGroup var verbosity: Verbosity

  func run() throws {
    try reportingFailure(verbosity) {
      do {
        try printEvents()
      } catch is ResultStream.Closed {
        // Whoever reads has enough.
      }
    }
  }

  private func printEvents() throws {
    var source = try TraceFileSource(path: trace)
    let start = try source.start(at: selection)
    let text = EventText(
      format.eventText, kinds: selection.kinds.isEmpty ? EventKind.all : selection.kinds)
    var output = ResultStream()
    let total = source.totals?.events
    // Where the text goes to the terminal, it is the progress.
    var progress = isatty(STDOUT_FILENO) == 1 ? nil : Progress("cat")
    text.appendHeading(to: &output.bytes)
    do {
      var ordinal = start
      try source.forEachBatch { batch in
        for event in batch {
          if ordinal >= selection.endOrdinal { return false }
          if selection.covers(event, ordinal: ordinal), selection.wants(event) {
            text.append(event, ordinal: ordinal, to: &output.bytes)
            try output.flushIfFull()
          }
          ordinal += 1
        }
        progress?.update(ordinal - start, of: total.map { $0 - start })
        return true
      }
    } catch let damage as TraceError {
      // What was read before the damage is good.
      progress?.finish()
      try output.flush()
      throw damage
    }
    progress?.finish()
    try output.flush()
  }
}
