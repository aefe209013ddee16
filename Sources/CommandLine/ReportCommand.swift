import ArgumentParser
import Foundation
import Gates
import History
import HistoryStore
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
      changed comes first. Also takes the JSON of a comparison or of a gate, and with --history many nights: \
      every figure run by run, with the steps in its level and their commits. --site makes a folder of pages \
      of that for a web server, and writes only those that changed: the last step of a nightly job.

      Try:
        doorbell replay -o run.json && doorbell report run.json -o run.html
        doorbell replay -o run.json && doorbell report run.json --text
      """)

  @Argument(
    help: "Report on these run records, folders of them, comparisons or gates.")
  var records: [String] = []

  @Option(help: "Compare them with this run record, or folder of run records.")
  var baseline: String?

  @Option(
    help: ArgumentHelp(
      "Show every figure of this history run by run; with records, of their traces only.",
      valueName: "file"))
  var history: String?

  @Option(
    help: ArgumentHelp(
      "Make a dashboard of the history in this folder: an index, and a page for each trace and design.",
      valueName: "folder"))
  var site: String?

  @Option(name: .shortAndLong, help: "Write the page here.")
  var output: String?

  @Flag(help: "Print text with small plots instead.")
  var text = false

  @Option(help: "With --text, write lines of at most so many columns (the terminal's, or 80).")
  var width: Int?

  @OptionGroup(title: "Options with --baseline or --history") var policy: PolicyArguments

  @OptionGroup var verbosity: Verbosity

  func validate() throws {
    guard !records.isEmpty || history != nil else {
      throw ValidationError("name a run record, or a history with --history FILE")
    }
    if site != nil {
      guard history != nil, records.isEmpty, baseline == nil, output == nil, !text else {
        throw ValidationError(
          "--site FOLDER takes --history FILE, and no records and no other output")
      }
      return
    }
    guard text != (output != nil) else {
      throw ValidationError(
        "name the page with --output FILE, a folder with --site, or give --text")
    }
    guard width == nil || text else { throw ValidationError("--width goes with --text") }
    guard (40...1000).contains(width ?? 80) else {
      throw ValidationError("--width takes a number from 40 to 1000")
    }
  }

  func run() throws {
    try reportingFailure(verbosity) {
      if let site, let history { return try build(site, history) }
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
          gates: documents.gates, history: try nights(documents), policy: policy.policy)
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

  private func build(_ site: String, _ history: String) throws {
    let outcome = try SiteFolder(path: site).build(history, policy.policy)
    Console.note(
      "\(site)/index.html: \(outcome.pages) pages, \(outcome.written) written, \(outcome.removed) removed"
    )
  }

  /// The history, if there is one to show.
  private func nights(_ documents: ReportDocuments) throws -> HistoryPages? {
    guard let history else { return nil }
    let traces = Set(documents.records.map(\.trace.contentHash))
    var answers = StepAnswers()
    return try HistoryPages(
      HistoryStore(path: history), hashes: traces.isEmpty ? nil : traces, policy: policy.policy,
      answers: &answers)
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
