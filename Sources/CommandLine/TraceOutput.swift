import ArgumentParser
import EventModel
import Foundation
import History
import Reports
import TraceFormat

/// Where a verb writes a trace, and how it is compressed.
struct TraceOutput: ParsableArguments {
  @Option(
    name: .shortAndLong, help: "Write the trace here; an older file is replaced when all is done.")
  var output: String

  @Option(help: "Compress with this codec: zstd is smaller, lz4 decodes faster (the input's).")
  var codec: CodecName?

  @Option(help: "Compress at this level: zstd 1…22, lz4 1…12 (19 and 9).")
  var level: Int?

  func validate() throws {
    guard let level else { return }
    let most = codec == .lz4 ? 12 : 22
    guard (1...most).contains(level) else {
      throw ValidationError("--level is 1…\(most) for this codec")
    }
  }

  /// - Parameter inputCodec: that of the input, where there is one.
  func options(inputCodec: TraceCodec?) -> TraceWriter.Options {
    var options = TraceWriter.Options()
    options.codec = codec?.traceCodec ?? inputCodec ?? .zstd
    options.level = min(level ?? (options.codec == .lz4 ? 9 : 19), options.codec == .lz4 ? 12 : 22)
    return options
  }

  /// Refuses to write over a file that is being read: the output, or the partial file that becomes it.
  func refuse(inputs: [String]) throws {
    let target = URL(fileURLWithPath: output).resolvingSymlinksInPath()
    let partial = URL(fileURLWithPath: output + ".partial").resolvingSymlinksInPath()
    for input in inputs where input != "-" {
      let source = URL(fileURLWithPath: input).resolvingSymlinksInPath()
      if source == target {
        throw Failure("\(output): is read and written at once; choose another --output")
      }
      if source == partial {
        throw Failure(
          "\(input): is read, and \(output) is written through a file of that name; "
            + "choose another --output")
      }
    }
  }

  /// Runs `body`, and leaves no partial file if it throws or is interrupted.
  func removingPartial(_ body: () throws -> TraceSummary) throws -> TraceSummary {
    Interruption.removes([output + ".partial"])
    do {
      return try body()
    } catch {
      try? FileManager.default.removeItem(atPath: output + ".partial")
      throw error
    }
  }

  func line(_ summary: TraceSummary) -> String {
    let perEvent =
      summary.totals.events == 0
      ? 0 : Double(summary.sizeBytes) / Double(summary.totals.events)
    return "wrote  \(output): \(Format.count(summary.totals.events)) events, "
      + "\(Format.count(summary.sizeBytes)) bytes, \(Format.number(perEvent)) bytes/event"
      + "\(summary.keyFrameText)\n"
  }
}

extension TraceSummary {
  /// For the line that says what was written.
  var keyFrameText: String {
    switch keyFrames {
    case 0: ""
    case 1: ", 1 key frame"
    default: ", \(Format.count(keyFrames)) key frames"
    }
  }
}

/// What a verb that writes a trace says in JSON.
struct WrittenTrace: Encodable {
  var version = 1
  var output: String
  var events: UInt64
  /// Snapshots, one that it starts with included.
  var keyFrames: UInt64
  var bytes: UInt64

  init(_ output: TraceOutput, _ summary: TraceSummary) {
    self.output = output.output
    events = summary.totals.events
    keyFrames = summary.keyFrames
    bytes = summary.sizeBytes
  }
}

extension OutputFormat {
  /// Prints a result: as text, or encoded.
  func print(_ document: some Encodable, text: () -> String) throws {
    switch self {
    case .table: try Console.show(text())
    case .json:
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      try Console.print(String(decoding: try encoder.encode(document), as: UTF8.self))
    }
  }
}

extension TraceDescription {
  /// Adds who made this trace out of another one.
  mutating func addProvenance(_ command: String, note: String? = nil) {
    provenance.append(.init("tool", "doorbell \(ToolVersion.text)"))
    provenance.append(.init("command", "doorbell \(command)"))
    if let note { provenance.append(.init("note", note)) }
  }
}
