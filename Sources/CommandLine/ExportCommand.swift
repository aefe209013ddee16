import ArgumentParser
import Backends
import EventModel
import Foundation
import History
import Reports
import TraceFormat

struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Turn run records or a trace into a form that other tools read.",
    usage: "doorbell export <inputs> ... --form <form> [<options>]",
    discussion: """
      Of run records: csv (every figure, one a line), openmetrics (for Prometheus), hgrm (a folder of \
      histograms for HdrHistogram's tools). Of a trace: perfetto (the interrupts on a time line for \
      ui.perfetto.dev or chrome://tracing: a track for each vector and each target, losses as instants). Use it \
      when the answer is to live in another tool; 'doorbell report' is for people.

      Try:
        doorbell replay -o run.json && doorbell export run.json --form csv
        doorbell export Traces/boot.dbtrace --form perfetto -o boot.json
      """)

  enum Form: String, ExpressibleByArgument, CaseIterable {
    case csv, openmetrics, hgrm, perfetto
  }

  @Argument(help: "Export these run records or folders of them, or one trace.")
  var inputs: [String]

  @Option(help: "Write in this form.")
  var form: Form

  @Option(
    name: .shortAndLong, help: "Write here: a file, for hgrm a folder (standard output).")
  var output: String?

  @OptionGroup(title: "Options of perfetto") var selection: EventSelection

  @OptionGroup var verbosity: Verbosity

  func validate() throws {
    guard !inputs.isEmpty else { throw ValidationError("name a run record or a trace") }
    guard form != .perfetto || inputs.count == 1 else {
      throw ValidationError("--form perfetto takes one trace")
    }
    guard form != .hgrm || output != nil else {
      throw ValidationError("--form hgrm writes a folder: name it with --output")
    }
  }

  func run() throws {
    try reportingFailure(verbosity) {
      switch form {
      case .csv: try write(RecordCSV(try records()).text())
      case .openmetrics: try write(try OpenMetrics(try records()).text())
      case .hgrm:
        let files = HistogramFiles(try RunRecord.merged(try records()))
        try Interruption.deferred { try files.write(to: output ?? ".") }
      case .perfetto: try write(try timeline(inputs[0]))
      }
    }
  }

  private func records() throws -> [RunRecord] {
    try inputs.flatMap { path in
      guard let found = try RecordFiles.read(path) else {
        throw Failure(
          "\(path): no run record there; --form \(form.rawValue) takes what 'doorbell replay --output FILE' "
            + "writes")
      }
      return found
    }
  }

  private func write(_ text: String) throws {
    guard let output else {
      do {
        var stream = ResultStream()
        stream.bytes = Array(text.utf8)
        try stream.flush()
      } catch is ResultStream.Closed {
        // Whoever reads has enough.
      }
      return
    }
    do {
      try Interruption.deferred {
        try Data(text.utf8).write(to: URL(fileURLWithPath: output), options: .atomic)
      }
    } catch let error as CocoaError {
      throw Failure("\(output): cannot be written: \(error.localizedDescription)")
    }
  }

  /// All events change what the model knows; those that are selected are shown.
  private func timeline(_ path: String) throws -> String {
    var source = try TraceFileSource(path: path, forReplay: true)
    let header = source.header.description
    var oracle = ReferenceOracle(geometry: header.geometry)
    var timeline = InterruptTimeline(
      trace: (path as NSString).lastPathComponent, clock: "\(header.clockDomain)",
      version: ToolVersion.text)
    var left = source.openingCount
    var ordinal: UInt64 = 0
    let total = source.totals?.events
    var progress = Progress("export")
    try source.forEachBatch { batch in
      for event in batch {
        let outcome = oracle.apply(event)
        if left > 0 {
          left -= 1
          continue
        }
        timeline.add(
          event, outcome,
          isShown: selection.covers(event, ordinal: ordinal) && selection.wants(event))
        ordinal += 1
      }
      progress.update(ordinal, of: total)
      return ordinal < selection.endOrdinal
    }
    progress.finish()
    timeline.finish()
    return timeline.text
  }
}
