import Foundation
import Testing

@testable import Suites

/// A suite's file: what it says, and what is refused, with its place.
@Suite struct SuiteFileTests {
  static let catalogue = SuiteFile.Catalogue(
    designs: ["trapped", "direct", "null"], architectures: ["arm-gicv3", "arm-gicv4"]
  ) { design, architecture in
    design == "direct" && architecture == "arm-gicv3" ? "no virtual entries" : nil
  }

  /// Reads `text` from a file beside an empty a.dbtrace, sub/a.dbtrace, b.dbtrace and p.so.
  static func read(_ text: String) throws -> Suite {
    let folder = NSTemporaryDirectory() + "suites-\(UUID().uuidString)"
    try FileManager.default.createDirectory(
      atPath: folder + "/sub", withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    for name in ["a.dbtrace", "sub/a.dbtrace", "b.dbtrace", "p.so"] {
      _ = FileManager.default.createFile(atPath: "\(folder)/\(name)", contents: nil)
    }
    try Data(text.utf8).write(to: URL(fileURLWithPath: folder + "/suite.toml"))
    return try SuiteFile.read(folder + "/suite.toml", catalogue)
  }

  @Test func everyCombinationIsACellAndAParameterGoesWhereItMeansSomething() throws {
    let suite = try Self.read(
      """
      schema = 1
      launches = 2
      [[run]]
      traces = ["a.dbtrace", "b.dbtrace"]
      designs = ["trapped", "direct"]
      plug-ins = "p.so"
      experiments = ["core", "paced"]
      rate = [20_000, "50k"]
      passes = 3
      tlb-entries = 0
      [[run]]
      name = "old"
      traces = "sub/../a.dbtrace"
      designs = "trapped"
      arch = "arm-gicv3"
      experiments = "core"
      launches = 1
      """)
    let cells = suite.cells
    // Two traces, three designs, core once and paced at two rates; and one more.
    #expect(cells.count == 2 * 3 * 3 + 1)
    #expect(cells.dropLast().allSatisfy { $0.launches == 2 } && cells.last?.launches == 1)
    let core = try #require(cells.first { $0.experiment == "core" && $0.design == "direct" })
    #expect(core.variant == nil)
    #expect(core.words == ["--arch", "arm-gicv4", "--passes", "3", "--tlb-entries", "0"])
    let paced = cells.filter { $0.experiment == "paced" && $0.plugIn != nil }
    #expect(paced.map(\.variant) == ["rate=20000", "rate=50k", "rate=20000", "rate=50k"])
    #expect(paced[1].words == ["--rate", "50k", "--tlb-entries", "0"])
    #expect(paced[1].designName == "p.so" && paced[1].design == "null")
    #expect(cells.last?.variant == "old")
    #expect(cells.last?.trace == cells[0].trace)
  }

  @Test func defaultsAreThoseOfReplay() throws {
    let suite = try Self.read("schema = 1\n[[run]]\ntraces = \"a.dbtrace\"\ndesigns = \"null\"")
    #expect(suite.runs[0].experiments == ["core", "path"])
    #expect(suite.runs[0].architectures == ["arm-gicv4"] && suite.runs[0].launches == 1)
  }

  private static let run = "schema = 1\n[[run]]\ntraces = \"a.dbtrace\"\ndesigns = [\"trapped\"]\n"

  /// Text, and words that the message must have.
  static let refused: [(text: String, words: [String])] = [
    ("schema = 1\n[[run]\n", ["suite.toml:2:", "not TOML"]),
    ("schema = 1\n[[run]]\ntraces = \"a.dbtrace\"\ntraces = \"b\"", ["suite.toml:4:", "not TOML"]),
    ("", ["schema: expected 1, found none"]),
    ("schema = 2", ["schema: expected 1, found 2"]),
    ("schema = \"1\"", ["schema: expected an integer, found the string \"1\""]),
    ("schema = 1", ["run: expected one or more tables [[run]], found none"]),
    ("schema = 1\nrun = 3", ["run: expected one or more tables", "found the integer 3"]),
    ("schema = 1\nlaunch = 3\n[[run]]", ["launch: expected one of the keys schema, launches, run"]),
    (run + "launches = 0", ["launches of run 1: expected a number from 1 to 1000, found 0"]),
    (run + "launches = 1.5", ["launches of run 1: expected an integer, found the number 1.5"]),
    (
      run + "design = \"x\"",
      ["design of run 1: expected one of the keys name, traces", "'design'"]
    ),
    ("schema = 1\n[[run]]", ["traces of run 1: expected paths of traces, found none"]),
    ("schema = 1\n[[run]]\ntraces = []", ["traces of run 1", "found an empty array"]),
    ("schema = 1\n[[run]]\ntraces = [3]", ["traces of run 1", "found the integer 3"]),
    (
      "schema = 1\n[[run]]\ntraces = \"c.dbtrace\"", ["expected a file /", "c.dbtrace, found none"]
    ),
    ("schema = 1\n[[run]]\ntraces = \"sub\"", ["expected a file", "found a folder"]),
    (run + "name = [\"a\"]", ["name of run 1: expected a string, found an array"]),
    (run + "plug-ins = \"q.so\"", ["plug-ins of run 1", "q.so, found none"]),
    (run + "experiments = \"corr\"", ["experiments of run 1: expected one or more of core, path"]),
    (run + "experiments = [\"core\", \"core\"]", ["expected each value once, found 'core' twice"]),
    (run + "arch = \"arm\"", ["arch of run 1: expected one or more of arm-gicv3, arm-gicv4"]),
    (run + "rate = \"1k\"", ["rate of run 1", "that take it: paced, found core, path"]),
    (run + "passes = \"3\"", ["passes of run 1: expected an integer from 0 up, found the string"]),
    (run + "passes = -1", ["passes of run 1", "found the integer -1"]),
    (run + "duration = 3", ["duration of run 1: expected a time as a string", "the integer 3"]),
    (run + "duration = true", ["duration of run 1", "found true"]),
    (
      run + "experiments = \"paced\"\nwait = \"sit\"",
      ["wait of run 1: expected one of \"spin\", \"yield\", \"sleep\", found the string \"sit\""]
    ),
    (
      "schema = 1\n[[run]]\ntraces = \"a.dbtrace\"\ndesigns = [\"direct\"]\narch = \"arm-gicv3\"",
      ["designs of run 1: expected designs that arm-gicv3 has, found direct: no virtual entries"]
    ),
    (
      run
        + "[[run]]\ntraces = \"a.dbtrace\"\ndesigns = \"trapped\"\nexperiments = \"core\"\npasses = 3",
      ["run 2: expected cells that differ from those of run 1", "trapped core in both", "'name'"]
    ),
    (
      run + "experiments = \"core\"\n[[run]]\ntraces = \"a.dbtrace\"\ndesigns = \"trapped\"\n"
        + "experiments = \"path\"\ntlb-entries = 0",
      ["run 2", "proved with unlike 'limit' or 'tlb-entries'"]
    ),
    (
      run + "[[run]]\nname = \"x\"\ntraces = \"sub/a.dbtrace\"\ndesigns = \"trapped\"",
      ["traces of run 2: expected traces of different file names", "sub/a.dbtrace"]
    ),
  ]

  @Test(arguments: refused.indices) func whatIsNoSuiteIsRefusedWithItsPlace(index: Int) throws {
    let (text, words) = Self.refused[index]
    let error = #expect(throws: SuiteError.self) { try Self.read(text) }
    let message = "\(try #require(error))"
    for word in words { #expect(message.contains(word), "\(message)\n  lacks: \(word)") }
    #expect(message.contains("suite.toml"))
  }

  @Test func aFileThatIsNotThereIsNamed() throws {
    let error = #expect(throws: SuiteError.self) {
      try SuiteFile.read("/no/such.toml", Self.catalogue)
    }
    #expect("\(try #require(error))".contains("/no/such.toml: cannot be read: No such file"))
  }
}
