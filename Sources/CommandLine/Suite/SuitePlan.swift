import ArgumentParser
import Backends
import Foundation
import History
import Measurement
import Replay
import Suites

/// From a suite to a plan: the file is read, each cell is tried on `replay`'s own options, traces and plug-ins
/// are hashed.
struct SuitePlan {
  let suite: Suite

  /// Refuses a suite that `replay` would refuse, before anything runs.
  init(_ path: String) throws {
    suite = try SuiteFile.read(
      path,
      SuiteFile.Catalogue(
        designs: BackendCatalogue.designs.map { "\($0)" },
        architectures: Architecture.allCases.map(\.rawValue)
      ) { design, architecture in
        guard let design = Design(name: design),
          let architecture = Architecture(rawValue: architecture)
        else { return "there is none" }
        return BackendCatalogue.absence(of: design, on: architecture)
      })
    for cell in suite.cells { _ = try command(cell) }
  }

  /// `replay` as it will be called for a cell.
  func command(_ cell: SuiteCell) throws -> ReplayCommand {
    do {
      return try ReplayCommand.parse(
        [cell.trace, "--design", cell.design, "--experiment", cell.experiment] + cell.words)
    } catch {
      throw SuiteError.refused(
        path: suite.path, place: "run \(cell.run)", expected: "values that 'replay' takes",
        found: ReplayCommand.message(for: error).replacing("\n", with: " "),
        advice: "mend the value; see 'doorbell replay --help'")
    }
  }

  /// A process for every cell and launch, on this host.
  func plan() throws -> ShardPlan {
    let traces = try traces { _ in [0] }
    return ShardPlan(
      tool: try Self.tool(), traces: traces, runs: try runs(traces), host: HostFingerprint.here())
  }

  static func tool() throws -> ShardPlan.Build {
    .init(version: ToolVersion.text, contentHash: try ContentHash.ofTool())
  }

  /// Every trace once, in the order in which the suite names them.
  func traces(_ cuts: (_ path: String) throws -> [UInt64]) throws -> [ShardPlan.Trace] {
    var paths: [String] = []
    for cell in suite.cells where !paths.contains(cell.trace) { paths.append(cell.trace) }
    return try paths.map { path in
      ShardPlan.Trace(
        path: path, contentHash: try ContentHash.ofFile(path),
        events: try ShardCuts.events(of: path), cuts: try cuts(path))
    }
  }

  /// Cells that differ in nothing but their trace are one run.
  func runs(_ traces: [ShardPlan.Trace]) throws -> [ShardPlan.Run] {
    struct Key: Hashable {
      var run: Int
      var design: String
      var plugIn: String?
      var experiment: String
      var words: [String]
      var variant: String?
      var launches: Int
    }
    var order: [Key] = []
    var found: [Key: [Int]] = [:]
    for cell in suite.cells {
      let key = Key(
        run: cell.run, design: cell.design, plugIn: cell.plugIn, experiment: cell.experiment,
        words: cell.words, variant: cell.variant, launches: cell.launches)
      if found[key] == nil { order.append(key) }
      found[key, default: []] += traces.indices.filter { traces[$0].path == cell.trace }
    }
    return try order.map { key in
      ShardPlan.Run(
        design: key.design,
        plugIn: try key.plugIn.map { .init(path: $0, contentHash: try ContentHash.ofFile($0)) },
        experiments: [key.experiment], parameters: key.words, variant: key.variant,
        launches: key.launches, traces: found[key] ?? [])
    }
  }
}

extension HostFingerprint {
  /// Of this host.
  static func here() -> HostFingerprint {
    HostFingerprint(
      facts: Dictionary(uniqueKeysWithValues: HostFacts.all().map { ($0.name, $0.value) }))
  }
}
