import Backends
import EventModel
import History
import Measurement
import Replay

/// What `replay` does with one design: prove it, then measure it.
struct ReplayTask {
  var path: String
  var events: [TraceEvent]
  var geometry: TableGeometry
  var experiments: [ReplayCommand.ExperimentName]
  var coreOptions: CoreExperiment.Options
  /// The design that `coreOptions.delay` slows; nil: all.
  var delayedDesign: String?
  /// Added to what a cell of core says of itself.
  var coreParameters: [String: String] = [:]
  /// Whether a design is asked against the reference model before it is timed.
  var provesInFull = true
  var pathOptions: PathExperiment.Options
  var pacing = PacingOptions()
  var scaling = ScaleOptions()
  var setUpOptions = SetUpExperiment.Options()
  /// The host that is asked for vLPIs.
  var vLPIHost = VLPIHost()
  var loops: Int
  /// Threads that decode ahead in `pipeline`; 0: its reader decodes.
  var decodeThreads = 0
  var architecture: Architecture
  var design = Design.null
  /// The plug-in that is the design; nil for a built-in one.
  var plugin: PluginLibrary?
  var warnings: [String] = []
  /// Of the parts of all designs: the proofs and the experiments.
  var progress = Progress("replay", unit: .things("parts"))
  var partCount: UInt64 = 0
  var partsDone: UInt64 = 0
  /// Asked once for all designs; nil while nothing was proved, or when events are not in memory.
  var answers: ReferenceAnswers?

  func cell(_ experiment: String) -> RunRecord.Cell {
    var cell = RunRecord.Cell(
      design: plugin?.name ?? "\(design)", setUp: design.setUp.rawValue,
      delivery: design.delivery.rawValue, experiment: experiment)
    cell.architecture = plugin == nil ? architecture.rawValue : ReplayPlugins.architecture
    return cell
  }

  mutating func run(_ runner: BackendRunner) throws -> [RunRecord.Cell] {
    var cells: [RunRecord.Cell] = []
    // `null` translates nothing: it has no answer that could be right.
    if design != .null, provesInFull {
      let proof = try part("equality") { task in try task.prove(runner) }
      cells.append(proof)
      if proof.conformance?.firstDifference != nil { return cells }
    }
    for experiment in experiments {
      try part(experiment.rawValue) { task in
        switch experiment {
        case .core: cells.append(try task.core(runner))
        case .path: cells.append(try task.path(runner))
        case .paced: cells.append(try task.paced(runner))
        case .saturate: cells.append(try task.saturate(runner))
        case .scale: cells.append(try task.scale(runner))
        case .pipeline: cells.append(try task.pipeline(runner))
        case .setUp:
          cells.append(try task.setUp(runner))
          if let requests = task.requests() { cells.append(requests) }
        }
      }
    }
    return cells
  }

  /// Says what of a part is done next, between two measurements of it.
  mutating func detail(_ text: String) {
    progress.update(partsDone - 1, of: partCount, saying: text)
  }

  /// Says what is being done. Nothing is drawn while it is: it may be measured.
  private mutating func part<Result>(
    _ name: String, _ body: (inout ReplayTask) throws -> Result
  ) rethrows -> Result {
    let name = "\(plugin?.name ?? "\(design)"): \(name)"
    progress.update(partsDone, of: partCount, saying: name)
    partsDone += 1
    return try Console.step(name) { try body(&self) }
  }

  mutating func reference() -> ReferenceAnswers {
    if let answers { return answers }
    let asked = ReferenceAnswers(events, geometry: geometry)
    answers = asked
    return asked
  }

  private mutating func prove(_ runner: BackendRunner) throws -> RunRecord.Cell {
    let check: EqualityCheck
    if events.isEmpty {
      check = try runner.proveStream(ErasedSource(try TraceFileSource(path: path, forReplay: true)))
    } else {
      check = runner.prove(reference())
    }
    var cell = cell("equality")
    var difference = (check.firstDifference ?? check.firstRecordingDifference)?.description
    if difference == nil, !check.ledger.isConserved {
      difference = "      the ledger does not hold: an interrupt was lost without an account"
    }
    cell.conformance = .init(
      accessesCompared: check.accessesCompared, interruptsCompared: check.interruptsCompared,
      agreedWithReference: check.differences == 0, recordedCompared: check.recordedCompared,
      agreedWithRecording: check.recordingDifferences == 0, firstDifference: difference)
    cell.ledger = .init(check.ledger.total)
    cell.setUpCounters = check.setUpCounters.named
    cell.deliveryCounters = check.deliveryCounters.named
    cell.digest = String(check.tally.digest, radix: 16)
    return cell
  }

