import ArgumentParser
import Foundation
import History
import Reports
import Suites

struct SuiteCheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Say what a suite would run, cell by cell, and how long it would take.",
    usage: "doorbell suite check <suite> [<options>]",
    discussion: """
      Reads the suite as strictly as 'run' does: an unknown key, a value of another type, a design that \
      its hardware does not have, a trace that is not there end the command with 3 and say where. The time is \
      an estimate from a short replay of each trace, just now on this host; with --no-estimate nothing runs.

      Try:
        doorbell suite check Benchmarks/Nightly/suite.toml
        doorbell suite check Benchmarks/Nightly/suite.toml --no-estimate
      """)

  @Argument(help: "Check this suite.")
  var suite: String

  @Flag(inversion: .prefixedNo, help: "Estimate how long it takes.")
  var estimate = true

  @Option(help: "Print in this form.")
  var format: OutputFormat = .table

  /// What is printed.
  private struct Document: Encodable {
    struct Cell: Encodable {
      var run: Int
      var trace: String
      var design: String
      var experiment: String
      var parameters: [String]
      var variant: String?
      var launches: Int
      /// Of all launches.
      var seconds: Double?
    }
    struct Calibration: Encodable {
      var trace: String
      var proofNanosecondsPerEvent: Double
      var coreNanosecondsPerEvent: Double
    }
    var version = 1
    var cells: [Cell]
    var processes: Int
    /// Absent without an estimate.
    var seconds: Double?
    var calibrations: [Calibration]
  }

  @OptionGroup var verbosity: Verbosity

  func run() throws {
    try reportingFailure(verbosity) {
      let document = try document()
      try format.print(document) { text(document) }
    }
  }

  private func document() throws -> Document {
    let plan = try SuitePlan(suite)
    var calibrations: [String: SuiteCost.Calibration] = [:]
    var cells: [Document.Cell] = []
    for cell in plan.suite.cells {
      var seconds: Double?
      if estimate {
        let calibration =
          try calibrations[cell.trace] ?? SuiteCost.Calibration(cell.trace)
        calibrations[cell.trace] = calibration
        let command = try plan.command(cell)
        let events = min(try ShardCuts.events(of: cell.trace), UInt64(command.limit))
        seconds =
          SuiteCost(command, calibration).total(events: events) * Double(cell.launches)
      }
      cells.append(
        .init(
          run: cell.run, trace: cell.traceName, design: cell.designName,
          experiment: cell.experiment,
          parameters: cell.words, variant: cell.variant, launches: cell.launches, seconds: seconds))
    }
    return Document(
      cells: cells, processes: cells.reduce(0) { $0 + $1.launches },
      seconds: estimate ? cells.reduce(0) { $0 + ($1.seconds ?? 0) } : nil,
      calibrations: calibrations.values.sorted { $0.trace < $1.trace }.map {
        .init(
          trace: $0.trace, proofNanosecondsPerEvent: $0.proofSecondsPerEvent * 1e9,
          coreNanosecondsPerEvent: $0.coreSecondsPerEvent * 1e9)
      })
  }

  private func text(_ document: Document) -> String {
    var table = Table([
      .number("run"), .word("trace"), .word("design"), .word("experiment"),
      .number("launches"), .number("about"), .word("options"),
    ])
    for cell in document.cells {
      table.add([
        "\(cell.run)", cell.trace, cell.design, cell.experiment, "\(cell.launches)",
        cell.seconds.map { String(format: "%.1f s", $0) } ?? "–",
        cell.parameters.joined(separator: " "),
      ])
    }
    var text = table.text() + "\(document.cells.count) cells, \(document.processes) processes"
    guard let seconds = document.seconds else { return text + "\n" }
    text += String(format: ", about %.1f minutes on this host\n", seconds / 60)
    for found in document.calibrations {
      text += String(
        format: "  estimated from %@: %.0f ns/event to read and prove, %.1f ns/event in core\n",
        found.trace, found.proofNanosecondsPerEvent, found.coreNanosecondsPerEvent)
    }
    return text
  }
}
