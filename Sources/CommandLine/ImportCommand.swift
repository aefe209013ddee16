import ArgumentParser
import EventModel
import Foundation
import History
import TraceFormat
import TraceImport

struct ImportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Turn a QEMU log of trace events into a trace file.",
    discussion: """
      Reads the log of a QEMU run with '-msg timestamp=on -d trace:… -D LOG' (plain or zstd, or \
      standard input as '-') and writes a .dbtrace with the events, their recorded outcomes and the \
      mappings that the walks reveal. Use it when you have a capture of your own guest. What was \
      used, ignored and not understood is reported line by line; nothing is dropped silently.

      Try:
        doorbell import ../shared/captures/boot.qemu.log.zst --output boot.dbtrace
        zstdcat ../shared/captures/boot.qemu.log.zst | doorbell import - --output boot.dbtrace
      """)

  @Argument(help: "Read this log: a path, or '-' for standard input.")
  var log: String

  @Option(
    name: .shortAndLong, help: "Write the trace here; an older file is replaced when all is done.")
  var output: String

  @Option(help: "Compress with this codec: zstd is smaller, lz4 decodes faster.")
  var codec: CodecName = .zstd

  @Option(help: "Compress at this level: zstd 1…22, lz4 1…12.")
  var level: Int?

  @Option(help: "Print the report in this form.")
  var format: OutputFormat = .table

  func run() throws {
    try reportingFailure {
      var input = log == "-" ? try CaptureInput(descriptor: 0) : try CaptureInput(path: log)
      // What the header says of the machine is known when the log has been read to its end, so the
      // events wait in a trace beside the output.
      let spool = output + ".spool-\(getpid())"
      defer {
        for path in [spool, spool + ".partial"] {
          try? FileManager.default.removeItem(atPath: path)
        }
      }
      let report = try read(&input, into: spool)
      let summary = try copy(spool, report, source: input.name)
      let text = ImportText(report: report, summary: summary, output: output)
      Console.print(format == .json ? try text.json() : text.table())
    }
  }

  private func read(_ input: inout CaptureInput, into spool: String) throws -> ImportReport {
    var options = TraceWriter.Options()
    options.codec = .lz4
    options.level = 1
    var writer = try TraceWriter(path: spool, description: TraceDescription(), options: options)
    var progress = Progress("import")
    let report = try QEMULogImporter().run(
      source: &input,
      sink: { (events: Span<TraceEvent>) in
        for index in events.indices { try writer.append(events[index]) }
      },
      progress: { progress.update(done: $0, of: $1, unit: "B") })
    progress.finish()
    _ = try writer.finish()
    return report
  }

  private func copy(
    _ spool: String, _ report: ImportReport, source: String
  ) throws -> TraceSummary {
    var description = TraceDescription()
    description.clockDomain = .emulator
    description.clockResolutionNanoseconds = 1_000
    description.epochNanoseconds = report.startMicroseconds * 1_000
    description.origins = 1 << EventOrigin.emulator.rawValue
    description.geometry = report.geometry
    description.provenance = [
      .init("tool", "doorbell \(ToolVersion.text)"),
      .init("command", "doorbell import"),
      .init("source", source == "standard input" ? source : (source as NSString).lastPathComponent),
      .init("note", "times are the emulator's: good for order, never as hardware latency"),
    ]
    var options = TraceWriter.Options()
    options.codec = codec.traceCodec
    options.level = level ?? (codec == .zstd ? 19 : 9)
    options.measuresColumns = true
    var writer = try TraceWriter(path: output, description: description, options: options)
    var events = try TraceFileSource(path: spool)
    var progress = Progress("compress")
    var batch = [TraceEvent](repeating: TraceEvent(time: 0, kind: .mark), count: 8_192)
    while true {
      // Safety: the pointer is used during the call only.
      let count = unsafe try batch.withUnsafeMutableBufferPointer { unsafe try events.fill($0) }
      if count == 0 { break }
      for event in batch[0..<count] { try writer.append(event) }
      progress.update(done: writer.eventCount, of: report.eventCount, unit: " events")
    }
    progress.finish()
    return try writer.finish()
  }
}

extension CodecName {
  var traceCodec: TraceCodec {
    switch self {
    case .zstd: .zstd
    case .lz4: .lz4
    case .none: .none
    }
  }
}
