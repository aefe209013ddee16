import Foundation
import Testing

/// The files of `Benchmarks/Nightly`, which people copy: each is run or checked by the tool that reads it.
@Suite struct NightlyTests {
  private static let folder = HouseTests.root.appendingPathComponent("Benchmarks/Nightly").path

  private static func text(_ name: String) throws -> String {
    try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)
  }

  private static func night(_ folder: Folder, _ traces: [String], check: String = "") throws
    -> Tool.Result
  {
    let words = traces.map { "'\($0)'" }.joined(separator: " ")
    return try Tool.pipeline(
      "OPTIONS='--experiment core --design direct --passes 1 --duration 1ms' CHECK='\(check)' COMMIT=8a2f SITE='\(folder.path("site"))' "
        + "DOORBELL=\"$0\" '\(Self.folder)/run' '\(folder.path("nights"))' \(words)")
  }

  @Test func oneNightAfterAnotherFillsTheHistoryAndThePage() throws {
    try Folder.use { folder in
      let trace = HouseTests.root.appendingPathComponent("Traces/faults.dbtrace").path
      // Too few runs to judge.
      let first = try Self.night(folder, [trace])
      #expect(first.status == 2, "\(first.text)")
      // What is damaged does not stop the rest, and is not passed over either.
      let broken = folder.path("broken.dbtrace")
      try Data("no trace".utf8).write(to: URL(fileURLWithPath: broken))
      let second = try Self.night(folder, [broken, trace])
      #expect(second.status == 3 && second.error.contains(broken), "\(second.text)")
      let list = try Tool.run("history", "list", folder.path("nights/nights.sqlite"))
      #expect(list.output.components(separatedBy: "8a2f").count == 3, "\(list.text)")
      let page = try String(contentsOfFile: folder.path("nights/newest.html"), encoding: .utf8)
      #expect(page.contains("faults"))
      let site = try FileManager.default.contentsOfDirectory(atPath: folder.path("site"))
      #expect(site.contains("index.html") && site.contains("faults.direct.html"), "\(site)")
    }
  }

  @Test func aNightMayBeASuite() throws {
    try Folder.use { folder in
      let suite = folder.path("suite.toml")
      try """
      schema = 1
      [[run]]
      traces = "\(Tool.trace("faults"))"
      designs = "direct"
      experiments = "core"
      passes = 1
      duration = "1ms"
      tlb-entries = [0, 64]
      """.write(toFile: suite, atomically: true, encoding: .utf8)
      let night = try Self.night(folder, [suite])
      #expect(night.status == 2, "\(night.text)")
      let list = try Tool.run("history", "list", folder.path("nights/nights.sqlite"))
      #expect(list.output.components(separatedBy: "8a2f").count == 3, "\(list.text)")
      let page = try String(contentsOfFile: folder.path("nights/newest.html"), encoding: .utf8)
      #expect(page.contains("direct tlb-entries=64"))
    }
  }

  @Test func withoutAnExecutableItSaysWhatToSet() throws {
    let result = try Tool.pipeline(
      "DOORBELL=/no/such/doorbell '\(Self.folder)/run' /no/such/folder")
    #expect(result.status == 3 && result.error.contains("set DOORBELL"), "\(result.text)")
  }

  private static let hasSystemd = FileManager.default.isExecutableFile(
    atPath: "/usr/bin/systemd-analyze")

  @Test(.enabled(if: hasSystemd, "no systemd-analyze here")) func systemdTakesTheUnits() throws {
    try Folder.use { folder in
      let service = try Self.text("doorbell-nightly.service")
        .replacingOccurrences(of: "/usr/local/lib/doorbell/nightly", with: Self.folder + "/run")
        .replacingOccurrences(of: "Documentation=man:doorbell-history(1)\n", with: "")
      try service.write(
        toFile: folder.path("doorbell-nightly.service"), atomically: true, encoding: .utf8)
      try Self.text("doorbell-nightly.timer").write(
        toFile: folder.path("doorbell-nightly.timer"), atomically: true, encoding: .utf8)
      let result = try Tool.pipeline(
        "cd '\(folder.path("."))' && systemd-analyze verify ./doorbell-nightly.service "
          + "./doorbell-nightly.timer && systemd-analyze calendar '*-*-* 02:30:00'")
      #expect(result.status == 0 && !result.error.contains("doorbell"), "\(result.text)")
    }
  }

  /// The gate's step, run as GitHub runs it: with `bash -e -o pipefail`, and two builds where the jobs have them.
  /// Times are none of its matter here: the builds are the same bytes.
  @Test func theGatesWorkflowJudges() throws {
    try Folder.use { folder in
      let text = try String(
        contentsOfFile: HouseTests.root.path + "/Benchmarks/Gates/github-pull-request.yml",
        encoding: .utf8)
      let block = try #require(text.components(separatedBy: "        run: |\n").last)
      let script = block.split(separator: "\n", omittingEmptySubsequences: false)
        .map { $0.hasPrefix("          ") ? String($0.dropFirst(10)) : String($0) }
        .joined(separator: "\n")
      #expect(script.hasPrefix("status=0\n") && script.contains("doorbell gate"))
      try script.write(toFile: folder.path("step.sh"), atomically: true, encoding: .utf8)
      let result = try Tool.pipeline(
        "cd '\(folder.path("."))' && for arm in baseline candidate; do mkdir -p $arm/.build/release; "
          + "ln -s \"$0\" $arm/.build/release/doorbell; done; "
          + "GITHUB_STEP_SUMMARY=summary.md bash --noprofile --norc -e -o pipefail step.sh")
      #expect(result.status == 0, "\(result.text)")
      let summary = try String(contentsOfFile: folder.path("summary.md"), encoding: .utf8)
      #expect(summary.hasPrefix("```\n") && summary.contains("gate   pass"), "\(summary)")
    }
  }

  /// YAML is read by PyYAML where it is; what the steps run and set has to exist.
  @Test func theWorkflowRunsWhatIsThere() throws {
    let name = "github-nightly.yml"
    let text = try Self.text(name)
    let script = try Self.text("run")
    let makefile = try String(
      contentsOf: HouseTests.root.appendingPathComponent("Makefile"), encoding: .utf8)
    let commands = text.split(separator: "\n").compactMap { line -> String? in
      let words = line.trimmingCharacters(in: .whitespaces)
      return words.hasPrefix("run: ") ? String(words.dropFirst(5)) : nil
    }
    #expect(commands == ["make build", "Benchmarks/Nightly/run nights"])
    #expect(makefile.contains("\nbuild:"))
    for variable in ["DOORBELL", "COMMIT", "CHECK"] {
      #expect(text.contains("          \(variable): ") && script.contains("${\(variable):-"))
    }
    let parsed = try Tool.pipeline(
      "python3 -c 'import yaml' 2>/dev/null || exit 0; "
        + "python3 -c 'import sys, yaml; yaml.safe_load(open(sys.argv[1]))[\"jobs\"][\"night\"][\"steps\"]' "
        + "'\(Self.folder)/\(name)'")
    #expect(parsed.status == 0, "\(parsed.text)")
  }
}
