import ArgumentParser
import EventModel
import Foundation
import TraceFormat

struct SliceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "slice",
    abstract: "Cut a part out of a trace so that it still replays.",
    discussion: """
      Takes the traffic (accesses, interrupts, acknowledges) of a range of time or ordinals, of some \
      devices or kinds. All configuration up to the end of the range is kept, also what happened \
      before it, so that each access finds the tables and mappings that it found in the recording; \
      interrupts that were pending at the start are not. Use it to look at one phase, or to make a \
      long trace short enough for a gate.

      Try:
        doorbell slice Traces/nvme.dbtrace --from 2s --to 3s --output second.dbtrace
        doorbell slice Traces/nvme.dbtrace --device 0x8 --count 50000 --output nvme-only.dbtrace
      """)

  @Argument(help: "Read this trace: a path, or '-' for standard input.")
  var trace: String

  @OptionGroup var selection: EventSelection

  @Flag(
    help: """
      Select configuration like traffic, and keep none from before the range. The slice is smaller, \
      and replays only if its range holds all that it needs.
      """)
  var bare = false

  @OptionGroup var output: TraceOutput

  @Option(help: "Print the result in this form.")
  var format: OutputFormat = .table

  private struct Tally {
    var selected: UInt64 = 0
    var configurationBefore: UInt64 = 0
  }

  func run() throws {
    try reportingFailure {
      try output.refuse(inputs: [trace])
      var tally = Tally()
      let summary = try output.removingPartial { try write(&tally) }
      struct Document: Encodable {
        var written: WrittenTrace
        var selectedEvents: UInt64
        var configurationEventsBefore: UInt64
      }
      let document = Document(
        written: WrittenTrace(output, summary), selectedEvents: tally.selected,
        configurationEventsBefore: tally.configurationBefore)
      try format.print(document) {
        output.line(summary)
          + "range  \(tally.selected) events, after \(tally.configurationBefore) configuration events "
          + "from before it\n"
      }
    }
  }

  private func write(_ tally: inout Tally) throws -> TraceSummary {
    var source = try TraceFileSource(path: trace)
    var description = source.header.description
    description.addProvenance(
      "slice " + arguments, note: bare ? "configuration before the range is left out" : nil)
    var writer = try TraceWriter(
      path: output.output, description: description,
      options: output.options(inputCodec: source.header.codec))
    let total = source.totals?.events
    var ordinal = bare ? try source.start(at: selection) : 0
    var progress = Progress("slice")
    try source.forEachBatch { batch in
      for event in batch {
        if ordinal >= selection.endOrdinal { return false }
        let isCovered = selection.covers(event, ordinal: ordinal)
        ordinal += 1
        if isCovered, selection.wants(event) || isKept(event) {
          tally.selected += 1
        } else if !isCovered, isKept(event), isBeforeRange(event, ordinal: ordinal - 1) {
          tally.configurationBefore += 1
        } else {
          continue
        }
        try writer.append(event)
      }
      progress.update(done: ordinal, of: total, unit: " events")
      return true
    }
    progress.finish()
    guard tally.selected > 0 else {
      throw Failure("\(trace): no event is in this range; see 'doorbell info \(trace)'")
    }
    return try writer.finish()
  }

  /// Configuration of any kind and device: tables are shared, so a slice of one device needs all.
  private func isKept(_ event: TraceEvent) -> Bool {
    !bare && (event.kind.isMaintenance || event.kind.isSetUp || event.kind.isVCPU)
  }

  private func isBeforeRange(_ event: TraceEvent, ordinal: UInt64) -> Bool {
    if ordinal < selection.first { return true }
    if let from = selection.from, event.time < UInt64(from.nanoseconds) { return true }
    return false
  }

  /// The selection as it was given, for the provenance.
  private var arguments: String {
    var words: [String] = []
    if let from = selection.from { words += ["--from", "\(from.nanoseconds)ns"] }
    if let to = selection.to { words += ["--to", "\(to.nanoseconds)ns"] }
    if selection.first > 0 { words += ["--first", "\(selection.first)"] }
    if let count = selection.count { words += ["--count", "\(count)"] }
    if !selection.kinds.isEmpty { words += ["--kind"] + selection.kinds.map { "\($0)" } }
    if !selection.devices.isEmpty {
      words += ["--device"] + selection.devices.map { "0x" + String($0.value, radix: 16) }
    }
    return words.joined(separator: " ")
  }
}