  private func core(_ runner: BackendRunner) throws -> RunRecord.Cell {
    var options = coreOptions
    if let delayedDesign, "\(design)" != delayedDesign || plugin != nil { options.delay = nil }
    let result = runner.core(events, options)
    guard result.isRepeatable else {
      throw Failure(
        "\(design): core gave different outcomes in two passes over the same events; "
          + "nothing was reported", .regression)
    }
    var cell = cell("core")
    let events = Double(max(1, result.deliveryEvents))
    let accesses = Double(max(1, result.warm.first?.tally.accesses ?? 0))
    let setUp = Double(max(1, result.setUpEvents))
    let vectors = Double(max(1, vectorCount))
    func metric(_ name: String, _ unit: String, _ samples: [Double], lower: Bool = true) {
      cell.metrics.append(
        .init(
          name: name, unit: unit, lowerIsBetter: lower, value: Summary(samples).median,
          samples: samples))
    }
    let delivery = result.warm.map(\.meanDelivery)
    metric("delivery-ns-per-event", "ns", delivery.map { $0 / events })
    metric("delivery-ns-per-access", "ns", delivery.map { $0 / accesses })
    metric("events-per-second", "1/s", delivery.map { events * 1e9 / max(1, $0) }, lower: false)
    metric(
      "cold-delivery-ns-per-event", "ns",
      result.cold.map { Double($0.deliveryNanoseconds) / events })
    metric("set-up-ns-per-event", "ns", result.warm.map { $0.meanSetUp / setUp })
    metric("set-up-ns-per-vector", "ns", result.warm.map { $0.meanSetUp / vectors })
    metric(
      "cold-set-up-ns-per-vector", "ns",
      result.cold.map { Double($0.setUpNanoseconds) / vectors })
    cell.parameters = [
      "warm-passes": "\(result.warm.reduce(0) { $0 + $1.passes })",
      "cold-passes": "\(result.cold.count)",
      "delivery-events": "\(result.deliveryEvents)", "set-up-events": "\(result.setUpEvents)",
      "vectors": "\(vectorCount)",
    ]
    cell.parameters.merge(coreParameters) { $1 }
    if !result.processorCounters.isEmpty {
      cell.processorCounters = result.processorCounters.map {
        .init($0, events: result.deliveryEvents * UInt64(result.counterPasses))
      }
    }
    cell.digest = result.cold.first.map { String($0.tally.digest, radix: 16) }
    return cell
  }

  /// Vectors that the trace's guest maps: (DeviceID, EventID) pairs of MAPTI, MAPI, VMAPTI, VMAPI.
  var vectorCount: Int {
    var vectors: Set<UInt64> = []
    for event in events where event.kind == .itsCommand {
      guard [0x0A, 0x0B, 0x2A, 0x2B].contains(event.word0 & 0xFF) else { continue }
      vectors.insert(event.word0 & ~0xFFFF_FFFF | event.word1 & 0xFFFF_FFFF)
    }
    return vectors.count
  }

  private mutating func path(_ runner: BackendRunner) throws -> RunRecord.Cell {
    try proveHalves(runner, for: "path")
    var options = pathOptions
    options.eventfdHops = design.delivery.eventfdHops
    let result: PathExperiment.Result
    do throws(PathExperiment.Failure) {
      result = try runner.path(events, options)
    } catch {
      throw Failure("\(design): path: \(error)")
    }
    guard result.account.isConserved else {
      throw Failure("\(design): path: the account does not hold; nothing was reported", .regression)
    }
    var cell = cell("path")
    cell.parameters = ["time": "service time", "in-flight": "1"]
    cell.distributions = [.init(name: "total", unit: "ns", result.total)]
    for (name, count) in [("coalesced", result.coalesced), ("lost", result.lost)] {
      cell.metrics.append(
        .init(
          name: name, unit: "interrupts", lowerIsBetter: true, value: Double(count),
          samples: [Double(count)]))
    }
    cell.stages = attributions(result.atPercentile, result.stageSet)
    try addRoundTrip(runner, to: &cell)
    warnings += result.placement.map { "\(design): path: \($0)" }
    return cell
  }

  private func pipeline(_ runner: BackendRunner) throws -> RunRecord.Cell {
    let source =
      try decodeThreads == 0
      ? ErasedSource(LoopingSource(TraceFileSource(path: path, forReplay: true), passes: loops))
      : ErasedSource(
        LoopingSource(DecodeAheadSource(path: path, threads: decodeThreads), passes: loops))
    let result = try runner.pipeline(source, PipelineExperiment.Options())
    if let error = result.sourceError { throw error }
    guard result.tally.isConserved else {
      throw Failure(
        "\(design): pipeline: the ledger does not hold; nothing was reported", .regression)
    }
    var cell = cell("pipeline")
    func metric(_ name: String, _ unit: String, _ value: Double, lower: Bool = true) {
      cell.metrics.append(
        .init(name: name, unit: unit, lowerIsBetter: lower, value: value, samples: [value]))
    }
    metric("events", "events", Double(result.events))
    metric(
      "events-per-second", "1/s", Double(result.events) * 1e9 / Double(max(1, result.nanoseconds)),
      lower: false)
    metric("resident-mib", "MiB", Double(result.residentBytes) / 1_048_576)
    metric("reader-waits", "times", Double(result.readerWaits))
    metric("core-waits", "times", Double(result.deviceWaits))
    cell.parameters = ["loops": "\(loops)", "decode-threads": "\(decodeThreads)"]
    cell.digest = String(result.tally.digest, radix: 16)
    return cell
  }
}
