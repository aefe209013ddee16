import ArgumentParser
import Backends
import EventModel
import Foundation
import Replay
import TraceFormat

struct ConformCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "conform",
    abstract: "Prove a design in C against the reference model and the recordings.",
    usage: "doorbell conform <plugin> [<traces> ...] [<options>]",
    discussion: """
      Loads a plug-in (Sources/CDoorbellBackend/include/doorbell_backend.h is its interface) and holds \
      its answer to every access of the traces against the slow reference model, and against what the \
      recordings themselves state. Use it before you measure a design of your own, and after every \
      change to it. Events are given in batches of several sizes, which must make no difference. Each \
      trace is replayed in a process of its own: a crash, a call that does not return or a breach of \
      the interface is reported as such. Exit codes: 0 it conforms, 1 it does not, 3 it could not be \
      loaded.

      Try:
        doorbell conform .build/backends/direct.so
        doorbell conform .build/backends/direct.so Traces/boot.dbtrace --format json
      """)

  @Argument(help: "Prove this plug-in, a shared object.")
  var plugin: String

  @Argument(help: "Replay these traces (all that come with the tool).")
  var traces: [String] = []

  @Option(help: "Report a call that takes longer than this as hanging, such as 500ms or 30s (10s).")
  var deadline = TraceTime(argument: "10s")!

  @Option(help: "Keep at most this many events of a trace in memory, and prove those.")
  var limit = 4_000_000

  @Option(help: "Print in this form.")
  var format: OutputFormat = .table

  /// The folder that a child shares with the process that watches it; the one trace is its work.
  @Option(help: .hidden)
  var child: String?

  @OptionGroup var verbosity: Verbosity

  func validate() throws {
    guard deadline.nanoseconds > 0, limit > 0 else {
      throw ValidationError("--deadline and --limit take values above 0")
    }
  }

  func run() throws {
    try reportingFailure(verbosity) {
      if let child { try serve(child) }
      let paths = try traces.isEmpty ? TraceLocator.shippedTraces() : traces
      // What cannot be read is said before anything is run.
      for path in paths { _ = try TraceFileSource(path: path) }
      Interruption.requestsStop()
      let report = try proved(paths)
      try format.print(report) { ConformText(report: report).text() }
      if !report.conforms { throw ExitCode(ExitStatus.regression.rawValue) }
    }
  }

  private func proved(_ paths: [String]) throws -> ConformReport {
    let watch = PluginChild(plugin: plugin, deadline: Double(deadline.nanoseconds) / 1e9)
    var report = ConformReport(
      plugin: .init(path: plugin), deadlineSeconds: watch.deadline)
    var progress = Progress("conform", unit: .things("traces"))
    for (index, path) in paths.enumerated() {
      progress.update(UInt64(index), of: UInt64(paths.count), saying: path)
      let words = ["conform", "--limit", "\(limit)"] + verbosity.words + ["--", plugin, path]
      switch try watch.run(words, option: "--child") {
      case .finished(let data):
        let part = try JSONDecoder().decode(ConformReport.Part.self, from: data)
        report.plugin = part.plugin
        report.traces.append(part.trace)
      case .notLoadable(let reason): throw Failure(reason)
      case .broken(let breach):
        report.traces.append(.init(path: path, breach: breach.kind, detail: "  " + breach.text))
      }
    }
    progress.finish()
    return report
  }

  private func serve(_ folder: String) throws -> Never {
    try PluginChild.serve(folder, plugin: plugin) { library, status in
      var source = try TraceFileSource(path: traces[0], forReplay: true)
      let answers = ReferenceAnswers(
        try source.events(limit: limit), geometry: source.header.description.geometry)
      let proof = PluginConformance(library, answers, status: status)
      return ConformReport.Part(
        plugin: .init(library), trace: .init(traces[0], events: answers.events.count, proof))
    }
  }
}
