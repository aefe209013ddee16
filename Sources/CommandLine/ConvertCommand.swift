import ArgumentParser
import TraceFormat

struct ConvertCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert",
    abstract: "Write a trace again with another codec, level or key frames.",
    usage: "doorbell convert <trace> --output <output> [<options>]",
    discussion: """
      Writes the same events in the newest format version. Use it to make a trace smaller for keeping \
      (zstd 19) or faster for replaying over and over (lz4), or to give it key frames, in place of those \
      that it has. A damaged trace is refused; 'doorbell recover' saves what is left of it.

      Try:
        doorbell convert Traces/nvme.dbtrace --codec lz4 --output nvme.lz4.dbtrace
        doorbell convert Traces/nvme.dbtrace --key-frames 20k -o keyed.dbtrace
      """)

  @Argument(help: "Read this trace.")
  var trace: String

  @OptionGroup var keyFrames: KeyFrameInterval

  @OptionGroup var output: TraceOutput

  @Option(help: "Print the result in this form.")
  var format: OutputFormat = .table

  @OptionGroup var verbosity: Verbosity

  func run() throws {
    try reportingFailure(verbosity) {
      try output.refuse(inputs: [trace])
      // The reader checks what the scanner forgives: index, trailer and totals.
      var check = try TraceFileSource(path: trace)
      try check.readToEnd(saying: "check")
      let summary = try output.removingPartial(write)
      try format.print(WrittenTrace(output, summary)) { output.line(summary) }
    }
  }

  private func write() throws -> TraceSummary {
    var scanner = try TraceScanner(path: trace)
    guard let header = scanner.header else { throw Failure("\(trace): no header") }
    var description = header.description
    description.addProvenance((["convert"] + keyFrames.words).joined(separator: " "))
    var options = output.options(inputCodec: header.codec)
    keyFrames.apply(to: &options)
    var writer = try TraceWriter(path: output.output, description: description, options: options)
    var copier = FrameCopier(replacesKeyFrames: keyFrames.interval != nil)
    var progress = Progress("convert")
    while let finding = try scanner.next() {
      switch finding {
      case .damage(let damage): throw damage.cause
      case .frame(let frame, _): try copier.copy(frame, of: &scanner, to: &writer)
      }
      progress.update(writer.eventCount, of: header.totals?.events)
    }
    progress.finish()
    return try writer.finish()
  }
}
