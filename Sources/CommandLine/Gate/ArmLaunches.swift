import EventModel
import Foundation
import Gates
import History

/// The launches of one arm: proves it once per trace, and then watches that every launch has the same
/// outcomes.
struct ArmLaunches {
  let arm: Arm
  private let plan: GatePlan
  private let folder: String
  /// By trace.
  private(set) var proofs: [String: RunRecord] = [:]
  private(set) var launches: [String: [RunRecord]] = [:]

  init(_ arm: Arm, plan: GatePlan, folder: String) {
    self.arm = arm
    self.plan = plan
    self.folder = folder
  }

  /// A launch that must not be taken for the proved build.
  struct Unsteady: Error, CustomStringConvertible {
    var description: String
  }

  var count: Int { launches.values.reduce(0) { $0 + $1.count } }

  mutating func prove(_ trace: (name: String, path: String)) throws {
    if let stored = arm.stored {
      let mine = stored.filter { $0.trace.name == trace.name }
      guard !mine.isEmpty else { return }
      proofs[trace.name] = judged(try RunRecord.merged(mine), isPlugin: false)
      return
    }
    let launch = Launch(
      arm: arm, trace: trace.path, designs: plan.designs, arguments: plan.proofWords)
    proofs[trace.name] = judged(try launch.run(padding: 0, folder: folder))
  }

  /// One fresh process.
  ///
  /// - Returns: figures by design and stage.
  mutating func measure(
    _ trace: (name: String, path: String), _ designs: [String], random: inout SplitMix64
  ) throws -> RunRecord {
    let launch = Launch(
      arm: arm, trace: trace.path, designs: designs, arguments: plan.launchWords)
    let padding = Int.random(in: 0...Launch.environmentPadding, using: &random)
    let record = judged(try launch.run(padding: padding, folder: folder))
    for cell in record.cells {
      let proved = proofs[trace.name]?.cells.first { $0.isSame(as: cell) }
      guard proved?.digest == cell.digest else {
        throw Unsteady(
          description:
            "\(arm.name): \(trace.name) \(cell.design): a launch had other outcomes than "
            + "the proof: digest \(proved?.digest ?? "none") against \(cell.digest ?? "none")")
      }
    }
    launches[trace.name, default: []].append(record)
    return record
  }

  /// The proof of a trace without its figures, which come of one pass on a busy host, and behind it every
  /// launch; nothing if the trace was not proved.
  func records(_ trace: String) -> [RunRecord] {
    guard var proof = proofs[trace] else { return [] }
    for place in proof.cells.indices {
      proof.cells[place].metrics = []
      proof.cells[place].distributions = []
    }
    return [proof] + (launches[trace] ?? [])
  }

  /// All of a trace in one record; nil if there is nothing.
  func merged(_ trace: String) throws -> RunRecord? {
    let records = records(trace)
    guard !records.isEmpty else { return nil }
    var record = try RunRecord.merged(records)
    record.launches -= 1
    return record
  }

  private func judged(_ record: RunRecord) -> RunRecord {
    judged(record, isPlugin: arm.plugin != nil)
  }

  /// Keeps the cells that are asked for. Plug-ins take one name, so that two versions of one are held
  /// against each other whatever they call themselves.
  private func judged(_ record: RunRecord, isPlugin: Bool) -> RunRecord {
    var record = record
    if isPlugin {
      record.cells = record.cells.filter { $0.architectureName == ReplayPlugins.architecture }
      for place in record.cells.indices { record.cells[place].design = GateRun.pluginDesign }
    }
    let experiments = ["equality"] + plan.experiments
    record.cells = record.cells.filter {
      experiments.contains($0.experiment)
        && (plan.designs.contains($0.design) || $0.design == GateRun.pluginDesign)
    }
    return record
  }
}
