import Foundation
import Testing

/// What every verb does the same: help, wrong usage, files that are not there.
@Suite struct UsageTests {
  /// Each verb with arguments that are right but for the file, which is missing.
  static let verbs: [(verb: String, arguments: [String])] = [
    ("replay", ["/no/such.dbtrace"]), ("import", ["/no/such.log", "-o", "/no/such/out"]),
    ("info", ["/no/such.dbtrace"]), ("cat", ["/no/such.dbtrace"]),
    ("verify", ["/no/such.dbtrace"]), ("recover", ["/no/such.dbtrace", "-o", "/no/such/out"]),
    ("convert", ["/no/such.dbtrace", "-o", "/no/such/out"]),
    ("slice", ["/no/such.dbtrace", "-o", "/no/such/out"]),
    ("merge", ["/no/such.dbtrace", "/no/such.dbtrace", "-o", "/no/such/out"]),
    ("anonymize", ["/no/such.dbtrace", "-o", "/no/such/out"]),
    ("synth", ["--scale-from", "/no/such.dbtrace", "-o", "/no/such/out"]),
    ("record", ["-o", "/no/such/out"]), ("conform", ["/no/such.so"]),
    ("compare", ["/no/such.json", "/no/such.json"]),
    ("gate", ["/no/such", "/no/such"]), ("aa", ["/no/such"]), ("inject", ["/no/such"]),
    ("doctor", ["--root", "/no/such"]), ("report", ["/no/such.json", "--text"]),
    ("live", ["--traps", "-o", "/no/such/out"]), ("history", ["list", "/no/such.sqlite"]),
    ("export", ["/no/such.json", "--form", "csv"]),
    ("suite", ["check", "/no/such.toml"]),
    ("shard", ["run", "/no/such.json", "1", "--results", "/no/such"]),
  ]

