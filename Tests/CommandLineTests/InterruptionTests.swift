import Foundation
import Testing

/// Ctrl-C, and readers that go away.
@Suite struct InterruptionTests {
  /// A verb that would go on for long, in which `folder` stands for a folder of its own; and whether it says
  /// that it was interrupted.
  private static let verbs: [(line: String, says: Bool)] = [
    ("synth steady --events 1G -o folder/out", false),
    ("synth --events 1G --scale-from Traces/boot.dbtrace -o folder/out", false),
    ("import - -o folder/out", false),
    ("gate \"$0\" \"$0\" --measure-identical --budget 600s --keep folder/keep", true),
    ("aa --budget 600s --keep folder/keep", true),
    ("inject --budget 600s --keep folder/keep", true),
    ("replay --passes 1000000 --output folder/out --histograms folder/h", false),
    ("shard run folder.plan 1 --results folder/results", true),
    ("doctor --duration 60s", false),
  ]

  /// The signal hits verbs at work: each leaves no file, neither where it writes nor where temporary ones go.
  @Test(arguments: verbs) func anInterruptedVerbLeavesNothing(line: String, says: Bool) throws {
    try Folder.use { folder in
      let root = folder.path("work")
      let temporary = folder.path("temporary")
      for path in [root, temporary] {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      }
      if line.hasPrefix("shard") {
        let planned = try Tool.run(
          "shard", "plan", Tool.trace("nvme"), "--replay-options", "--passes 1000000", "--output",
          root + ".plan")
        try #require(planned.status == 0, "\(planned.text)")
      }
      let words = line.replacing("folder", with: root)
        .replacing("Traces/", with: Tool.repository + "/Traces/")
      // What `import` reads does not end either.
      let result = try Tool.pipeline(
        """
        while cat "$1"; do :; done 2>/dev/null |
          TMPDIR='\(temporary)' timeout --preserve-status -s INT -k 20 0.7 "$0" \(words)
        exit ${PIPESTATUS[1]}
        """, Tool.golden("commands.log"))
      #expect(result.status == 130, "\(result.text)")
      #expect(result.output.isEmpty)
      let said = result.error.split(separator: "\n").filter { !$0.hasPrefix("warning:") }
      #expect(said.map { $0.hasPrefix("doorbell: interrupted; ") } == (says ? [true] : []))
      for path in [root, temporary] {
        let left = try FileManager.default.subpathsOfDirectory(atPath: path)
        #expect(left.isEmpty, "\(left)")
      }
    }
  }

  /// Not killed by the signal, and the exit code is what it would have been.
  @Test(arguments: [
    "cat trace --format jsonl", "info trace", "verify trace", "replay trace --experiment core",
    "--help",
    "history export history", "report record --text", "export record --form csv",
    "doctor --duration 1ms",
  ]) func aReaderThatGoesAwayEndsAVerbQuietly(line: String) throws {
    try SampleRun.use { folder, record in
      let history = folder.path("h")
      if line.contains("history") {
        #expect(try Tool.run("history", "add", history, record).status == 0)
      }
      let words = line.replacing("trace", with: Tool.trace("boot"))
        .replacing(" history", with: " " + history).replacing("record", with: record)
      // The reader is gone before the first byte.
      let result = try Tool.pipeline(
        "(sleep 0.3; exec \"$0\" \(words)) | true; exit ${PIPESTATUS[0]}")
      #expect(result.status == 0 && result.text.isEmpty, "\(result.status) \(result.text)")
    }
  }

  @Test func aFullDiskIsSaidSo() throws {
    let result = try Tool.pipeline("\"$0\" info '\(Tool.trace("boot"))' > /dev/full")
    #expect(result.status == 3)
    #expect(result.error.contains("standard output: write failed with error 28"), "\(result.error)")
  }
}
