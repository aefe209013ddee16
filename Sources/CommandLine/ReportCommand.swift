import ArgumentParser
import Foundation
import Gates
import History
import Plots
import Reports

struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Turn run records into one HTML page with plots, or a text for a terminal.",
    usage: "doorbell report <records> ... [<options>]",
    discussion: """
      Use it when somebody else is to look at a result. The page is one file: it fetches nothing, holds no \
      script, follows light and dark, and prints. Behind each plot are its figures. Records of one trace, \
      build and host become launches of one arm; with --baseline both arms are in every plot, and what \
      changed comes first. Also takes the JSON of a comparison or of a gate.

      Try:
        doorbell replay -o run.json && doorbell report run.json -o run.html
        doorbell replay -o run.json && doorbell report run.json --text
      """)

  @Argument(
    help: "Report on these run records, folders of them, comparisons or gates.")
  var records: [String]

  @Option(help: "Compare them with this run record, or folder of run records.")
  var baseline: String?

  @Option(name: .shortAndLong, help: "Write the page here.")
  var output: String?

  @Flag(help: "Print text with small plots instead.")
  var text = false

  @Option(help: "With --text, write lines of at most so many columns (the terminal's, or 80).")
  var width: Int?

  @OptionGroup(title: "Options with --baseline") var policy: PolicyArguments

  @OptionGroup var verbosity: Verbosity

  func validate() throws {
    guard !records.isEmpty else { throw ValidationError("name a run record") }
    guard text != (output != nil) else {
      throw ValidationError("name the page with --output FILE, or give --text")
    }
    guard width == nil || text else { throw ValidationError("--width goes with --text") }
    guard (40...1000).contains(width ?? 80) else {
      throw ValidationError("--width takes a number from 40 to 1000")
    }
  }

  func run() throws {
    try reportingFailure(verbosity) {
      var documents = ReportDocuments()
      for path in records { try documents.read(path) }
      var others = ReportDocuments()
      if let baseline {
        try others.read(baseline)
        guard others.comparisons.isEmpty, others.gates.isEmpty, !documents.records.isEmpty else {
          throw Failure("--baseline compares run records with run records, and with nothing else")
        }
      }
      let page = try Console.step("report") {
        try ReportPage(
          documents.records, baseline: others.records, comparisons: documents.comparisons,
          gates: documents.gates, policy: policy.policy)
      }
      if let output { try write(page, to: output) }
      if text {
        try Console.print(
          page.text(
            columns: width ?? Console.columns() ?? 80,
            characters: Sparkline.takesUTF8 ? .unicode : .ascii))
      }
    }
  }

  private func write(_ page: ReportPage, to path: String) throws {
    do {
      let html = try Console.step("page") { try page.html() }
      try Interruption.deferred {
        try Data(html.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
      }
    } catch let error as CocoaError {
      throw Failure("\(path): cannot be written: \(error.localizedDescription)")
    }
    Console.note("\(path): written; open it in a browser")
  }
}
