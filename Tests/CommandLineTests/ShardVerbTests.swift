import Foundation
import History
import Testing
import TraceFormat

/// `shard` on the real binary.
@Suite struct ShardVerbTests {
  private static let quick = [
    "--design", "direct", "--experiment", "core", "--replay-options", "--passes 1 --duration 1ms",
  ]

  @Test func partsOfATraceAddUpToTheWhole() throws {
    try Folder.use { folder in
      let (plan, whole) = (folder.path("plan.json"), folder.path("whole.json"))
      let (one, two) = (folder.path("one"), folder.path("two"))
      let planned = try Tool.run(
        ["shard", "plan", Tool.trace("faults"), "--part-events", "1k", "-o", plan] + Self.quick)
      #expect(planned.status == 0, "\(planned.text)")
      #expect(planned.output.contains("faults.dbtrace: 1613 events in 2 parts"))
      // The same shard twice at once: one of them is first. Beside it the other shard, and the whole.
      let runs = try Tool.pipeline(
        """
        "$0" shard run "$1" 2 --results "$3" & a=$!; "$0" shard run "$1" 2 --results "$3" & b=$!
        "$0" shard run "$1" 1 --results "$2" & c=$!
        "$0" replay "$5" --design direct --experiment core --passes 1 --duration 1ms -o "$4" || exit
        wait $a && wait $b && wait $c
        """, plan, one, two, whole, Tool.trace("faults"))
      #expect(runs.status == 0, "\(runs.text)")
      #expect(
        runs.output.contains("somebody else was first") || runs.output.contains("not run again"))
      #expect(try FileManager.default.contentsOfDirectory(atPath: two) == ["shard-2.json"])
      let merged = folder.path("merged")
      let partial = try Tool.run("shard", "merge", plan, two, "-o", merged)
      #expect(partial.status == 3 && partial.error.contains("shard 1: faults.dbtrace events 0..<"))
      #expect(!FileManager.default.fileExists(atPath: merged))
      let again = try Tool.run("shard", "run", plan, "1", "--results", one)
      #expect(again.status == 0 && again.output.contains("not run again"))
      let put = try Tool.run("shard", "merge", plan, two, one, two, "-o", merged)
      #expect(put.status == 0, "\(put.text)")
      #expect(put.error.contains("shard 2: has more than one result; counted once"))
      let sum = try RunRecord.read(from: merged + "/1-faults.dbtrace.json")
      let record = try RunRecord.read(from: whole)
      #expect(sum.trace == Self.withoutDevices(record.trace))
      #expect(sum.cells[0].ledger == record.cells[0].ledger)
      #expect(sum.cells[0].ledger?.lostTotal == 4)
      #expect(sum.cells[0].conformance == record.cells[0].conformance)
    }
  }

  /// Parts share devices, so that theirs have no sum.
  private static func withoutDevices(_ trace: RunRecord.Trace) -> RunRecord.Trace {
    var trace = trace
    trace.devices = nil
    return trace
  }

  /// The same file that 'suite run' takes, cut at key frames, and merged to what one replay of the whole gives.
  @Test func aSuiteIsPlannedCutAtKeyFramesAndAddsUp() throws {
    try Folder.use { folder in
      let (keyed, plan) = (folder.path("keyed.dbtrace"), folder.path("plan.json"))
      let made = try Tool.run("convert", Tool.trace("faults"), "--key-frames", "200", "-o", keyed)
      #expect(made.status == 0, "\(made.text)")
      let suite = folder.path("suite.toml")
      try """
      schema = 1
      [[run]]
      traces = "keyed.dbtrace"
      designs = "direct"
      experiments = "core"
      passes = 1
      duration = "1ms"
      tlb-entries = [0, 64]
      """.write(toFile: suite, atomically: true, encoding: .utf8)
      let words = ["shard", "plan", "--suite", suite, "-o", plan]
      #expect(try Tool.run(words + ["--launches", "2"]).status == 64)
      let planned = try Tool.run(words + ["--part-events", "700"])
      #expect(planned.status == 0, "\(planned.text)")
      let document = try ShardPlan.read(from: plan)
      let cuts = document.traces[0].cuts
      var reader = try TraceReader(path: keyed)
      let keyFrames = try reader.keyFrames().map(\.ordinal)
      #expect(
        cuts.count == 2 && cuts[1] >= 700 && cuts.allSatisfy(keyFrames.contains),
        "\(cuts) \(keyFrames)")
      #expect(document.runs.map(\.variant) == ["tlb-entries=0", "tlb-entries=64"])
      let runs = try Tool.pipeline(
        """
        for shard in 1 2 3 4; do "$0" shard run "$1" $shard --results "$2" || exit; done
        "$0" shard merge "$1" "$2" -o "$3" && "$0" replay "$4" --design direct --experiment core --passes 1 \
          --duration 1ms -o "$5"
        """, plan, folder.path("results"), folder.path("merged"), keyed, folder.path("whole.json"))
      #expect(runs.status == 0, "\(runs.text)")
      let sum = try RunRecord.read(from: folder.path("merged/1-keyed.dbtrace.json"))
      let whole = try RunRecord.read(from: folder.path("whole.json"))
      #expect(sum.trace == Self.withoutDevices(whole.trace) && sum.cells.count == 4)
      for cell in sum.cells where cell.experiment == "equality" {
        #expect(
          cell.ledger == whole.cells[0].ledger && cell.conformance == whole.cells[0].conformance)
      }
      // By time: what an event costs is measured and said, and a trace this short is one part.
      let timed = try Tool.run(
        "shard", "plan", "--suite", suite, "--shard-minutes", "9", "-o", folder.path("timed.json"))
      #expect(timed.status == 0, "\(timed.text)")
      #expect(timed.error.contains(" ns/event to read and prove, "), "\(timed.error)")
      #expect(try ShardPlan.read(from: folder.path("timed.json")).traces[0].cuts == [0])
    }
  }

  @Test func anotherTraceOrPlanIsRefused() throws {
    try Folder.use { folder in
      let (plan, trace) = (folder.path("plan.json"), folder.path("boot.dbtrace"))
      try FileManager.default.copyItem(atPath: Tool.trace("boot"), toPath: trace)
      let words = ["shard", "plan", trace, "-o", plan] + Self.quick
      #expect(try Tool.run(words).status == 0)
      let twice = try Tool.run(words)
      #expect(twice.status == 3 && twice.error.contains("is there already"))
      try FileManager.default.removeItem(atPath: trace)
      try FileManager.default.copyItem(atPath: Tool.trace("faults"), toPath: trace)
      let other = try Tool.run("shard", "run", plan, "1", "--results", folder.path("r"))
      #expect(other.status == 3 && other.error.contains("as planned"), "\(other.text)")
      #expect(try Tool.run("shard", "run", plan, "2", "--results", folder.path("r")).status == 3)
      #expect(
        try Tool.run(
          "shard", "plan", trace, "-o", plan, "--replay-options", "--output x"
        ).status == 64)
      #expect(
        try Tool.run("shard", "plan", trace, "-o", plan, "--replay-options", "--passes no").status
          == 64)
    }
  }
}
