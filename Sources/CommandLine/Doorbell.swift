import ArgumentParser

/// `doorbell`: parse, compose, print. Everything else is in the layers below.
@main
struct Doorbell: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doorbell",
    abstract: "Replays recorded device interrupts and DMA through competing delivery designs.",
    discussion: """
      Exit codes: 0 pass, 1 regression or nonconforming backend, 2 inconclusive, 3 could not \
      measure (damaged trace, missing part), 64 wrong usage.

      Try:
        doorbell replay
        doorbell info Traces/nvme.dbtrace
      """,
    version: ToolVersion.text,
    subcommands: [
      ReplayCommand.self, ConformCommand.self, DoctorCommand.self, ImportCommand.self,
      RecordCommand.self, InfoCommand.self, CatCommand.self, VerifyCommand.self,
      RecoverCommand.self, ConvertCommand.self, SliceCommand.self, MergeCommand.self,
      AnonymizeCommand.self, SynthCommand.self, CompareCommand.self, ReportCommand.self,
      LiveCommand.self, HistoryCommand.self, ExportCommand.self,
      GateCommand.self, AACommand.self, InjectCommand.self,
      SuiteCommand.self, ShardCommand.self,
    ])

  static func main() {
    // A word that is no verb is told apart here: the parser would call it an unexpected argument.
    if let word = CommandLine.arguments.dropFirst().first, !word.hasPrefix("-"), word != "help" {
      let verbs = configuration.subcommands.compactMap { $0.configuration.commandName }
      if !verbs.contains(word) {
        let nearest = VerbSuggestion.nearest(to: word, among: verbs)
        let advice =
          nearest.map { "did you mean '\($0)'?" } ?? "there are: \(verbs.joined(separator: ", "))"
        Console.error("no verb '\(word)'; \(advice)\nSee 'doorbell --help'.")
        exit(withError: ExitCode.validationFailure)
      }
    }
    main(nil)
  }
}

enum ToolVersion {
  static let text = "0.1.0"
}
