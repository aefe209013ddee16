import ArgumentParser
import EventModel
import Foundation
import History
import TraceFormat
import TraceImport

struct ImportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Turn a capture into a trace file.",
    discussion: """
      Reads a QEMU log ('-msg timestamp=on -d trace:… -D LOG') or simpletrace, a trace.dat of \
      trace-cmd, the text of tracefs, a perf.data of tracepoints or the text of 'perf script', or CSV \
      and JSON lines as 'doorbell cat' writes them (time in ns and kind must be there, all else may be \
      left out). Text may be zstd and may come from standard input as '-', and so may a simpletrace and \
      what 'perf record -o -' writes. The content tells the format. Writes a .dbtrace with the events, their recorded outcomes and the mappings that \
      the capture reveals. Use it when you have a capture of your own guest. What was used, ignored \
      and not understood is reported by event; nothing is dropped silently.

      Try:
        doorbell import Tests/TraceImportTests/Golden/commands.log -o small.dbtrace
        doorbell cat Traces/boot.dbtrace --format csv | doorbell import - -o b.dbtrace
      """)

  enum Recorder: String, ExpressibleByArgument, CaseIterable {
    case guest, host

    var origin: EventOrigin { self == .guest ? .guest : .host }
  }

  @Argument(help: "Read this capture: a path, or '-' for standard input.")
  var capture: String

  @Option(
    help: ArgumentHelp(
      "Take the capture for this format, whatever its content looks like.", valueName: "format"))
  var from: CaptureFormat?

  @Option(help: "Say whose tracefs it was; a trace.dat, a perf.data or their text do not (guest).")
  var origin: Recorder = .guest

  @Option(
    help: ArgumentHelp(
      "Read the arguments of a simpletrace as this 'trace-events-all' of QEMU declares them (the one "
        + "beside the capture, or of an installed QEMU).", valueName: "path"))
  var traceEvents: String?

  @Option(
    help: ArgumentHelp(
      "Import this recording of the guest from the same time as well, onto the time line of the "
        + "capture, which is then the host's or the emulator's. The interrupts that both show tell how "
        + "the clocks stand; the residual is printed.", valueName: "path"))
  var guest: String?

  @Option(
    help: ArgumentHelp(
      "Add this to the guest's times instead of matching interrupts: when you know it, or when they "
        + "are too regular to tell.", valueName: "nanoseconds"))
  var guestOffset: Int64?

  @Flag(
    help:
      "Take the guest's times on the host's clock as 'trace-cmd record -A' measured it in its file."
  )
  var guestOnHostClock = false

  @Option(
    name: .shortAndLong, help: "Write the trace here; an older file is replaced when all is done.")
  var output: String

  @Option(help: "Compress with this codec: zstd is smaller, lz4 decodes faster.")
  var codec: CodecName = .zstd

  @Option(help: "Compress at this level: zstd 1…22, lz4 1…12.")
  var level: Int?

  @OptionGroup var keyFrames: KeyFrameInterval

  @Option(help: "Print the report in this form.")
  var format: OutputFormat = .table

  @OptionGroup var verbosity: Verbosity

  func validate() throws {
    if guest == nil, guestOffset != nil || guestOnHostClock {
      throw ValidationError(
        "'--guest-offset' and '--guest-on-host-clock' say how the times of '--guest' are read; name it."
      )
    }
    if guestOffset != nil, guestOnHostClock {
      throw ValidationError("'--guest-offset' and '--guest-on-host-clock' exclude each other.")
    }
  }

  func run() throws {
    try reportingFailure(verbosity) {
      // What the header says of the machine is known when the capture has been read to its end, so
      // the events wait beside the output.
      Interruption.removes([output + ".partial"])
      let spool = try TraceSpool(beside: output)
      let report = try read(into: spool)
      let summary: TraceSummary
      do {
        summary = try copy(spool, report)
      } catch {
        try? FileManager.default.removeItem(atPath: output + ".partial")
        throw error
      }
      let text = ImportText(report: report, summary: summary, output: output)
      try format == .json ? Console.print(text.json()) : Console.show(text.table())
    }
  }

  private func read(into spool: borrowing TraceSpool) throws -> ImportReport {
    var writer = try spool.writer()
    var progress = Progress("import", unit: .bytes)
    let report = try importCapture(
      sink: { events in
        for index in events.indices { try writer.append(events[index]) }
      },
      progress: { progress.update($0, of: $1) })
    progress.finish()
    _ = try writer.finish()
    return report
  }

  private func importCapture(
    sink: (Span<TraceEvent>) throws -> Void, progress: (UInt64, UInt64?) -> Void
  ) throws -> ImportReport {
    guard let guest else {
      return try CaptureImporter(format: from, origin: origin.origin, declarations: traceEvents)
        .run(path: capture, sink: sink, progress: progress)
    }
    return try TwoViewImporter(
      fixed: .init(
        path: capture,
        importer: CaptureImporter(format: from, origin: .host, declarations: traceEvents)),
      moved: .init(
        path: guest,
        importer: CaptureImporter(
          origin: .guest, declarations: traceEvents, usesHostClock: guestOnHostClock)),
      clocks: guestOffset.map { .declared($0) } ?? (guestOnHostClock ? .declared(0) : .matched),
      beside: output
    ).run(sink: sink, progress: progress)
  }

  private func copy(
    _ spool: borrowing TraceSpool, _ report: ImportReport
  ) throws -> TraceSummary {
    var description = TraceDescription()
    description.clockDomain = report.clockDomain
    description.clockResolutionNanoseconds = report.clockResolutionNanoseconds
    description.epochNanoseconds = report.startMicroseconds * 1_000
    description.origins = report.origins
    description.geometry = report.geometry
    description.provenance = [
      .init("tool", "doorbell \(ToolVersion.text)"),
      .init("command", "doorbell import"),
      .init("source", capture == "-" ? "standard input" : (capture as NSString).lastPathComponent),
    ]
    description.provenance += report.notes.map { .init("note", $0) }
    var options = TraceWriter.Options()
    options.codec = codec.traceCodec
    options.level = level ?? (codec == .zstd ? 19 : 9)
    options.measuresColumns = true
    keyFrames.apply(to: &options)
    var writer = try TraceWriter(path: output, description: description, options: options)
    var events = TraceFileSource(try spool.reader())
    var progress = Progress("compress")
    var batch = [TraceEvent](repeating: TraceEvent(time: 0, kind: .mark), count: 8_192)
    while true {
      // Safety: the pointer is used during the call only.
      let count = unsafe try batch.withUnsafeMutableBufferPointer { unsafe try events.fill($0) }
      if count == 0 { break }
      for event in batch[0..<count] { try writer.append(event) }
      progress.update(writer.eventCount, of: report.eventCount)
    }
    progress.finish()
    return try writer.finish()
  }
}

extension CaptureFormat: ExpressibleByArgument {}

extension CodecName {
  var traceCodec: TraceCodec {
    switch self {
    case .zstd: .zstd
    case .lz4: .lz4
    case .none: .none
    }
  }
}
