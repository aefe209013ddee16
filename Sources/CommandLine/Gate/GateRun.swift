import EventModel
import Foundation
import Gates
import History

/// A gate as it is run: proof, exact facts, then blocks of launches until the session knows enough.
///
/// A block is one launch of each arm, in an order that is drawn by lot for every block, so that no arm owns a
/// place and what drifts hits both. Two blocks are not mirrored into A B B A: they would share one lot, and the
/// test, which knows only that lots were fair, would have half the evidence of as many launches. Against a
/// stored baseline a block is one launch of the candidate.
struct GateRun {
  static let pluginDesign = "plug-in"

  private let plan: GatePlan
  private let policy: Policy
  private let folder: String
  private let start = ContinuousClock.now
  private let traces: [(name: String, path: String)]
  private(set) var baseline: ArmLaunches
  private(set) var candidate: ArmLaunches
  private(set) var document: GateDocument
  private var random: SplitMix64
  private var progress: Progress

  init(_ baseline: Arm, _ candidate: Arm, plan: GatePlan, policy: Policy) throws {
    guard candidate.stored == nil else {
      throw Failure(
        "\(candidate.name): a candidate is measured now; name an executable, a build folder or a "
          + "plug-in, or hold two stored runs against each other with 'doorbell compare'")
    }
    try baseline.requireComparable(to: candidate)
    Interruption.requestsStop()
    let seed = plan.seed ?? UInt64.random(in: 0...UInt64.max)
    self.plan = plan
    self.policy = policy
    traces = try plan.traceFiles()
    random = SplitMix64(seed: seed)
    folder = NSTemporaryDirectory() + "/doorbell-gate-\(UUID().uuidString)"
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch {
      throw Failure("\(folder): cannot be created: \(error.localizedDescription)")
    }
    self.baseline = ArmLaunches(baseline, plan: plan, folder: folder)
    self.candidate = ArmLaunches(candidate, plan: plan, folder: folder)
    document = GateDocument(
      baseline: baseline.name, candidate: candidate.name, policy: policy, seed: seed,
      budgetSeconds: plan.budgetSeconds)
    progress = Progress("gate", unit: .things("launches"))
  }

  var launchCount: Int { baseline.count + candidate.count }

  var elapsed: Double {
    let duration = (ContinuousClock.now - start).components
    return Double(duration.seconds) + Double(duration.attoseconds) * 1e-18
  }

  /// Runs to the verdict. What cannot be measured is a conclusion and no error.
  mutating func judge(skippingIdentical: Bool) throws -> GateDocument {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    if skippingIdentical, baseline.arm.isIdentical(to: candidate.arm) {
      document.isIdentical = true
    } else {
      do {
        if try exactFacts() { try times() }
      } catch let broken as Launch.Broken {
        document.obstacles.append(broken.description)
      } catch let unsteady as ArmLaunches.Unsteady {
        document.obstacles.append(unsteady.description)
      }
      progress.finish()
      try keep()
    }
    document.elapsedSeconds = elapsed
    document.launches = launchCount
    document.conclude()
    return document
  }

  /// Differences of identical arms, block by block, until `seconds` have gone by, or so many blocks.
  mutating func blocks(
    seconds: Double, limit: Int
  ) throws -> (evidence: [CellKey: Evidence], seconds: Double) {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try prove()
    return try interleaved(seconds: seconds, limit: limit)
  }

  /// Both arms side by side, without a verdict on the whole: exact facts and, if outcomes are the same, as
  /// many pairs of launches as the budget has time for, or so many.
  mutating func compare(limit: Int) throws -> Comparison {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try prove()
    if provedFacts.obstacles.isEmpty, provedFacts.cells.allSatisfy({ $0.equality.isEmpty }) {
      _ = try interleaved(seconds: plan.budgetSeconds, limit: limit)
    }
    var comparison = try Comparison(
      baseline: traces.flatMap { baseline.records($0.name) },
      candidate: traces.flatMap { candidate.records($0.name) }, policy: policy, isPaired: true)
    comparison.warnings = Array(Set(comparison.warnings + document.warnings)).sorted()
    return comparison
  }

