import ArgumentParser

/// `doorbell suite`: what to measure, in one file.
struct SuiteCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "suite",
    abstract: "Measure what a suite file says: traces, designs, experiments, parameters.",
    discussion: """
      A suite is a TOML file with tables [[run]]: 'traces', 'designs', 'experiments', 'arch', 'plug-ins', \
      'launches', and any parameter of 'replay' by its name, such as rate = ["20k", "50k"]. Every \
      combination is a cell. 'check' says what would run and how long; 'run' runs it, and goes on where it \
      was stopped. 'doorbell shard plan --suite' runs the same file on many machines.

      Try:
        doorbell suite check Benchmarks/Nightly/suite.toml
        doorbell suite run Benchmarks/Nightly/shared.toml --output night
      """,
    subcommands: [SuiteRunCommand.self, SuiteCheckCommand.self])
}
