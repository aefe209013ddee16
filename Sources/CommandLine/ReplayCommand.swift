import ArgumentParser
import Backends
import CPlatform
import EventModel
import Foundation
import History
import Measurement
import Replay
import Reports
import TraceFormat

struct ReplayCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay",
    abstract: "Replay a trace through the designs and measure them.",
    discussion: """
      Proves each design equal to the reference model and to the recording, then measures it: what \
      translation costs (core), what one delivery costs (path), what this host would have \
      seen (paced), how much a design can take (saturate), what more \
      device threads give (scale), what file, decoder and core sustain \
      together (pipeline), and what configuring \
      costs (set-up). A design that differs is not timed and ends the command with 1. \
      Without a trace it replays the NVMe recording that comes with the tool. With --backend a design \
      of your own runs beside the built-in ones, in a process of its own.

      Try:
        doorbell replay
        doorbell replay Traces/rebind.dbtrace --design direct --format json
      """)

  enum ExperimentName: String, ExpressibleByArgument, CaseIterable {
    case core, path, paced, saturate, scale, pipeline
    case setUp = "set-up"
  }

  enum EarlyEvents: String, ExpressibleByArgument, CaseIterable { case drop, pend }

  @Argument(help: "Replay this trace (the shipped NVMe recording).")
  var trace: String?

  @Option(
    name: .customLong("design"), parsing: .upToNextOption,
    help: """
      Run these designs: trapped, eventfd, direct, null, or set-up+delivery such as trapped+bounce \
      (trapped eventfd direct null).
      """)
  var designs: [String] = ["trapped", "eventfd", "direct", "null"]

  @Option(
    name: .customLong("backend"), parsing: .upToNextOption,
    help: """
      Also run these designs of your own: plug-ins, shared objects that export \
      doorbell_backend_open; they must conform as every design.
      """)
  var backends: [String] = []

  @Option(
    name: .customLong("backend-deadline"),
    help: "Report a call of a plug-in that takes longer than this as hanging (10s).")
  var backendDeadline = TraceTime(argument: "10s")!

  /// Number of the plug-in and folder that a child shares with the process that watches it.
  @Option(name: .customLong("backend-child"), help: .hidden)
  var backendChild: String?

  /// One of many launches of a suite measures nothing more once nobody waits for it.
  @Flag(name: .customLong("die-with-parent"), help: .hidden)
  var diesWithParent = false

  @Option(
    name: .customLong("arch"),
    help: """
      Run the designs on this interrupt hardware: arm-gicv3, arm-gicv4, x86-intel, x86-amd, gicv5 \
      (arm-gicv4).
      """)
  var architecture: Architecture = .armGICv4

  @Option(
    name: .customLong("experiment"), parsing: .upToNextOption,
    help: "Run these experiments: core, path, paced, saturate, scale, pipeline, set-up (core path)."
  )
  var experiments: [ExperimentName] = [.core, .path]

  @Option(help: "Time at least this many warm passes in core, and passes in set-up.")
  var passes = 15

  @OptionGroup var core: CoreArguments

  @Option(help: "Measure this many interrupts in path.")
  var interrupts = 5_000

  @Option(help: "Play the trace this many times over in pipeline.")
  var loops = 100

  @Option(
    help: """
      Decode ahead with this many threads in pipeline, off the CPU that is measured, for traces that one \
      cannot decode fast enough (0: the reader decodes).
      """)
  var decodeThreads = 0

  @Option(help: "Keep at most this many events in memory for core, path and set-up.")
  var limit = 4_000_000

  @Option(
    name: .customLong("vpe-ids"),
    help: "In set-up, ask for vLPIs at a host that has this many vPEIDs for its guests.")
  var vPEIDCount: UInt32 = VLPIHost().vPEIDCount

  @Option(
    name: .customLong("early-events"),
    help: "In set-up, what that host does with an MSI before its mapping: drop or pend (drop).")
  var earlyEvents: EarlyEvents = .drop

  @OptionGroup(title: "Options of paced and saturate") var pacing: PacingOptions

  @OptionGroup(title: "Options of scale") var scaling: ScaleOptions

  @Option(help: "Print in this form.")
  var format: OutputFormat = .table

  @Option(name: .shortAndLong, help: "Also write the run record (JSON) here.")
  var output: String?

  @Option(
    help: """
      Also write each histogram into this folder: .hgrm, HdrHistogram's V2 base64, and all of them as \
      one .hlog.
      """)
  var histograms: String?

  @Option(
    help: ArgumentHelp(
      """
      Then run each cell once more, under 'perf record', and write its stacks here, folded for a flame \
      graph. Figures are of the runs before.
      """, valueName: "file"))
  var profile: String?

  /// Design and experiment of the process that perf watches.
  @Option(name: .customLong("profiled-cell"), help: .hidden)
  var profiledCell: String?

  @OptionGroup var verbosity: Verbosity

  func validate() throws {
    guard (1...65_536).contains(vPEIDCount) else {
      throw ValidationError("--vpe-ids must be from 1 to 65536: a vPEID has 16 bits")
    }
    for name in designs where Design(name: name) == nil {
      throw ValidationError(
        "no design '\(name)'; "
          + Suggestion.advice(for: name, among: BackendCatalogue.designs.map { "\($0)" }))
    }
    guard backendDeadline.nanoseconds > 0 else {
      throw ValidationError("--backend-deadline takes a time above 0")
    }
    guard core.equality == .full || experiments == [.core] else {
      throw ValidationError("--equality brief and digest go with --experiment core alone")
    }
    guard profile == nil || backends.isEmpty else {
      throw ValidationError("--profile takes designs of this tool alone, and no --backend")
    }
    guard (0...64).contains(decodeThreads) else {
      throw ValidationError("--decode-threads must be from 0 to 64")
    }
    guard passes > 0, interrupts > 0, loops > 0, limit > 0 else {
      throw ValidationError("--passes, --interrupts, --loops and --limit take numbers above 0")
    }
  }

  func run() throws {
    try reportingFailure(verbosity) {
      if diesWithParent { CPlatform_dieWithParent() }
      let path = try trace ?? TraceLocator.defaultTrace()
      if let backendChild { try serve(backendChild, path) }
      if let profiledCell { return try runProfiled(profiledCell, path) }
      // Before minutes are spent.
      if profile != nil { try Perf.check() }
      let record = try measure(path)
      try Interruption.deferred {
        if let output { try record.write(to: output) }
        if let histograms { try HistogramFiles(record).write(to: histograms) }
      }
      switch format {
      case .table: try Console.show(ReplayReport(record).text())
      case .json: try Console.print(String(decoding: try record.json(), as: UTF8.self))
      }
      if record.cells.contains(where: { $0.conformance?.firstDifference != nil }) {
        throw ExitCode(ExitStatus.regression.rawValue)
      }
      if let profile { try writeProfile(of: record, to: profile) }
      if record.cells.contains(where: { $0.voidReason != nil }) {
        throw ExitCode(ExitStatus.couldNotMeasure.rawValue)
      }
    }
  }

  /// The child's side of one plug-in.
  private func serve(_ child: String, _ path: String) throws -> Never {
    let (index, folder) = ReplayPlugins.indexAndFolder(child)
    try PluginChild.serve(folder, plugin: backends[index]) { library, status in
      var source = try TraceFileSource(path: path, forReplay: true)
      var task = try task(&source, path)
      task.plugin = library
      task.design = library.design
      let cells = try task.run(library.runner(geometry: task.geometry, status: status))
      return ReplayPlugins.Part(cells: cells, warnings: task.warnings, library)
    }
  }

  /// What is done with each design.
  func task(_ source: inout TraceFileSource, _ path: String) throws -> ReplayTask {
    let geometry = source.header.description.geometry
    let events = needsEvents ? try source.events(limit: limit) : []
    var task = ReplayTask(
      path: path, events: events, geometry: geometry, experiments: experiments,
      coreOptions: CoreExperiment.Options(), pathOptions: PathExperiment.Options(), loops: loops,
      architecture: architecture)
    task.decodeThreads = decodeThreads
    let proofs = core.equality == .digest ? 0 : designs.count { $0 != "null" }
    task.partCount = UInt64(
      backendChild == nil
        ? proofs + designs.count * experiments.count
        : experiments.count + (core.equality == .digest ? 0 : 1))
    task.coreOptions.warmSamples = passes
    core.apply(to: &task.coreOptions)
    task.delayedDesign = core.inject?.design
    task.coreParameters = core.parameters
    task.provesInFull = core.equality != .digest
    task.setUpOptions.passes = passes
    task.vLPIHost.vPEIDCount = vPEIDCount
    task.vLPIHost.earlyEvents = earlyEvents == .drop ? .drop : .pend
    task.pathOptions.interrupts = interrupts
    task.pacing = pacing
    task.scaling = scaling
    return task
  }

  private var needsEvents: Bool { experiments.contains { $0 != .pipeline } }

  private func measure(_ path: String) throws -> RunRecord {
    var source = try TraceFileSource(path: path, forReplay: true)
    // Before anything is timed, because one that cannot be loaded ends the command.
    let plugins =
      try backends.isEmpty
      ? []
      : Interruption.deferred(saying: "nothing was reported") {
        try ReplayPlugins.run(backends, deadline: Double(backendDeadline.nanoseconds) / 1e9)
      }
    var task = try task(&source, path)
    let (events, geometry) = (task.events, task.geometry)
    var cells: [RunRecord.Cell] = []
    var absent: [String] = []
    for name in designs {
      guard let design = Design(name: name) else { continue }
      if let reason = BackendCatalogue.absence(of: design, on: architecture) {
        absent.append("\(design) is not available on \(architecture.rawValue): \(reason)")
        continue
      }
      task.design = design
      guard
        let runner = BackendCatalogue.runner(
          of: design, geometry: geometry, architecture: architecture,
          tlbEntries: core.tlbEntries)
      else { continue }
      cells += try task.run(runner)
    }
    task.progress.finish()
    cells += plugins.flatMap(\.cells)
    guard !cells.isEmpty else { throw Failure(absent.joined(separator: "\n")) }
    var warnings = task.warnings + plugins.flatMap(\.warnings) + core.warnings + absent
    if architecture == .gicv5 {
      warnings.append(
        "gicv5 follows Linux's driver, not Arm's specification, which was not read; that moving a vLPI "
          + "touches no ITS table is inferred")
    }
    // Not what the trace starts with.
    let held = max(0, events.count - source.openingCount)
    let total = source.totals?.events ?? UInt64(held)
    if needsEvents, total > UInt64(held) {
      warnings.append(
        "all but pipeline hold the first \(held) of \(total) events; raise --limit for more"
      )
    }
    var record = RunRecord(
      tool: .init(name: "doorbell", version: ToolVersion.text),
      command: Array(ProcessInfo.processInfo.arguments.dropFirst()),
      started: ISO8601DateFormatter().string(from: Date()),
      trace: try traceFacts(
        path, events: events.dropFirst(source.openingCount), totals: source.totals),
      host: HostFingerprint(
        facts: Dictionary(uniqueKeysWithValues: HostFacts.all().map { ($0.name, $0.value) })),
      cells: cells,
      harness: try harness(events, geometry),
      warnings: Array(Set(warnings)).sorted())
    // One of many launches leaves that to whoever started them.
    if core.equality != .digest { record.diagnose() }
    if experiments.contains(.setUp) { record.slowPaths = ReplayTask.slowPaths() }
    return record
  }

  private func traceFacts(
    _ path: String, events: ArraySlice<TraceEvent>, totals: TraceTotals?
  ) throws -> RunRecord.Trace {
    var kinds: [String: UInt64] = [:]
    var devices: Set<UInt32> = []
    for event in events {
      kinds["\(event.kind)", default: 0] += 1
      if event.kind == .dma || event.kind == .msi { devices.insert(event.streamID) }
    }
    let data = try Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe)
    return RunRecord.Trace(
      name: (path as NSString).lastPathComponent, contentHash: SHA256.hex(data),
      events: totals?.events ?? UInt64(events.count), eventsByKind: kinds,
      lostEvents: totals?.lostEvents ?? 0, devices: devices.count)
  }
}

extension Architecture: ExpressibleByArgument {}