  private mutating func interleaved(
    seconds: Double, limit: Int
  ) throws -> (evidence: [CellKey: Evidence], seconds: Double) {
    var evidence = Dictionary(uniqueKeysWithValues: cells.map { ($0, Evidence.paired([])) })
    let begin = elapsed
    var count = 0
    while elapsed < seconds, count < limit {
      count += 1
      guard !Interruption.isStopRequested else {
        throw Interruption.Stopped(consequence: "nothing is known")
      }
      for (cell, more) in try block(cells) { evidence[cell]?.add(more) }
      progress.update(
        UInt64(launchCount), within: .seconds(seconds), saying: "measuring")
    }
    progress.finish()
    try keep()
    return (evidence, elapsed - begin)
  }

  /// Equality, ledger, work. False if time need not be looked at any more.
  private mutating func exactFacts() throws -> Bool {
    try prove()
    let facts = provedFacts
    document.facts = facts
    if baseline.arm.stored != nil {
      document.warnings.append(
        "the baseline was measured at another time: what changed on the host meanwhile counts as the "
          + "candidate's; gate against the baseline's executable where there is one")
    }
    return facts.obstacles.isEmpty && !facts.isRegression
  }

  private var provedFacts: FactComparison {
    FactComparison(
      baseline: traces.compactMap { baseline.proofs[$0.name] },
      candidate: traces.compactMap { candidate.proofs[$0.name] }, policy: policy)
  }

  /// Both arms of a trace at a time, side by side: nothing is timed here.
  private mutating func prove() throws {
    warnOfFixedLayout()
    for trace in traces {
      progress.update(
        UInt64(launchCount), within: .seconds(plan.budgetSeconds), saying: "proving \(trace.name)")
      var arms = (baseline, candidate)
      let thread = ProvingThread(arms.0, trace)
      try arms.1.prove(trace)
      arms.0 = try thread.result()
      (baseline, candidate) = arms
    }
    let records = Array(candidate.proofs.values) + Array(baseline.proofs.values)
    document.warnings += Set(records.flatMap(\.warnings)).sorted()
  }

  private mutating func warnOfFixedLayout() {
    let path = "/proc/sys/kernel/randomize_va_space"
    guard let text = try? String(contentsOfFile: path, encoding: .utf8), text.hasPrefix("0") else {
      return
    }
    document.warnings.append(
      "address space layout randomisation is off (\(path) is 0), so every launch has the same layout "
        + "and a difference may be its doing; set it to 2")
  }

  /// Every stage of every design that both arms measured.
  private var cells: [CellKey] {
    traces.flatMap { trace in
      (candidate.proofs[trace.name]?.cells ?? []).filter { $0.experiment == "core" }
        .flatMap { cell in
          plan.stages.map { stage in
            CellKey(
              trace: trace.name, architecture: cell.architectureName, design: cell.design,
              experiment: "core", mode: cell.mode, stage: stage.rawValue)
          }
        }
    }
  }

  private mutating func times() throws {
    let begin = elapsed
    let beforehand = try cells.map { ($0, try storedEvidence($0)) }
    var session = GateSession(
      cells: Dictionary(uniqueKeysWithValues: beforehand), policy: policy,
      budgetSeconds: max(0, plan.budgetSeconds - begin))
    while let step = session.next(elapsed: elapsed - begin) {
      session.add(try block(step.cells))
      progress.update(
        UInt64(launchCount), within: .seconds(plan.budgetSeconds),
        saying: "\(step.phase.rawValue), \(step.cells.count) cells")
      guard !Interruption.isStopRequested else {
        throw Interruption.Stopped(consequence: "there is no verdict")
      }
    }
    document.times = session.results
  }

