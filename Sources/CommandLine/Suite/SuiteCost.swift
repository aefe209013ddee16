import Foundation
import History
import Replay

/// How long a process of `replay` takes, about: so much for itself, and so much for each event.
///
/// From what one trace cost just now, and from what the options say; the slowest design is not told from the
/// quickest. A host that is busy later takes longer.
struct SuiteCost {
  var seconds: Double
  var secondsPerEvent: Double

  func total(events: UInt64) -> Double { seconds + secondsPerEvent * Double(events) }

  /// What a trace cost on this host: a process, and a first and a later pass over its events.
  struct Calibration {
    var trace: String
    var startSeconds: Double
    /// To read an event and to ask design and reference model about it.
    var proofSecondsPerEvent: Double
    /// Of `core`, set-up and delivery.
    var coreSecondsPerEvent: Double

    /// Events that are replayed for it: enough, and a second's work at most.
    private static let mostEvents = 200_000

    /// Replays the beginning of a trace through `direct`.
    init(_ path: String) throws {
      trace = (path as NSString).lastPathComponent
      // What a process costs whatever it replays, looking at the host included: hardly an event in it.
      let few = 100
      (_, startSeconds) = try Self.timed(Self.words(path, limit: few))
      let (output, seconds) = try Self.timed(Self.words(path, limit: Self.mostEvents))
      guard let record = try? JSONDecoder().decode(RunRecord.self, from: output),
        let core = record.cells.first(where: { $0.experiment == "core" }),
        let perEvent = core.metric("delivery-ns-per-event")?.value
      else {
        throw Failure("\(path): a first replay gave no figures; see 'doorbell replay \(path)'")
      }
      let held = Double(min(record.trace.events, UInt64(Self.mostEvents)))
      coreSecondsPerEvent = perEvent * 1e-9
      // The proof asks the design as well: it costs no less than that, whatever a busy host says.
      proofSecondsPerEvent = max(
        coreSecondsPerEvent, (seconds - startSeconds) / max(1, held - Double(few)))
    }

    private static func words(_ path: String, limit: Int) -> [String] {
      [
        "replay", path, "--design", "direct", "--experiment", "core", "--passes", "1",
        "--duration", "0ms", "--equality", "brief", "--limit", "\(limit)", "--format", "json",
      ]
    }

    private static func timed(_ words: [String]) throws -> (output: Data, seconds: Double) {
      let process = Process()
      let output = Pipe()
      process.executableURL = URL(fileURLWithPath: "/proc/self/exe")
      process.arguments = words
      process.standardInput = FileHandle.nullDevice
      process.standardOutput = output
      process.standardError = FileHandle.nullDevice
      let begin = ContinuousClock.now
      try process.run()
      let data = try output.fileHandleForReading.readToEnd() ?? Data()
      process.waitUntilExit()
      let spent = (ContinuousClock.now - begin).components
      return (data, Double(spent.seconds) + Double(spent.attoseconds) * 1e-18)
    }
  }

  /// - Parameter events: of the trace, or of its part.
  init(_ command: ReplayCommand, _ calibration: Calibration) {
    let core = calibration.coreSecondsPerEvent
    seconds = calibration.startSeconds
    secondsPerEvent = calibration.proofSecondsPerEvent
    for experiment in command.experiments {
      switch experiment {
      case .core:
        // Cold, warm, traffic, thrash and counter passes, or as long as the user asks.
        let options = CoreExperiment.Options()
        let others =
          options.coldPasses + options.trafficPasses + options.thrashPasses + options.counterPasses
        secondsPerEvent += Double(command.passes + others) * core
        seconds += Double(command.core.duration.nanoseconds) * 1e-9
      case .path:
        // Proved in two halves as well; twice the interrupts, at some microseconds each.
        secondsPerEvent += calibration.proofSecondsPerEvent
        seconds += Double(command.interrupts) * 2 * 5e-6
      case .paced:
        secondsPerEvent += calibration.proofSecondsPerEvent
        seconds += Double(command.pacing.sendDuration.nanoseconds) * 1e-9
      case .saturate:
        secondsPerEvent += calibration.proofSecondsPerEvent
        seconds += Double(SaturationSearch.Options().limitNanoseconds) * 1e-9
      case .scale:
        secondsPerEvent +=
          Double(command.scaling.deviceThreads * command.scaling.scalePasses) * 2 * core
      case .pipeline: secondsPerEvent += Double(command.loops) * 2 * core
      case .setUp: secondsPerEvent += Double(command.passes) * core
      }
    }
  }
}
