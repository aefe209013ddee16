import Foundation
import History
import Testing

/// `suite` on the real binary: what it measures, what it goes on with, and what it never mixes.
@Suite struct SuiteVerbTests {
  /// Two traces beside a suite of the quickest cells there are.
  private static func prepare(_ folder: Folder, _ run: String) throws -> String {
    for name in ["boot", "faults"] {
      try FileManager.default.copyItem(
        atPath: Tool.trace(name), toPath: folder.path("\(name).dbtrace"))
    }
    let suite = folder.path("suite.toml")
    try Data("schema = 1\n[[run]]\npasses = 1\nduration = \"1ms\"\n\(run)\n".utf8)
      .write(to: URL(fileURLWithPath: suite))
    return suite
  }

  private static let fourCells =
    "traces = [\"boot.dbtrace\", \"faults.dbtrace\"]\ndesigns = [\"null\", \"direct\"]\n"
    + "experiments = \"core\""

  private static func edit(_ path: String, _ change: (String) -> String) throws {
    let text = try String(contentsOfFile: path, encoding: .utf8)
    try change(text).write(toFile: path, atomically: true, encoding: .utf8)
  }

  @Test func theResultsAreThoseOfReplay() throws {
    try Folder.use { folder in
      let suite = try Self.prepare(
        folder,
        "launches = 2\ntraces = \"faults.dbtrace\"\ndesigns = \"direct\"\nexperiments = \"core\"\n"
          + "tlb-entries = 16")
      let out = folder.path("out")
      let run = try Tool.run("suite", "run", suite, "-o", out)
      #expect(run.status == 0, "\(run.text)")
      #expect(run.output.contains("2 measured, 0 were there, 0 missing of 2"))
      let record = folder.path("direct.json")
      let replay = try Tool.run(
        "replay", Tool.trace("faults"), "--design", "direct", "--experiment", "core",
        "--passes", "1", "--duration", "1ms", "--tlb-entries", "16", "-o", record)
      #expect(replay.status == 0)
      let expected = try RunRecord.read(from: record)
      let found = try FileManager.default.contentsOfDirectory(atPath: out + "/results").sorted()
      #expect(found == ["1-faults-direct-core-1.json", "2-faults-direct-core-2.json"])
      for name in found {
        let result = try RunRecord.read(from: "\(out)/results/\(name)")
        #expect(result.trace == expected.trace && result.host == expected.host)
        #expect(result.firstDifference(fromRepetition: expected) == nil)
        #expect(expected.firstDifference(fromRepetition: result) == nil)
        #expect(
          result.cells.map(\.parameters.keys.count) == expected.cells.map(\.parameters.keys.count))
      }
      let merged = try RunRecord.read(from: out + "/merged/faults.dbtrace.json")
      #expect(merged.launches == 2)
      #expect(merged.cells[1].metric("delivery-ns-per-event")?.samplesByLaunch.count == 2)
      // Nothing is left on the way.
      #expect(!FileManager.default.fileExists(atPath: out + "/.working"))
    }
  }

  @Test func afterAKillNothingIsHalfWrittenAndOnlyTheRestIsMeasured() throws {
    try Folder.use { folder in
      let suite = try Self.prepare(folder, Self.fourCells)
      let out = folder.path("out")
      // Killed as soon as there is a result, with the next cell under way; before that, a second process is
      // turned away.
      let killed = try Tool.pipeline(
        """
        "$0" suite run "$1" -o "$2" & first=$!
        until [ -e "$2/plan.json" ] || ! kill -0 $first; do sleep 0.01; done
        "$0" suite run "$1" -o "$2"; echo "second $?"
        until ls "$2"/results/*.json >/dev/null 2>&1 || ! kill -0 $first; do sleep 0.01; done
        kill -9 $first; wait $first; echo "first $?"
        """, suite, out)
      #expect(killed.output.contains("second 3"), "\(killed.text)")
      #expect(killed.error.contains("another process is running a suite into it"))
      #expect(killed.output.contains("first 137"), "\(killed.text)")
      let before = try FileManager.default.contentsOfDirectory(atPath: out + "/results").sorted()
      #expect((1...3).contains(before.count) && before.allSatisfy { $0.hasSuffix(".json") })
      let bytes = try before.map { name in
        _ = try RunRecord.read(from: "\(out)/results/\(name)")
        return try Data(contentsOf: URL(fileURLWithPath: "\(out)/results/\(name)"))
      }
      let again = try Tool.run("suite", "run", suite, "-o", out)
      #expect(again.status == 0, "\(again.text)")
      #expect(
        again.output.contains(
          "\(4 - before.count) measured, \(before.count) were there, 0 missing of 4"))
      for (name, data) in zip(before, bytes) {
        #expect(try Data(contentsOf: URL(fileURLWithPath: "\(out)/results/\(name)")) == data)
      }
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: out + "/merged").sorted()
          == ["boot.dbtrace.json", "faults.dbtrace.json"])
    }
  }

  @Test func anInterruptedSuiteLeavesWholeResultsAndGoesOn() throws {
    try Folder.use { folder in
      let suite = try Self.prepare(folder, Self.fourCells)
      try Self.edit(suite) { $0.replacing("1ms", with: "600ms") }
      let (out, temporary) = (folder.path("out"), folder.path("temporary"))
      try FileManager.default.createDirectory(
        atPath: temporary, withIntermediateDirectories: true)
      let stopped = try Tool.pipeline(
        """
        TMPDIR="$3" timeout --preserve-status -s INT -k 20 1.5 "$0" suite run "$1" -o "$2"
        """, suite, out, temporary)
      #expect(stopped.status == 130, "\(stopped.text)")
      #expect(stopped.error.contains("doorbell: interrupted; "), "\(stopped.text)")
      #expect(try FileManager.default.subpathsOfDirectory(atPath: temporary).isEmpty)
      // None at all where the host was that slow.
      let before =
        (try? FileManager.default.contentsOfDirectory(atPath: out + "/results")) ?? []
      #expect(before.count < 4 && before.allSatisfy { $0.hasSuffix(".json") }, "\(before)")
      for name in before { _ = try RunRecord.read(from: "\(out)/results/\(name)") }
      let again = try Tool.run("suite", "run", suite, "-o", out)
      #expect(again.status == 0, "\(again.text)")
      #expect(
        again.output.contains(
          "\(4 - before.count) measured, \(before.count) were there, 0 missing of 4"))
    }
  }

  @Test func resultsOfAnotherSuiteTraceExecutableOrHostAreRefusedByName() throws {
    try Folder.use { folder in
      let suite = try Self.prepare(
        folder, "traces = \"boot.dbtrace\"\ndesigns = \"null\"\nexperiments = \"core\"")
      let (out, trace) = (folder.path("out"), folder.path("boot.dbtrace"))
      #expect(try Tool.run("suite", "run", suite, "-o", out).status == 0)
      let plan = out + "/plan.json"
      let kept = try Data(contentsOf: URL(fileURLWithPath: plan))
      func refused(_ words: String..., sourceLocation: SourceLocation = #_sourceLocation) throws {
        let run = try Tool.run("suite", "run", suite, "-o", out)
        #expect(
          run.status == 3 && run.output.isEmpty, "\(run.text)", sourceLocation: sourceLocation)
        for word in words + ["holds results of something else", "name another folder"] {
          #expect(run.error.contains(word), "\(run.error)", sourceLocation: sourceLocation)
        }
      }
      func restore() throws { try kept.write(to: URL(fileURLWithPath: plan)) }

      try Self.edit(plan) {
        $0.replacing(/"kernel" : "[^"]*"/, with: "\"kernel\" : \"another\"")
      }
      try refused("host: kernel: another against ")
      try restore()
      let tool = try ShardPlan.read(from: plan).tool.contentHash
      try Self.edit(plan) { $0.replacing(tool, with: String(repeating: "0", count: 64)) }
      try refused("executable: 000000000000, version ")
      try restore()
      try Self.edit(suite) { $0.replacing("\"null\"", with: "\"direct\"") }
      try refused("suite: 'direct core --arch arm-gicv4", "not so then", "suite: 'null core")
      // A word of comment changes nothing that is measured.
      try Self.edit(suite) { "# a night\n" + $0.replacing("\"direct\"", with: "\"null\"") }
      #expect(try Tool.run("suite", "run", suite, "-o", out).output.contains("1 were there"))
      try FileManager.default.removeItem(atPath: trace)
      try FileManager.default.copyItem(atPath: Tool.trace("faults"), toPath: trace)
      try refused("boot.dbtrace: sha256 ")
      // Not a folder of a suite at all.
      let other = try Tool.run("suite", "run", suite, "-o", folder.root)
      #expect(other.status == 3 && other.error.contains("is not empty and has no plan.json"))
    }
  }

  @Test func aCellThatFailsIsNamedAndTheOthersStay() throws {
    try Folder.use { folder in
      let suite = try Self.prepare(
        folder,
        "traces = [\"boot.dbtrace\", \"faults.dbtrace\"]\ndesigns = \"null\"\nexperiments = \"core\""
      )
      // Damaged in the middle: the index at its end still says how many events there are.
      let trace = URL(fileURLWithPath: folder.path("boot.dbtrace"))
      var bytes = try Data(contentsOf: trace)
      bytes[bytes.count / 2] ^= 0xFF
      try bytes.write(to: trace)
      let out = folder.path("out")
      let run = try Tool.run("suite", "run", suite, "-o", out)
      #expect(run.status == 3, "\(run.text)")
      #expect(run.error.contains("boot.dbtrace events 0..<"), "\(run.error)")
      #expect(run.output.contains("1 measured, 0 were there, 1 missing of 2"))
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: out + "/merged")
          == ["faults.dbtrace.json"])
      // A design that does not conform has its result, and is the worse of the two.
      let result = out + "/results/2-faults-null-core-1.json"
      var record = try RunRecord.read(from: result)
      record.cells[0].conformance = .init(
        accessesCompared: 1, interruptsCompared: 1, agreedWithReference: false,
        recordedCompared: 0, agreedWithRecording: true, firstDifference: "event 7")
      try record.write(to: result)
      let again = try Tool.run("suite", "run", suite, "-o", out)
      #expect(again.status == 1, "\(again.text)")
      #expect(again.error.contains("does not conform:\nevent 7"))
    }
  }

  @Test func checkSaysWhatWouldRun() throws {
    let suite = Tool.repository + "/Benchmarks/Nightly/suite.toml"
    let check = try Tool.run("suite", "check", suite, "--no-estimate", "--format", "json")
    #expect(check.status == 0, "\(check.text)")
    struct Document: Decodable {
      struct Cell: Decodable { var trace, design, experiment: String }
      var cells: [Cell]
      var processes: Int
    }
    let found = try JSONDecoder().decode(Document.self, from: Data(check.output.utf8))
    #expect(found.processes == found.cells.count)
    #expect(Set(found.cells.map(\.experiment)) == ["core", "path", "paced", "pipeline", "set-up"])
    let closed = try Tool.run(
      "suite", "check", Tool.repository + "/Benchmarks/Nightly/shared.toml", "--no-estimate",
      "--format", "json")
    #expect(closed.status == 0, "\(closed.text)")
    let cells = try JSONDecoder().decode(Document.self, from: Data(closed.output.utf8)).cells
    #expect(cells.count == 18 && Set(cells.map(\.experiment)) == ["core", "path", "set-up"])
    try Folder.use { folder in
      let wrong = try Self.prepare(
        folder, "traces = \"boot.dbtrace\"\nexperiments = \"paced\"\nrate = \"fast\"")
      try Self.edit(wrong) { $0.replacing("passes = 1\nduration = \"1ms\"\n", with: "") }
      let refused = try Tool.run("suite", "check", wrong)
      #expect(
        refused.status == 3 && refused.error.contains("run 1: expected values that 'replay' takes"))
      #expect(refused.error.contains("'fast' is invalid for '--rate"), "\(refused.error)")
      // What it costs is measured before, and stated.
      let quick = try Self.prepare(
        try Folder.sub(folder),
        "traces = \"boot.dbtrace\"\ndesigns = \"direct\"\nexperiments = \"core\"")
      let told = try Tool.run("suite", "check", quick)
      #expect(
        told.status == 0 && told.output.contains("1 cells, 1 processes, about "), "\(told.text)")
      #expect(told.output.contains("estimated from boot.dbtrace: "))
    }
  }
}

extension Folder {
  /// Another in it.
  fileprivate static func sub(_ folder: Folder) throws -> Folder {
    let root = folder.path("sub")
    try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
    return Folder(root: root)
  }
}
