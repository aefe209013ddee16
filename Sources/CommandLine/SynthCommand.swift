import ArgumentParser
import EventModel
import Foundation
import Reports
import TraceFormat
import TraceImport

struct SynthCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "synth",
    abstract: "Make a trace: a named load, or a recording made larger.",
    discussion: """
      With a scenario, makes a guest that sets itself up as Linux does and then has one kind of load: \
      \(Scenario.allCases.map { "\($0.rawValue) (\($0.summary))" }.joined(separator: "; ")). \
      With --scale-from, makes a machine of any size in which each device does what one of the \
      recording did, in runs drawn by chance: gaps, reuse of memory and the mix of events stay, and are \
      printed side by side. Every design replays the result. The same command gives the same bytes. \
      Use it for a load that you cannot record, or more of one that you could.

      Try:
        doorbell synth burst --events 200k -o burst.dbtrace
        doorbell synth --scale-from Traces/nvme.dbtrace --devices 2x -o two.dbtrace
      """)

  @Argument(help: "Make this scenario.")
  var scenario: Scenario?

  @Option(
    help: ArgumentHelp("Scale this recording, instead of a scenario.", valueName: "trace"))
  var scaleFrom: String?

  @Option(
    help: ArgumentHelp(
      "Have this many devices: a number, or a multiple such as 2x (what is there).",
      valueName: "amount"))
  var devices: AmountArgument?

  @Option(
    help: ArgumentHelp(
      "Have this many vectors per device: a number, or a multiple (what is there).",
      valueName: "amount"))
  var vectors: AmountArgument?

  @Option(
    help: ArgumentHelp(
      "Have this many vCPUs: a number, or a multiple (what is there).", valueName: "amount"))
  var vcpus: AmountArgument?

  @Option(
    help: ArgumentHelp(
      """
      Go at this pace: a multiple of each device's, or a number of interrupts per second of all (what is \
      there).
      """, valueName: "amount"))
  var rate: AmountArgument?

  @Option(
    help: ArgumentHelp(
      "Make this many events, set-up included, such as 200k, 20M or 1G (100k, or as the recording).",
      valueName: "count"))
  var events: EventCount?

  @Option(help: "Draw chance from this number; the same one gives the same trace.")
  var seed: UInt64 = 1

  @OptionGroup var keyFrames: KeyFrameInterval

  @OptionGroup var output: TraceOutput

  @Option(help: "Print what was made, and what was kept, in this form.")
  var format: OutputFormat = .table

  @OptionGroup var verbosity: Verbosity

  func validate() throws {
    guard (scenario == nil) != (scaleFrom == nil) else {
      throw ValidationError(
        "name a scenario (\(Scenario.allCases.map(\.rawValue).joined(separator: ", "))) "
          + "or a recording with --scale-from")
    }
  }

  func run() throws {
    try reportingFailure(verbosity) {
      var options = SynthesisOptions()
      options.seed = seed
      options.devices = devices?.amount
      options.vectors = vectors?.amount
      options.vcpus = vcpus?.amount
      options.rate = rate?.amount
      if let events { options.events = events.value }
      if let scaleFrom {
        try scale(scaleFrom, options)
      } else if let scenario {
        let generator = try ScenarioGenerator(scenario, options)
        warn(generator.limits)
        let made = try write(
          generator.geometry, options.events, note: scenario.summary, generator.run)
        try report(
          made, SynthReport(scenario.rawValue, generator.shapeText, made.profile, options.seed))
      }
    }
  }

  private func scale(_ path: String, _ options: SynthesisOptions) throws {
    try output.refuse(inputs: [path])
    var options = options
    var sample = RecordingSample()
    var source = try TraceFileSource(path: path, forReplay: true)
    let total = source.totals?.events
    var done: UInt64 = 0
    var progress = Progress("read")
    try source.forEachBatch { batch in
      for event in batch { sample.add(event) }
      done += UInt64(batch.count)
      progress.update(done, of: total)
      return true
    }
    progress.finish()
    sample.finish()
    if events == nil { options.events = done }
    let generator = try ScaledGenerator(sample, options)
    warn(generator.limits)
    let made = try write(
      generator.geometry, options.events,
      note:
        "resampled in blocks: set-up is made, and which devices and vCPUs act together is not kept",
      generator.run)
    var report = SynthReport(
      (path as NSString).lastPathComponent, generator.shapeText, made.profile, options.seed)
    report.compare(
      with: sample.profile, pauseNanoseconds: sample.pauseNanoseconds
    ) { generator.recordedStream(of: $0) }
    try self.report(made, report)
  }

  private func warn(_ limits: [String]) {
    for limit in limits { Console.warning(limit) }
  }

  private struct Made {
    var summary: TraceSummary
    var profile: TraceProfile
  }

  private func write(
    _ geometry: TableGeometry, _ count: UInt64, note: String,
    _ generate: ((Span<TraceEvent>) throws -> Void) throws -> Void
  ) throws -> Made {
    var description = TraceDescription()
    description.clockDomain = .synthetic
    description.clockResolutionNanoseconds = 1
    description.origins = 1 << EventOrigin.synthetic.rawValue
    description.geometry = geometry
    description.addProvenance("synth " + arguments, note: note)
    if let scaleFrom {
      description.provenance.append(.init("source", (scaleFrom as NSString).lastPathComponent))
    }
    var profile = TraceProfile()
    let summary = try output.removingPartial {
      var options = output.options(inputCodec: nil)
      keyFrames.apply(to: &options)
      var writer = try TraceWriter(path: output.output, description: description, options: options)
      var progress = Progress("synth")
      try generate { events in
        for index in events.indices {
          profile.add(events[index])
          try writer.append(events[index])
        }
        progress.update(writer.eventCount, of: count)
      }
      progress.finish()
      return try writer.finish()
    }
    return Made(summary: summary, profile: profile)
  }

  private func report(_ made: Made, _ report: SynthReport) throws {
    struct Document: Encodable {
      var written: WrittenTrace
      var kept: SynthReport
    }
    try format.print(Document(written: WrittenTrace(output, made.summary), kept: report)) {
      output.line(made.summary) + report.text()
    }
  }

  /// What was asked for, for the provenance: enough to make the trace again.
  private var arguments: String {
    var words: [String] = scenario.map { [$0.rawValue] } ?? []
    if let scaleFrom { words += ["--scale-from", (scaleFrom as NSString).lastPathComponent] }
    let amounts = [
      ("devices", devices), ("vectors", vectors), ("vcpus", vcpus), ("rate", rate),
    ]
    for (name, argument) in amounts {
      guard let amount = argument?.amount else { continue }
      words += [
        "--\(name)",
        amount.isFactor ? "\(Double(amount.value) / 1_000)x" : "\(amount.value)",
      ]
    }
    if let events { words += ["--events", "\(events.value)"] }
    return (words + keyFrames.words + ["--seed", "\(seed)"]).joined(separator: " ")
  }
}

extension Scenario: ExpressibleByArgument {}
