import ArgumentParser

/// How many blocks, pairs of launches, `aa` and `compare` take at most.
struct BlockLimit: ParsableArguments {
  @Option(help: "Stop after so many pairs of launches (as many as the budget has time for).")
  var blocks: Int?

  func validate() throws {
    guard blocks ?? 6 >= 6 else {
      throw ValidationError("--blocks takes 6 or more: an interval needs as many")
    }
  }

  var most: Int { blocks ?? .max }
}
