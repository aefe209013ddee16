import ArgumentParser
import EventModel
import Foundation
import History
import Reports
import TraceFormat
import TraceImport

struct AnonymizeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "anonymize",
    abstract: "Write a trace that replays the same and does not tell whose it was.",
    usage: "doorbell anonymize <trace> --output <output> [<options>]",
    discussion: """
      Permutes addresses (page by page; offsets, blocks and tables stay whole), StreamIDs and DeviceIDs, \
      also inside commands and MSI-X entries; drops provenance, wall-clock time and notes, and starts the \
      times at 0. What stays: kinds, order, gaps, EventIDs, INTIDs, targets, and the doorbell and MSI \
      windows. Every design gives the same outcomes as before. Use it before you give a trace away; a \
      key makes two traces of one machine fit together, and none makes sure that nobody can undo it.

      Try:
        doorbell anonymize Traces/boot.dbtrace -o given.dbtrace
        doorbell anonymize Traces/nvme.dbtrace --key "our secret" -o given.dbtrace
      """)

  @Argument(help: "Read this trace. It is read twice, so it must be a file.")
  var trace: String

  @Option(
    name: [.long, .customLong("seed")],
    help: ArgumentHelp(
      "Permute by this key: any text; the same text gives the same permutation (by chance).",
      valueName: "text"))
  var key: String?

  @Flag(help: "Keep the times of events as they are, not from 0 on.")
  var keepTimes = false

  @OptionGroup var output: TraceOutput

  @Option(help: "Print the result in this form.")
  var format: OutputFormat = .table

  @OptionGroup var verbosity: Verbosity

  private struct Document: Encodable {
    var written: WrittenTrace
    var largestBlockBytes: UInt64
  }

  func run() throws {
    try reportingFailure(verbosity) {
      guard trace != "-" else {
        throw Failure("standard input: anonymize reads a trace twice; save it to a file first")
      }
      try output.refuse(inputs: [trace])
      let (blocks, startTime) = try survey()
      let summary = try output.removingPartial { try write(blocks, from: startTime) }
      let document = Document(
        written: WrittenTrace(output, summary), largestBlockBytes: 1 << UInt64(blocks.log2Largest))
      try format.print(document) {
        output.line(summary)
          + "kept   inside of blocks up to \(Format.count(document.largestBlockBytes)) bytes, "
          + "EventIDs, INTIDs, targets, kinds, order and gaps\n"
      }
    }
  }

  /// The first reading: what must stay whole. It also checks the trace, which the second scans.
  private func survey() throws -> (ContiguousBlocks, startTime: UInt64) {
    var blocks = ContiguousBlocks()
    var startTime = UInt64.max
    var source = try TraceFileSource(path: trace, forReplay: true)
    let total = source.totals?.events
    var progress = Progress("survey")
    var done: UInt64 = 0
    try source.forEachBatch { batch in
      for event in batch {
        blocks.survey(event)
        startTime = min(startTime, event.time)
      }
      done += UInt64(batch.count)
      progress.update(done, of: total)
      return true
    }
    progress.finish()
    return (blocks, keepTimes ? 0 : startTime)
  }

  private func write(_ blocks: ContiguousBlocks, from startTime: UInt64) throws -> TraceSummary {
    var scanner = try TraceScanner(path: trace)
    guard let header = scanner.header else { throw Failure("\(trace): no header") }
    var anonymizer = Anonymizer(
      key: keyWords(), geometry: header.description.geometry, blocks: blocks)
    anonymizer.startTime = startTime
    var writer = try TraceWriter(
      path: output.output, description: description(header.description),
      options: output.options(inputCodec: header.codec))
    var copier = FrameCopier()
    var progress = Progress("anonymize")
    while let finding = try scanner.next() {
      switch finding {
      case .damage(let damage): throw damage.cause
      case .frame(let frame, _):
        try copier.copy(frame, of: &scanner, to: &writer) { events in
          var images: [TraceEvent] = []
          images.reserveCapacity(events.count)
          for event in events { try anonymizer.rewrite(event) { images.append($0) } }
          return images
        }
      }
      progress.update(writer.eventCount, of: header.totals?.events)
    }
    progress.finish()
    return try writer.finish()
  }

  /// 128 bits of the key's hash, or of chance.
  private func keyWords() -> (UInt64, UInt64) {
    guard let key else {
      var random = SystemRandomNumberGenerator()
      return (random.next(), random.next())
    }
    let digits = SHA256.hex(Data(key.utf8))
    func word(_ part: Substring) -> UInt64 { UInt64(part, radix: 16) ?? 0 }
    return (word(digits.prefix(16)), word(digits.dropFirst(16).prefix(16)))
  }

  /// What a replay needs, and nothing that names a person, a file or a day.
  private func description(_ input: TraceDescription) -> TraceDescription {
    var description = TraceDescription()
    description.clockDomain = input.clockDomain
    description.clockResolutionNanoseconds = input.clockResolutionNanoseconds
    description.origins = input.origins
    description.geometry = input.geometry
    description.addProvenance(
      "anonymize", note: "addresses, StreamIDs and DeviceIDs are permuted")
    return description
  }
}
