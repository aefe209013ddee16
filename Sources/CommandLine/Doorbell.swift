// CommandLine: people. The executable `doorbell`, one file for each verb, which parses, composes and prints.
//
// What it is not: it holds no rule of an architecture, a format or a judgement; those are in the layers below, where
// tests reach them without a process.
//
//   doorbell replay Traces/nvme.dbtrace --design direct
//
// Invariants: results on standard output, all else on standard error; an exit code of
// `Sources/Manual/Reference/ExitCodes.md`; a file is there whole or not at all, whatever ends the process; every
// help ends with two commands that work in a fresh clone.
// Threads: the main thread, and those that an experiment starts; a signal is taken by `Interruption` alone.

import ArgumentParser

#if canImport(Glibc)
  import Glibc
#endif

/// `doorbell`: parse, compose, print. Everything else is in the layers below.
@main
struct Doorbell: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doorbell",
    abstract: "Replays recorded device interrupts and DMA through competing delivery designs.",
    discussion: """
      Exit codes: 0 pass, 1 regression or nonconforming backend, 2 inconclusive, 3 could not \
      measure (damaged trace, missing part), 64 wrong usage, 130 interrupted by Ctrl-C (128 and the \
      number of any signal).

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
    Interruption.unblock()
    // A write to a reader that has gone then says EPIPE instead of ending the process midway.
    signal(SIGPIPE, SIG_IGN)
    let words = Array(CommandLine.arguments.dropFirst())
    refuseUnknownVerb(words, below: configuration, called: [])
    do {
      var command = try parseAsRoot(words)
      try command.run()
    } catch {
      guard exitCode(for: error) == .validationFailure else { exit(withError: error) }
      Console.write(Suggestion.added(to: fullMessage(for: error)) + "\n")
      exit(withError: ExitCode.validationFailure)
    }
  }

  /// A word that is no verb is told apart here: the parser would call it an unexpected argument.
  private static func refuseUnknownVerb(
    _ words: [String], below command: CommandConfiguration, called names: [String]
  ) {
    guard !command.subcommands.isEmpty, let word = words.first, !word.hasPrefix("-") else { return }
    if word == "help", names.isEmpty {
      return refuseUnknownVerb(Array(words.dropFirst()), below: command, called: names)
    }
    let verbs = command.subcommands.compactMap { $0.configuration.commandName }
    guard let place = verbs.firstIndex(of: word) else {
      let name = (names + [word]).joined(separator: " ")
      let help = (["doorbell"] + names + ["--help"]).joined(separator: " ")
      Console.error(
        "no verb '\(name)'; \(Suggestion.advice(for: word, among: verbs))\nSee '\(help)'.")
      exit(withError: ExitCode.validationFailure)
    }
    refuseUnknownVerb(
      Array(words.dropFirst()), below: command.subcommands[place].configuration,
      called: names + [word])
  }
}

enum ToolVersion {
  static let text = "0.1.0"
}
