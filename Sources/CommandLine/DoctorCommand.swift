import ArgumentParser
import Foundation
import History

struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Say what of this host stands against exact figures, and what to do.",
    usage: "doorbell doctor [<options>]",
    discussion: """
      Reads /proc and /sys, and spins on two CPUs for a while to see what the host takes away from a \
      thread that wants nothing but to run. Changes nothing. Use it before you trust a figure, and when \
      two runs differ that should not; 'replay' keeps the same findings in every run record.

      Try:
        doorbell doctor
        doorbell doctor --duration 100ms --format json
      """)

  @Option(help: "Spin so long on each of two CPUs, such as 100ms or 10s (1s).")
  var duration = TraceTime(argument: "1s")!

  @Option(
    help: """
      Read the facts of another host: a folder with copies of its /proc and /sys. Nothing is probed then.
      """)
  var root: String?

  @Flag(
    help: "End with 3 if anything stands against exact figures. Use it in front of a nightly run.")
  var strict = false

  @Option(help: "Print in this form.")
  var format: OutputFormat = .table

  @OptionGroup var verbosity: Verbosity

  func validate() throws {
    guard (1_000_000...60_000_000_000).contains(duration.nanoseconds) else {
      throw ValidationError("--duration takes a time from 1ms to 60s")
    }
  }

  func run() throws {
    try reportingFailure(verbosity) {
      let diagnosis: HostDiagnosis
      if let root {
        guard (try? FileManager.default.contentsOfDirectory(atPath: root)) != nil else {
          throw Failure("\(root): No such file or directory; name a folder with proc and sys in it")
        }
        diagnosis = .of(root: root)
      } else {
        var progress = Progress("doctor")
        progress.update(
          0, within: .nanoseconds(2 * duration.nanoseconds), saying: "spinning on two CPUs")
        diagnosis = .here(probeNanoseconds: UInt64(duration.nanoseconds))
        progress.finish()
      }
      try format.print(diagnosis) { DiagnosisText(diagnosis: diagnosis).text() }
      if strict, RunRecord.warning(of: diagnosis.findings) != nil {
        throw ExitCode(ExitStatus.couldNotMeasure.rawValue)
      }
    }
  }
}
