import ArgumentParser
import Foundation
import Reports
import TraceFormat

struct VerifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Check every frame of a trace.",
    discussion: """
      Scans the file from the front, without its index, and says which frames are intact and exactly \
      what is missing. Use it before you trust a trace that was copied, cut or left by a crash. \
      Exits 0 if all is intact and 3 if anything is not.

      Try:
        doorbell verify Traces/nvme.dbtrace
        doorbell verify Traces/boot.dbtrace --format json
      """)

  @Argument(help: "Check this trace.")
  var trace: String

  @Option(help: "Print in this form.")
  var format: OutputFormat = .table

  @OptionGroup var verbosity: Verbosity

  private struct Document: Encodable {
    struct Damage: Encodable {
      var firstByte: UInt64
      var endByte: UInt64
      var firstLostOrdinal: UInt64?
      var lostEvents: UInt64?
      var cause: String
    }
    var version = 1
    var path: String
    var intactFrames: UInt64 = 0
    var intactEvents: UInt64 = 0
    /// Snapshots of which every part is intact.
    var intactKeyFrames: UInt64 = 0
    var damage: [Damage] = []
    var isIntact: Bool { damage.isEmpty }
  }

  func run() throws {
    try reportingFailure(verbosity) {
      var document = Document(path: trace)
      var scanner = try TraceScanner(path: trace)
      // Of the snapshot that is being passed, without a gap.
      var parts: UInt32 = 0
      var progress = Progress("verify")
      while let finding = try scanner.next() {
        switch finding {
        case .frame(let header, _):
          document.intactFrames += 1
          if header.kind == .events { document.intactEvents += UInt64(header.count) }
          if header.kind == .snapshot {
            parts = header.part == 0 ? 1 : header.part == parts ? parts + 1 : 0
            if header.isLastPart, parts > 0 { document.intactKeyFrames += 1 }
          }
        case .damage(let damage):
          parts = 0
          document.damage.append(
            .init(
              firstByte: damage.bytes.lowerBound, endByte: damage.bytes.upperBound,
              firstLostOrdinal: damage.lostOrdinals?.lowerBound,
              lostEvents: damage.lostOrdinals.map { $0.upperBound - $0.lowerBound },
              cause: "\(damage.cause)"))
        }
        progress.update(document.intactEvents, of: scanner.header?.totals?.events)
      }
      progress.finish()
      // What a scan forgives (an index or a trailer that does not fit), a reader does not.
      if document.isIntact { try readThrough() }
      switch format {
      case .table: try Console.show(text(document))
      case .json:
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try Console.print(String(decoding: try encoder.encode(document), as: UTF8.self))
      }
      if !document.isIntact { throw ExitCode(ExitStatus.couldNotMeasure.rawValue) }
    }
  }

  private func readThrough() throws {
    var source = try TraceFileSource(path: trace)
    try source.readToEnd(saying: "read")
  }

  private func text(_ document: Document) -> String {
    var text = """
      \(document.path): \(Format.count(document.intactEvents)) events in \
      \(Format.count(document.intactFrames)) intact frames, \
      \(Format.count(document.intactKeyFrames)) key frames\(document.isIntact ? ", nothing missing" : "")

      """
    for damage in document.damage {
      let lost =
        damage.lostEvents.map {
          "\(Format.count($0)) events from ordinal \(damage.firstLostOrdinal ?? 0)"
        }
        ?? "an unknown number of events"
      text += """
          bytes \(damage.firstByte)…\(damage.endByte): \(lost) lost
            \(damage.cause)

        """
    }
    return text
  }
}
