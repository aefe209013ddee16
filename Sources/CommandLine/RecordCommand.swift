import ArgumentParser
import EventModel
import Foundation
import Measurement
import TraceFormat
import TraceImport

struct RecordCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "record",
    abstract: "Record interrupts and DMA of this machine into a trace.",
    discussion: """
      Switches tracepoints of the running kernel on in a trace instance of its own, reads their rings \
      as they fill, and writes a .dbtrace straight: no capture in between. Ctrl-C or --duration ends \
      it; then everything is switched off and the trace is whole. Needs root and tracefs. Use it on a \
      host whose guests you want to replay, or inside of a guest. Lost events are counted, and each \
      gap is marked in the trace.

      Try:
        doorbell record --list
        sudo doorbell record --duration 10s --output host.dbtrace
      """)

  @Option(
    name: .shortAndLong, help: "Write the trace here; an older file is replaced when all is done.")
  var output: String?

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Record these events, each as system:name, in place of those that --list calls recorded.",
      valueName: "event"))
  var event: [TracepointName] = []

  @Flag(help: "Print the events that are known, and which of them this kernel has; record nothing.")
  var list = false

  @Option(help: "End after this time, such as 500ms or 1.5s (at Ctrl-C).")
  var duration: TraceTime?

  @Option(help: "Say whether this machine is the host or the guest of the recorded devices.")
  var origin: ImportCommand.Recorder = .host

  @Option(
    help: "Take times from this clock of the kernel; two recordings are aligned best by one clock.")
  var clock: TraceClock = .mono

  @Option(
    help: """
      Give the trace instance this name; it must not exist, and is removed in the end \
      (doorbell-PROCESS).
      """)
  var instance: String?

  @Option(
    help: """
      Give each CPU a ring of this size, such as 512KiB or 16MiB; larger where events are lost \
      (4MiB, less with over 64 CPUs).
      """)
  var bufferSize: BufferSize?

  @Option(help: "Compress with this codec: zstd is smaller, lz4 costs less while recording.")
  var codec: CodecName = .zstd

  @Option(
    help: "Compress at this level: zstd 1…22, lz4 1…12 (3 and 1: 'convert' makes it smaller).")
  var level: Int?

  @OptionGroup var keyFrames: KeyFrameInterval

  @Option(help: "Print the report in this form.")
  var format: OutputFormat = .table

  @OptionGroup var verbosity: Verbosity

  func validate() throws {
    if !list, output == nil { throw ValidationError("name the trace to write with --output") }
    if let duration, duration.nanoseconds <= 0 {
      throw ValidationError("--duration must be above 0")
    }
    if let level, !(1...(codec == .lz4 ? 12 : 22)).contains(level) {
      throw ValidationError("--level is 1…\(codec == .lz4 ? 12 : 22) for this codec")
    }
    if let instance, TracepointName("instance:\(instance)") == nil {
      throw ValidationError("--instance is letters, digits and underscores")
    }
  }

  func run() throws {
    try reportingFailure(verbosity) {
      if list {
        let tracefs = try TracefsFolder.mounted()
        return try RecordList(TracepointCatalogue(tracefs), tracefs).print(format)
      }
      let file = try RecordingFile(claiming: output ?? "")
      Interruption.requestsStop()
      var recorded: UInt64 = 0
      do {
        try record(into: file, &recorded)
      } catch {
        if recorded == 0 {
          file.release()
          throw error
        }
        throw Failure(
          "\(error)\nwhat was recorded before is in \(file.partial); save it with "
            + "'doorbell recover \(file.partial) --output …'")
      }
    }
  }

  private func record(into file: RecordingFile, _ recorded: inout UInt64) throws {
    let tracefs = try TracefsFolder.mounted()
    if event.isEmpty { noteMissing(TracepointCatalogue(tracefs)) }
    var options = LiveRecorder.Options(instance: instance ?? "doorbell-\(getpid())")
    options.events = event
    options.clock = clock
    options.origin = origin.origin
    options.bufferKiBPerCPU = bufferSize?.kibibytes
    let recorder = try LiveRecorder(options, tracefs: tracefs)
    var writer = try TraceWriter(
      path: file.path, description: description(recorder), options: writerOptions)
    let report = try run(recorder, &writer, &recorded)
    // The header was written first; what only the end knows goes into a note.
    let text = RecordText(report: report, output: file.path)
    try writer.appendNote(text.notes.map { .init("note", $0) })
    writer.unrecordedLostEvents = report.lostElsewhere
    let summary = try writer.finish()
    try format == .json
      ? Console.print(text.json(summary)) : Console.show(text.table(summary))
  }

  /// Records until the end; the trace instance is gone when this returns.
  private func run(
    _ recorder: consuming LiveRecorder, _ writer: inout TraceWriter, _ recorded: inout UInt64
  ) throws -> RecordReport {
    var recorder = recorder
    Console.note(
      "recording \(recorder.events.map(\.description).joined(separator: ", ")) on "
        + "\(recorder.cpuCount) CPUs; \(duration == nil ? "Ctrl-C ends it" : "Ctrl-C ends it early")"
    )
    var progress = Progress("record")
    let start = TraceClock.boot.nanoseconds
    var lastFlush = start
    let report = try recorder.run(
      until: {
        guard !Interruption.isStopRequested else { return true }
        guard let duration else { return false }
        return TraceClock.boot.nanoseconds - start >= UInt64(duration.nanoseconds)
      },
      sink: { events in
        for index in events.indices { try writer.append(events[index]) }
        recorded = writer.eventCount
      },
      pause: { _ in
        progress.update(writer.eventCount, within: duration.map { .nanoseconds($0.nanoseconds) })
        // A killed recorder loses a second at most.
        let now = TraceClock.boot.nanoseconds
        if now - lastFlush >= 1_000_000_000 {
          try writer.flush()
          lastFlush = now
        }
      })
    progress.finish()
    return report
  }

  private var writerOptions: TraceWriter.Options {
    var options = TraceWriter.Options()
    options.codec = codec.traceCodec
    options.level = level ?? (codec == .zstd ? 3 : 1)
    keyFrames.apply(to: &options)
    return options
  }

  private func description(_ recorder: borrowing LiveRecorder) -> TraceDescription {
    var description = TraceDescription()
    description.clockDomain = origin == .guest ? .guest : .host
    description.clockResolutionNanoseconds = 1
    description.epochNanoseconds = clock.epochNanoseconds
    description.origins = 1 << origin.origin.rawValue
    description.geometry.peCount = UInt16(clamping: recorder.cpuCount)
    description.addProvenance("record", note: "clock \(clock.rawValue)")
    description.provenance.append(
      .init(
        "source",
        "tracefs of Linux \(HostFacts.all().first { $0.name == "kernel" }?.value ?? "of unknown version")"
      ))
    for event in recorder.events {
      description.provenance.append(.init("note", "recorded event \(event)"))
    }
    return description
  }

  /// Says what a recording on this machine cannot hold.
  private func noteMissing(_ catalogue: TracepointCatalogue) {
    let missing = catalogue.entries.filter {
      $0.standing == .missing && TracepointCatalogue.wanted.contains($0.name)
    }
    guard !missing.isEmpty else { return }
    Console.note(
      "not in this kernel, and not recorded: \(missing.map(\.name.description).joined(separator: ", "))"
    )
  }
}

extension TracepointName: ExpressibleByArgument {
  package init?(argument: String) { self.init(argument) }
}

extension TraceClock: ExpressibleByArgument {}

/// A size on the command line: a whole number with KiB or MiB.
struct BufferSize: ExpressibleByArgument {
  var kibibytes: Int

  init?(argument: String) {
    let units = [("KiB", 1), ("MiB", 1_024)]
    guard let unit = units.first(where: { argument.hasSuffix($0.0) }),
      let number = Int(argument.dropLast(3)), (4...1 << 21).contains(number * unit.1)
    else { return nil }
    kibibytes = number * unit.1
  }
}
