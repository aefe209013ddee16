import Foundation
import Testing

/// What verbs say on stderr while they work, and where they say nothing.
@Suite struct ConsoleTests {
  private static let hasTerminal = FileManager.default.isExecutableFile(atPath: "/usr/bin/script")

  /// What `arguments` write to a terminal of so many columns, results included.
  private func onTerminal(_ arguments: [String], columns: Int = 80) throws -> String {
    let words = ([Tool.path] + arguments).map { "'\($0)'" }.joined(separator: " ")
    // A line of its own: script gives the command a terminal whatever it has itself.
    let line = "stty cols \(columns); exec \(words)"
    let result = try Tool.pipeline("exec script -qec \"$1\" /dev/null </dev/null", line)
    #expect(result.status == 0, "\(result.text)")
    return result.output
  }

  private let replay = [
    "replay", Tool.trace("boot"), "--design", "direct", "eventfd", "--experiment", "core",
    "--passes", "1",
    "--duration", "0ms",
  ]

  @Test(.enabled(if: hasTerminal, "script(1) is not installed"), arguments: [80, 50])
  func progressOnATerminalFitsItAndIsWipedBeforeResults(columns: Int) throws {
    let text = try onTerminal(replay, columns: columns)
    let lines = text.components(separatedBy: "\r").filter { $0.hasPrefix("replay ") }
    #expect(lines.count == 4, "two proofs, two experiments: \(text)")
    let drawn = try #require(lines.last)
    for part in ["75 %  3 of 4 parts", " left", "eventfd"] {
      #expect(drawn.contains(part), "\(drawn)")
    }
    #expect(drawn.contains("[###############.....]") == (columns == 80), "\(drawn)")
    for line in lines {
      #expect(line.replacing("\u{1B}[K", with: "").count < columns, "\(line)")
    }
    #expect(text.contains("\r\u{1B}[Ktrace "), "\(text)")
  }

  @Test(.enabled(if: hasTerminal, "script(1) is not installed"))
  func quietDrawsNothingOnATerminal() throws {
    let text = try onTerminal(replay + ["--quiet"])
    #expect(text.hasPrefix("trace "), "\(text)")
  }

  @Test func aPipeSeesNoProgressAndVerboseTellsStepsWithTheirTime() throws {
    try Folder.use { folder in
      let convert = ["convert", Tool.trace("boot"), "-o", folder.path("u"), "--level", "1"]
      let plain = try Tool.run(convert)
      #expect(plain.status == 0 && plain.error.isEmpty, "\(plain.error)")
      let told = try Tool.run(convert + ["--verbose"])
      let lines = told.error.split(separator: "\n")
      #expect(lines.count == 4 && lines[0] == "check …" && lines[2] == "convert …", "\(told.error)")
      for (index, name) in [(1, "check"), (3, "convert")] {
        #expect(
          lines[index].wholeMatch(of: try Regex("\(name): \\d+\\.\\d{3} s, 2\\.5 k events")) != nil,
          "\(lines[index])")
      }
      #expect(told.output == plain.output)
      #expect(try Tool.run(convert + ["-q", "-v"]).status == 64)
    }
  }

  @Test(.enabled(if: hasTerminal, "script(1) is not installed"), arguments: [60, 80, 120])
  func sentencesAreSetToTheTerminalAndTablesAreNot(columns: Int) throws {
    try Folder.use { folder in
      let doctor = ["doctor", "--root", folder.root]
      let plain = try Tool.run(doctor).output
      #expect(plain.split(separator: "\n").contains { $0.count > 80 })
      let text = try onTerminal(doctor, columns: columns).replacing("\r\n", with: "\n")
      func words(_ text: String) -> [Substring] { text.split { $0.isWhitespace } }
      #expect(words(text) == words(plain), "nothing is lost")
      #expect(text.split(separator: "\n").allSatisfy { $0.count <= columns }, "\(text)")
    }
    let wide = ["info", Tool.trace("boot")]
    func tables(_ text: String) -> [Substring] {
      Array(text.split(whereSeparator: \.isNewline).drop { !$0.hasPrefix("  kind ") })
    }
    #expect(tables(try onTerminal(wide, columns: columns)) == tables(try Tool.run(wide).output))
    #expect(!tables(try Tool.run(wide).output).isEmpty)
  }

  @Test func quietLeavesWarningsOutAndErrorsIn() throws {
    try Folder.use { folder in
      let synth = [
        "synth", "steady", "--events", "6k", "--vcpus", "1", "--devices", "1", "--vectors", "300",
        "-o",
        folder.path("t"),
      ]
      let warned = try Tool.run(synth)
      #expect(warned.error.hasPrefix("warning: "), "\(warned.text)")
      let quiet = try Tool.run(synth + ["--quiet"])
      #expect(quiet.status == 0 && quiet.error.isEmpty && quiet.output == warned.output)
      let failed = try Tool.run("info", "/no/such", "--quiet")
      #expect(failed.status == 3 && failed.error.hasPrefix("doorbell: /no/such"))
    }
  }

  @Test func coloursAreForTerminalsAndTheEnvironmentDecides() throws {
    let red = "\u{1B}[1;31mdoorbell:\u{1B}[0m"
    func error(_ environment: String) throws -> String {
      try Tool.pipeline("env -u NO_COLOR \(environment) \"$0\" info /no/such; true").error
    }
    #expect(try error("").hasPrefix("doorbell:"))
    #expect(try error("CLICOLOR_FORCE=1").hasPrefix(red))
    #expect(try error("CLICOLOR_FORCE=0").hasPrefix("doorbell:"))
    #expect(try error("CLICOLOR_FORCE=1 NO_COLOR=1").hasPrefix("doorbell:"))
    guard Self.hasTerminal else { return }
    for (environment, isRed) in [("TERM=xterm", true), ("NO_COLOR=1", false), ("TERM=dumb", false)]
    {
      let seen = try Tool.pipeline(
        "script -qec \"env -u NO_COLOR \(environment) '$0' info /no/such\" /dev/null </dev/null; true"
      )
      #expect(seen.output.hasPrefix(red) == isRed, "\(environment): \(seen.output)")
    }
  }
}
