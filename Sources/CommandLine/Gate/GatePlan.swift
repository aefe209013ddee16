import ArgumentParser
import Backends
import EventModel
import Foundation
import Gates
import History
import Replay

/// A stage of `core` whose time is judged.
enum CoreStage: String, ExpressibleByArgument, CaseIterable {
  case delivery
  case setUp = "set-up"
}

/// What `gate`, `aa`, `inject`, and `compare` of two builds measure, and for how long.
struct GatePlan: ParsableArguments {
  @Option(
    name: .customLong("trace"), parsing: .upToNextOption,
    help: "Replay these traces (the shipped NVMe recording).")
  var traces: [String] = []

  @Option(
    name: .customLong("design"), parsing: .upToNextOption,
    help: "Run these designs; a plug-in brings its own (trapped eventfd direct).")
  var designs: [String] = ["trapped", "eventfd", "direct"]

  @Option(name: .customLong("arch"), help: "Run them on this interrupt hardware (arm-gicv4).")
  var architecture: Architecture = .armGICv4

  @Option(
    name: .customLong("stage"), parsing: .upToNextOption,
    help: "Judge the time of these stages of core: delivery, set-up (delivery).")
  var stages: [CoreStage] = [.delivery]

  @Option(help: "Come to a verdict within this time, the proof of equality included (60s).")
  var budget = TraceTime(argument: "60s")!

  @Option(help: "Take the warm passes of one launch: its figure is the best of them (12).")
  var passes = 12

  @Option(help: "Draw places and layouts from this seed (a new one each time, which is printed).")
  var seed: UInt64?

  @Option(help: "Also write the launches of each arm into this folder, as run records by trace.")
  var keep: String?

  /// What every launch runs. No option: a verdict of `gate` is about `core`.
  var experiments = ["core"]

  func validate() throws {
    for name in designs {
      guard let design = Design(name: name), design != .null else {
        throw ValidationError(
          "no design '\(name)' to gate; "
            + Suggestion.advice(
              for: name, among: BackendCatalogue.designs.filter { $0 != .null }.map { "\($0)" }))
      }
      if let reason = BackendCatalogue.absence(of: design, on: architecture) {
        throw ValidationError("\(design) is not available on \(architecture.rawValue): \(reason)")
      }
    }
    guard Set(designs).count == designs.count, Set(stages).count == stages.count else {
      throw ValidationError("--design and --stage name each only once")
    }
    guard (100_000_000...86_400_000_000_000).contains(budget.nanoseconds) else {
      throw ValidationError("--budget takes a time from 100ms to 86400s")
    }
    guard (1...100_000).contains(passes) else {
      throw ValidationError("--passes takes a number from 1 to 100000")
    }
  }

  var budgetSeconds: Double { Double(budget.nanoseconds) / 1e9 }

  /// Paths of traces, by the names that cells have.
  func traceFiles() throws -> [(name: String, path: String)] {
    let paths = traces.isEmpty ? [try TraceLocator.defaultTrace()] : traces
    let files = paths.map { (name: ($0 as NSString).lastPathComponent, path: $0) }
    for (index, file) in files.enumerated() {
      _ = try TraceFileSource(path: file.path)
      if let other = files[..<index].first(where: { $0.name == file.name }) {
        throw Failure(
          "\(file.path) and \(other.path) have one name, by which their cells are told apart; "
            + "rename one")
      }
    }
    return files
  }

  /// The proof: every outcome against the reference model, exact counters, no time.
  var proofWords: [String] {
    common + ["--passes", "1", "--duration", "0ms", "--equality", isCoreAlone ? "brief" : "full"]
  }

  /// One short launch among many. 5 ms give the smallest traces more passes. Experiments that deliver to
  /// another thread prove that delivery every time.
  var launchWords: [String] {
    common
      + [
        "--passes", "\(passes)", "--duration", "5ms", "--equality", isCoreAlone ? "digest" : "full",
      ]
  }

  private var isCoreAlone: Bool { experiments == ["core"] }

  private var common: [String] {
    ["--experiment"] + experiments + ["--arch", architecture.rawValue]
  }
}
