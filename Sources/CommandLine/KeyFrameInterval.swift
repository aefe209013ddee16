import ArgumentParser
import TraceFormat

/// How often a verb that writes a trace makes a key frame.
struct KeyFrameInterval: ParsableArguments {
  @Option(
    name: .customLong("key-frames"),
    help: ArgumentHelp(
      "Make a key frame after about so many events, such as 100k: the state of all tables and "
        + "mappings, from where a replay or a slice can start without what came before (none).",
      valueName: "count"))
  var interval: EventCount?

  func apply(to options: inout TraceWriter.Options) {
    options.eventsBetweenKeyFrames = interval.map { Int(clamping: $0.value) }
  }

  /// As on the command line, for the provenance.
  var words: [String] { interval.map { ["--key-frames", "\($0.value)"] } ?? [] }
}
