import ArgumentParser
import TraceFormat

struct ConvertCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert",
    abstract: "Write a trace again with another codec or level.",
    discussion: """
      Writes the same events and snapshots in the newest format version. Use it to make a trace \
      smaller for keeping (zstd 19) or faster for replaying over and over (lz4). A damaged trace is \
      refused; 'doorbell recover' saves what is left of it.

      Try:
        doorbell convert Traces/nvme.dbtrace --codec lz4 --output nvme.lz4.dbtrace
        doorbell convert Traces/boot.dbtrace --level 3 --output boot.quick.dbtrace
      """)

  @Argument(help: "Read this trace.")
  var trace: String

  @OptionGroup var output: TraceOutput

  @Option(help: "Print the result in this form.")
  var format: OutputFormat = .table

  func run() throws {
    try reportingFailure {
      try output.refuse(inputs: [trace])
      // The reader checks what the scanner forgives: index, trailer and totals.
      var check = try TraceFileSource(path: trace)
      try check.readToEnd()
      let summary = try output.removingPartial(write)
      try format.print(WrittenTrace(output, summary)) { output.line(summary) }
    }
  }

  private func write() throws -> TraceSummary {
    var scanner = try TraceScanner(path: trace)
    guard let header = scanner.header else { throw Failure("\(trace): no header") }
    var description = header.description
    description.addProvenance("convert")
    var writer = try TraceWriter(
      path: output.output, description: description,
      options: output.options(inputCodec: header.codec))
    var copier = FrameCopier()
    var progress = Progress("convert")
    while let finding = try scanner.next() {
      switch finding {
      case .damage(let damage): throw damage.cause
      case .frame(let frame, _): try copier.copy(frame, of: &scanner, to: &writer)
      }
      progress.update(done: writer.eventCount, of: header.totals?.events, unit: " events")
    }
    progress.finish()
    return try writer.finish()
  }
}
