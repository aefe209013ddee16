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
      devices or kinds, and all configuration of the range. The slice starts with a snapshot of the \
      tables, mappings and pending interrupts before it, so that each access finds what it found in the \
      recording; where an invalidation is due there, it starts some thousand events earlier, to have \
      caches warm. What came before is read from the last key frame on. Use it to look at one phase, or \
      to make a long trace short enough for a gate.

      Try:
        doorbell slice Traces/nvme.dbtrace --from 12s --to 13s -o second.dbtrace
        doorbell slice Traces/nvme.dbtrace --first 50000 -o half.dbtrace
      """)

  @Argument(help: "Read this trace: a path, or '-' for standard input.")
  var trace: String

  @OptionGroup var selection: EventSelection

  @Flag(
    help: """
      Select configuration like traffic, and write no snapshot of what came before. The slice replays \
      only if its range holds all that it needs.
      """)
  var bare = false

  @OptionGroup var keyFrames: KeyFrameInterval

  @OptionGroup var output: TraceOutput

  @Option(help: "Print the result in this form.")
  var format: OutputFormat = .table

  @OptionGroup var verbosity: Verbosity

  private struct Tally {
    var selected: UInt64 = 0
    var snapshotRecords = 0
    var leadIn: UInt64 = 0
  }

  func run() throws {
    try reportingFailure(verbosity) {
      try output.refuse(inputs: [trace])
      var tally = Tally()
      let summary = try output.removingPartial { try write(&tally) }
      struct Document: Encodable {
        var written: WrittenTrace
        var selectedEvents: UInt64
        /// Before them: what the trace starts with, and events to let caches hold what they held.
        var snapshotRecords: Int
        var leadInEvents: UInt64
      }
      let document = Document(
        written: WrittenTrace(output, summary), selectedEvents: tally.selected,
        snapshotRecords: tally.snapshotRecords, leadInEvents: tally.leadIn)
      try format.print(document) {
        output.line(summary)
          + "range  \(tally.selected) events, after a snapshot of \(tally.snapshotRecords) records "
          + "and \(tally.leadIn) events from before it\n"
      }
    }
  }

  private func write(_ tally: inout Tally) throws -> TraceSummary {
    var source = try TraceFileSource(path: trace)
    var description = source.header.description
    description.addProvenance(
      "slice " + arguments, note: bare ? "what was configured before the range is left out" : nil)
    var options = output.options(inputCodec: source.header.codec)
    keyFrames.apply(to: &options)
    var writer = try TraceWriter(path: output.output, description: description, options: options)
    let total = source.totals?.events
    var (start, ordinal) = try bare ? (nil, source.start(at: selection)) : place(in: &source)
    var progress = Progress("slice")
    try source.forEachBatch { batch in
      for event in batch {
        if ordinal >= selection.endOrdinal { return false }
        let isCovered = selection.covers(event, ordinal: ordinal)
        ordinal += 1
        if isCovered, let first = start {
          try begin(first, &writer, &tally)
          start = nil
        } else if start != nil {
          start?.follow(event)
        }
        guard start == nil else { continue }
        if isCovered ? selection.wants(event) || isKept(event) : isLate(event) {
          tally.selected += 1
          try writer.append(event)
        }
      }
      progress.update(ordinal, of: total)
      return true
    }
    progress.finish()
    guard tally.selected > 0 else {
      throw Failure("\(trace): no event is in this range; see 'doorbell info \(trace)'")
    }
    return try writer.finish()
  }

  private func place(
    in source: inout TraceFileSource
  ) throws -> (start: SliceStart?, ordinal: UInt64) {
    try source.start(withStateFor: selection)
  }

  /// Before the first event of the range.
  private func begin(
    _ start: SliceStart, _ writer: inout TraceWriter, _ tally: inout Tally
  ) throws {
    let (records, leadIn) = start.finish()
    try writer.appendSnapshot(records)
    tally.snapshotRecords = records.count
    for event in leadIn where selection.wants(event) || isKept(event) {
      try writer.append(event)
      tally.leadIn += 1
    }
  }

  /// What outcomes depend on, of any kind and device: tables are shared, so a slice of one device needs
  /// all of them, and an interrupt that nobody takes swallows the next one.
  private func isKept(_ event: TraceEvent) -> Bool {
    if bare { return false }
    if event.kind == .acknowledge {
      return selection.kinds.isEmpty || selection.kinds.contains(.msi)
    }
    return event.kind.isMaintenance || event.kind.isSetUp || event.kind.isVCPU
  }

  /// Times may step back: configuration of a time before the range that comes within it.
  private func isLate(_ event: TraceEvent) -> Bool {
    guard isKept(event), let from = selection.from else { return false }
    return event.time < UInt64(from.nanoseconds)
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
    return (words + keyFrames.words).joined(separator: " ")
  }
}
