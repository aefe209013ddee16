import EventModel
import Foundation
import History
import Synchronization

#if canImport(Glibc)
  import Glibc
#endif

/// A fresh process that replays one trace, and the run record that it gave.
///
/// Its memory layout is another one each time, on purpose: the kernel places it at random (unless that is
/// switched off on the host), and an environment of random size moves its stack. So a lucky layout is not
/// taken for a faster build (Mytkowicz et al., Producing Wrong Data Without Doing Anything Obviously
/// Wrong, ASPLOS 2009).
struct Launch {
  /// Bytes by which the environment grows at most: a page.
  static let environmentPadding = 4096

  var arm: Arm
  var trace: String
  var designs: [String]
  var arguments: [String]
  /// A launch that takes longer is ended.
  var deadlineSeconds = 120.0

  /// What became of a launch that gave no record.
  struct Broken: Error, CustomStringConvertible {
    var arm: String
    var reason: String
    var description: String { "\(arm): a launch \(reason)" }
  }

  /// - Parameters:
  ///   - padding: bytes by which the environment grows.
  ///   - folder: for what the process prints.
  func run(padding: Int, folder: String) throws -> RunRecord {
    let command = arm.command(designs)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: command.executable)
    process.arguments =
      ["replay", trace] + command.words + arguments + ["--format", "json"] + arm.arguments
    process.environment = ProcessInfo.processInfo.environment.merging(
      ["DOORBELL_PADDING": String(repeating: "x", count: padding)]
    ) { _, new in new }
    let name = folder + "/" + UUID().uuidString
    defer {
      for end in [".out", ".err"] { try? FileManager.default.removeItem(atPath: name + end) }
    }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try FileHandle(creating: name + ".out")
    process.standardError = try FileHandle(creating: name + ".err")
    let ended = DispatchSemaphore(value: 0)
    process.terminationHandler = { _ in ended.signal() }
    do {
      try process.run()
    } catch {
      throw Broken(arm: arm.name, reason: "could not be started: \(error.localizedDescription)")
    }
    // Four times a second: seldom enough beside what the launch measures.
    let deadline = ContinuousClock.now + .seconds(deadlineSeconds)
    while ended.wait(timeout: .now() + 0.25) == .timedOut {
      let isLate = ContinuousClock.now > deadline
      guard isLate || Interruption.isStopRequested else { continue }
      kill(process.processIdentifier, SIGKILL)
      ended.wait()
      guard isLate else { break }
      throw Broken(arm: arm.name, reason: "did not end within \(Int(deadlineSeconds)) s")
    }
    // A terminal tells the launch as well, and it ends by that.
    guard !Interruption.isStopRequested else {
      throw Interruption.Stopped(consequence: "nothing is known of \(arm.name)")
    }
    let output = FileManager.default.contents(atPath: name + ".out") ?? Data()
    // A nonconforming design ends with 1 and has a record all the same.
    if process.terminationReason == .exit, [0, 1].contains(process.terminationStatus),
      let record = try? JSONDecoder().decode(RunRecord.self, from: output)
    {
      return record
    }
    let said = FileManager.default.contents(atPath: name + ".err") ?? Data()
    throw Broken(
      arm: arm.name,
      reason: "\(Self.ending(process)); it said: "
        + (String(decoding: said, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines))
    )
  }

  private static func ending(_ process: Process) -> String {
    process.terminationReason == .exit
      ? "ended with \(process.terminationStatus) and no run record"
      : "was ended by signal \(process.terminationStatus)"
  }
}
