import ArgumentParser

/// How much a verb says on stderr while it works. Every verb has it.
struct Verbosity: ParsableArguments {
  @Flag(
    name: .shortAndLong,
    help: "Say nothing but results and errors: no progress, notes or warnings on stderr.")
  var quiet = false

  @Flag(
    name: .shortAndLong, help: "Say on stderr what is being done, and how long each step took.")
  var verbose = false

  func validate() throws {
    guard !quiet || !verbose else {
      throw ValidationError("--quiet and --verbose exclude each other")
    }
  }

  var level: Console.Level { quiet ? .quiet : verbose ? .verbose : .normal }

  /// As on the command line, for a verb that is started in another process.
  var words: [String] { quiet ? ["--quiet"] : verbose ? ["--verbose"] : [] }
}