  @Test func theHelpNamesEveryVerb() throws {
    let help = try Tool.run("--help")
    #expect(help.status == 0)
    for (verb, _) in Self.verbs { #expect(help.output.contains("  \(verb) "), "\(verb)") }
    let listed = help.output.components(separatedBy: "SUBCOMMANDS:").last ?? ""
    let count = listed.split(separator: "\n").filter { $0.hasPrefix("  ") && !$0.hasPrefix("   ") }
      .filter { !$0.hasPrefix("  See") }.count
    #expect(count == Self.verbs.count, "a verb is missing in this test:\n\(listed)")
  }

  /// Verbs below a verb, as its help lists them.
  private static func subverbs(_ verb: String) throws -> [String] {
    let parts = try Tool.run(verb, "--help").output.components(separatedBy: "SUBCOMMANDS:\n")
    return parts.count == 1
      ? []
      : parts[1].split(separator: "\n")
        .filter { $0.hasPrefix("  ") && !$0.hasPrefix("   ") && !$0.hasPrefix("  See") }
        .compactMap { $0.split(separator: " ").first.map(String.init) }
  }

  /// On 80 columns, which is what a help without a terminal is set to. The commands stay on a line each, to be
  /// copied; `Tests/Usage/try` runs them.
  @Test(arguments: verbs.map(\.verb)) func helpSaysWhenToUseItAndGivesTwoCommands(
    verb: String
  ) throws {
    let below = try Self.subverbs(verb)
    for words in [[verb]] + below.map({ [verb, $0] }) {
      let help = try Tool.run(words + ["--help"])
      #expect(help.status == 0 && help.error.isEmpty)
      for line in help.output.split(separator: "\n") { #expect(line.count <= 80, "\(line)") }
      let example = help.output.components(separatedBy: "Try:\n").last ?? ""
      let commands = (example.components(separatedBy: "\n\n").first ?? "").split(separator: "\n")
      #expect(commands.count == 2, "\(help.output)")
      #expect(commands.allSatisfy { $0.hasPrefix("  ") && $0.contains("doorbell ") })
      #expect(commands.last?.contains("doorbell \(words.joined(separator: " "))") == true)
      guard below.isEmpty || words.count == 2 else { continue }
      #expect(help.output.contains("-q, --quiet") && help.output.contains("-v, --verbose"))
    }
  }

  @Test(arguments: verbs) func aWrongFlagIsWrongUsage(verb: String, arguments: [String]) throws {
    let words = ([verb] + arguments).map { "'\($0)'" }.joined(separator: " ")
    let result = try Tool.pipeline("\"$0\" \(words) --no-such-flag")
    #expect(result.status == 64)
    #expect(result.output.isEmpty)
    #expect(result.error.contains("--no-such-flag"), "\(result.error)")
  }

  @Test(arguments: [
    ("replya", "did you mean 'replay'?"), ("verfy", "did you mean 'verify'?"),
    ("Info", "did you mean 'info'?"), ("cta", "did you mean 'cat'?"),
    ("frobnicate", "there are: replay, conform"), ("x", "there are: replay, conform"),
  ]) func anUnknownVerbIsWrongUsageAndTheNearestIsNamed(word: String, advice: String) throws {
    let result = try Tool.run(word, "trace.dbtrace")
    #expect(result.status == 64 && result.output.isEmpty)
    #expect(result.error.contains("no verb '\(word)'; \(advice)"), "\(result.error)")
  }

  @Test(arguments: [
    ("history lst nights.sqlite", "no verb 'history lst'; did you mean 'list'?"),
    ("shard x", "no verb 'shard x'; there are: plan, run, merge"),
    ("help replya", "no verb 'replya'; did you mean 'replay'?"),
    ("replay --experimnt core", "Unknown option '--experimnt'. Did you mean '--experiment'?"),
    ("replay --experiment cor", "did you mean 'core'?"),
    ("info x --format jsn", "did you mean 'json'? Please provide one of 'table' and 'json'."),
    ("synth brst -o x", "did you mean 'burst'?"),
    ("replay --design drect", "no design 'drect'; did you mean 'direct'?"),
    ("gate a b --design nul", "no design 'nul' to gate; there are: trapped, "),
    ("live --vcpu haltd", "no vCPU state 'haltd'; did you mean 'halted'?"),
    ("shard plan x -o y --experiment pth", "did you mean 'path'?"),
    ("convert x -o y --codec snappy", "Please provide one of 'zstd', 'lz4' or 'none'."),
  ]) func whatIsMistypedIsSuggested(words: String, advice: String) throws {
    let result = try Tool.run(words.split(separator: " ").map(String.init))
    #expect(result.status == 64 && result.output.isEmpty)
    #expect(result.error.contains(advice), "\(result.error)")
    #expect(!result.error.contains("snappy'; did"), "nothing is near that")
  }

  @Test(arguments: verbs) func aMissingFileIsNamed(
    verb: String, arguments: [String]
  ) throws {
    let words = ([verb] + arguments).map { "'\($0)'" }.joined(separator: " ")
    let result = try Tool.pipeline("\"$0\" \(words)")
    #expect(result.status == 3, "\(result.text)")
    #expect(result.output.isEmpty)
    #expect(result.error.contains("/no/such"), "\(result.error)")
    #expect(result.error.contains("No such file"), "\(result.error)")
    #expect(result.error.split(separator: "\n").count == 1, "\(result.error)")
  }

  @Test func valuesWithoutAUnitOrOutOfRangeAreWrongUsage() throws {
    let trace = Tool.trace("boot")
    #expect(try Tool.run("cat", trace, "--from", "5").status == 64)
    #expect(try Tool.run("cat", trace, "--from", "2s", "--to", "1s").status == 64)
    #expect(try Tool.run("cat", trace, "--kind", "no-such-kind").status == 64)
    #expect(try Tool.run("cat", trace, "--device", "0xzz").status == 64)
    #expect(try Tool.run("convert", trace, "-o", "/tmp/x", "--level", "23").status == 64)
    #expect(try Tool.run("merge", trace, "-o", "/tmp/x").status == 64)
    #expect(try Tool.run("merge", trace, trace, "--offset", "1s", "-o", "/tmp/x").status == 64)
  }
}
