import ArgumentParser
import EventModel
import Foundation
import Reports
import TraceFormat

struct RecoverCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "recover",
    abstract: "Save the intact frames of a damaged trace.",
    usage: "doorbell recover <trace> --output <output> [<options>]",
    discussion: """
      Scans the file from the front, without its index, writes every intact frame to a new trace, \
      and says which events are lost. Each gap becomes a loss event with the number of events, so \
      that no later tool takes the trace for complete. Use it when 'doorbell verify' finds damage, \
      or on the .partial file that a killed writer left. Exits 0 if anything was saved, 3 if nothing.

      Try:
        head -c 150000 Traces/nvme.dbtrace > cut; doorbell recover cut -o saved
        doorbell recover Traces/boot.dbtrace --output copy.dbtrace --format json
      """)

  @Argument(help: "Read this damaged trace.")
  var trace: String

  @OptionGroup var output: TraceOutput

  @Option(help: "Print the result in this form.")
  var format: OutputFormat = .table

  @OptionGroup var verbosity: Verbosity

  struct Loss: Encodable {
    var firstByte: UInt64
    var endByte: UInt64
    var firstOrdinal: UInt64?
    /// nil: the file does not say how many there were.
    var events: UInt64?
    var cause: String
  }

  struct Document: Encodable {
    var version = 1
    var output: String
    var recoveredFrames: UInt64 = 0
    var recoveredEvents: UInt64 = 0
    /// Lost events of all gaps whose size is known.
    var lostEvents: UInt64 = 0
    var isLossComplete = true
    var bytes: UInt64 = 0
    var losses: [Loss] = []
    /// Gaps that are counted but not listed.
    var unlistedLosses: UInt64 = 0
  }

  /// Gaps that are listed one by one. A file made of nothing but damage has no more to say.
  private static let listedLosses = 1_000

  func run() throws {
    try reportingFailure(verbosity) {
      try output.refuse(inputs: [trace])
      var document = Document(output: output.output)
      let summary = try output.removingPartial { try recover(&document) }
      document.bytes = summary.sizeBytes
      try format.print(document) { text(document, summary) }
    }
  }

  private func recover(_ document: inout Document) throws -> TraceSummary {
    var scanner = try TraceScanner(path: trace)
    var description = scanner.header?.description ?? TraceDescription()
    description.addProvenance(
      "recover",
      note: "saved from \((trace as NSString).lastPathComponent)"
        + (scanner.header == nil ? ", whose header is lost: geometry and clock are defaults" : ""))
    var writer = try TraceWriter(
      path: output.output, description: description,
      options: output.options(inputCodec: scanner.header?.codec))
    var copier = FrameCopier()
    var lastTime: UInt64 = 0
    var progress = Progress("recover")
    while let finding = try scanner.next() {
      switch finding {
      case .frame(let frame, _):
        try copier.copy(frame, of: &scanner, to: &writer)
        document.recoveredFrames += 1
        guard frame.kind == .events else { continue }
        document.recoveredEvents += UInt64(frame.count)
        lastTime = frame.latestTime
      case .damage(let damage):
        copier.forgetParts()
        document.count(damage, listed: Self.listedLosses)
        // A gap of unknown size is a loss of 0: a mark that something is missing here.
        let lost = damage.lostOrdinals.map { $0.upperBound - $0.lowerBound }
        if lost != 0 {
          try writer.append(
            TraceEvent(time: lastTime, kind: .loss, word0: lost ?? 0, flags: .inferred))
        }
      }
      progress.update(writer.eventCount, of: scanner.header?.totals?.events)
    }
    progress.finish()
    guard document.recoveredEvents > 0 else {
      throw Failure(
        "\(trace): nothing to recover: "
          + (document.losses.first?.cause ?? "the trace holds no events"))
    }
    return try writer.finish()
  }

  private func text(_ document: Document, _ summary: TraceSummary) -> String {
    var text = output.line(summary)
    text += """
      saved  \(Format.count(document.recoveredEvents)) events in \
      \(Format.count(document.recoveredFrames)) intact frames
      lost   \(Format.count(document.lostEvents)) events\
      \(document.isLossComplete ? "" : ", and an unknown number at the end")

      """
    for loss in document.losses {
      let what: String
      switch (loss.firstOrdinal, loss.events) {
      case (let first?, let count?) where count > 0:
        what = "ordinals \(first)…\(first + count - 1), \(Format.count(count)) events"
      case (_?, _?): what = "no events"
      default: what = "an unknown number of events"
      }
      text += """
          bytes \(loss.firstByte)…\(loss.endByte): \(what) lost
            \(loss.cause)

        """
    }
    if document.unlistedLosses > 0 {
      text += "  and \(Format.count(document.unlistedLosses)) more gaps\n"
    }
    return text
  }
}

extension RecoverCommand.Document {
  fileprivate mutating func count(_ damage: TraceScanner.Damage, listed: Int) {
    let lost = damage.lostOrdinals.map { $0.upperBound - $0.lowerBound }
    lostEvents += lost ?? 0
    if lost == nil { isLossComplete = false }
    guard losses.count < listed else {
      unlistedLosses += 1
      return
    }
    losses.append(
      .init(
        firstByte: damage.bytes.lowerBound, endByte: damage.bytes.upperBound,
        firstOrdinal: damage.lostOrdinals?.lowerBound, events: lost, cause: "\(damage.cause)"))
  }
}