  private func storedEvidence(_ cell: CellKey) throws -> Evidence {
    guard baseline.arm.stored != nil else { return .paired([]) }
    let stored = baseline.proofs[cell.trace]
    let launches =
      stored?.cells.first {
        $0.design == cell.design && $0.experiment == "core"
          && $0.architectureName == cell.architecture
      }?.metric(Self.metric(cell))?.samplesByLaunch ?? []
    let figures = launches.compactMap { LaunchFigures.best($0, lowerIsBetter: true) }
    guard let logarithms = LaunchFigures.logarithms(figures, lowerIsBetter: true) else {
      throw Failure(
        "\(baseline.arm.name): \(cell): the stored baseline holds no time of this; make one with "
          + "'doorbell aa --keep FOLDER'")
    }
    return .unpaired(baseline: logarithms, candidate: [])
  }

  private mutating func block(_ cells: [CellKey]) throws -> [CellKey: Evidence] {
    var evidence: [CellKey: Evidence] = [:]
    for trace in traces.shuffled(using: &random) {
      let mine = cells.filter { $0.trace == trace.name }
      guard !mine.isEmpty else { continue }
      let designs = plan.designs.filter { design in mine.contains { $0.design == design } }
      var figures: [Bool: [RunRecord]] = [:]
      let beginsWithCandidate = Bool.random(using: &random)
      let order =
        baseline.arm.stored == nil
        ? [beginsWithCandidate, !beginsWithCandidate] : [true]
      for isCandidate in order {
        let record =
          isCandidate
          ? try candidate.measure(trace, designs, random: &random)
          : try baseline.measure(trace, designs, random: &random)
        figures[isCandidate, default: []].append(record)
      }
      for cell in mine {
        let after = try logarithms(cell, figures[true] ?? [], candidate.arm)
        evidence[cell] =
          baseline.arm.stored == nil
          ? .paired([
            LaunchFigures.difference(
              baseline: try logarithms(cell, figures[false] ?? [], baseline.arm), candidate: after)
          ])
          : .unpaired(baseline: [], candidate: after)
      }
    }
    return evidence
  }

  private static func metric(_ cell: CellKey) -> String {
    Headline.metric(ofStage: cell.stage ?? "delivery")
  }

  private func logarithms(_ cell: CellKey, _ records: [RunRecord], _ arm: Arm) throws -> [Double] {
    let figures = records.compactMap { record in
      record.cells.first { $0.design == cell.design && $0.experiment == "core" }?
        .metric(Self.metric(cell)).flatMap {
          LaunchFigures.best($0.samples, lowerIsBetter: $0.lowerIsBetter)
        }
    }
    guard figures.count == records.count,
      let logarithms = LaunchFigures.logarithms(figures, lowerIsBetter: true)
    else {
      throw Launch.Broken(
        arm: arm.name,
        reason: "gave no time of \(cell); a trace without such events cannot be judged by it")
    }
    return logarithms
  }

  private func keep() throws {
    guard let keep = plan.keep else { return }
    for (role, arm) in [("baseline", baseline), ("candidate", candidate)] {
      let folder = "\(keep)/\(role)"
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      for trace in traces {
        try arm.merged(trace.name)?.write(to: "\(folder)/\(trace.name).json")
      }
    }
  }
}

/// Proves one arm while the calling thread proves the other.
private final class ProvingThread: Sendable {
  private let done = DispatchSemaphore(value: 0)
  private nonisolated(unsafe) var outcome: Result<ArmLaunches, any Error>?

  init(_ arm: ArmLaunches, _ trace: (name: String, path: String)) {
    Thread.detachNewThread { [self] in
      var arm = arm
      // Safety: written once, before the signal that lets `result` read it.
      unsafe outcome = Result {
        try arm.prove(trace)
        return arm
      }
      done.signal()
    }
  }

  func result() throws -> ArmLaunches {
    done.wait()
    // Safety: the signal came after the only write.
    guard let outcome = unsafe outcome else { preconditionFailure("signalled without an outcome") }
    return try outcome.get()
  }
}
