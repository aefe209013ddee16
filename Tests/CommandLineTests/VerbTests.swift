import EventModel
import Foundation
import Testing

/// What each verb does to real traces.
@Suite struct VerbTests {
  private func lines(_ text: String) -> [Substring] { text.split(separator: "\n") }

  /// The events of a trace as JSON lines without their ordinals.
  private func events(_ path: String) throws -> [Substring] {
    let result = try Tool.run("cat", path, "--format", "jsonl")
    try #require(result.status == 0, "\(result.error)")
    return lines(result.output).map { $0.drop { $0 != "," } }
  }

  @Test func importInfoVerifyAndReplayWorkInARow() throws {
    try Folder.use { folder in
      let trace = folder.path("t.dbtrace")
      let imported = try Tool.run("import", Tool.golden("commands.log"), "--output", trace)
      #expect(imported.status == 0, "\(imported.error)")
      #expect(imported.output.contains("wrote  \(trace)"))
      let info = try Tool.run("info", trace, "--format", "json")
      #expect(info.status == 0)
      #expect(info.output.contains("\"clockDomain\" : \"emulator\""))
      #expect(try Tool.run("verify", trace).status == 0)
      let replay = try Tool.run(
        "replay", trace, "--design", "direct", "--experiment", "core", "--passes", "1")
      #expect(replay.status == 0, "\(replay.error)")
      #expect(replay.output.contains("equal"))
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.root) == ["t.dbtrace"])
    }
  }

  @Test func importFromStandardInputGivesWhatTheFileGives() throws {
    try Folder.use { folder in
      let log = Tool.golden("commands.log")
      let piped = try Tool.pipeline(
        "cat \"$1\" | \"$0\" import - --output \"$2\"", log, folder.path("piped.dbtrace"))
      #expect(piped.status == 0, "\(piped.error)")
      #expect(try Tool.run("import", log, "--output", folder.path("file.dbtrace")).status == 0)
      let read = try events(folder.path("piped.dbtrace"))
      #expect(!read.isEmpty)
      #expect(try events(folder.path("file.dbtrace")) == read)
    }
  }

  @Test func aPipeThatIsClosedEarlyEndsCatQuietly() throws {
    for format in ["text", "jsonl", "csv"] {
      let result = try Tool.pipeline(
        "\"$0\" cat \"$1\" --format \(format) | head -n 2; test \"${PIPESTATUS[0]}\" = 0",
        Tool.trace("nvme"))
      #expect(result.status == 0, "\(format)")
      #expect(lines(result.output).count == 2)
      #expect(result.error.isEmpty)
    }
  }

  @Test func catTakesExactlyWhatTheFiltersName() throws {
    let trace = Tool.trace("boot")
    let all = lines(try Tool.run("cat", trace, "--format", "jsonl").output)
    let interrupts = lines(
      try Tool.run("cat", trace, "--format", "jsonl", "--kind", "msi", "acknowledge").output)
    #expect(
      interrupts
        == all.filter { $0.contains("\"kind\":\"msi\"") || $0.contains("\"kind\":\"acknowledge\"") }
    )
    #expect(!interrupts.isEmpty && interrupts.count < all.count)
    let part = lines(
      try Tool.run("cat", trace, "--format", "jsonl", "--first", "1000", "--count", "17").output)
    #expect(part == Array(all[1000..<1017]))
    let device = lines(
      try Tool.run("cat", trace, "--format", "jsonl", "--kind", "dma", "--device", "32").output)
    #expect(
      device == all.filter { $0.contains("\"kind\":\"dma\"") && $0.contains("\"stream\":\"0x20\"") }
    )
    let late = lines(
      try Tool.run("cat", trace, "--format", "jsonl", "--from", "3.4s", "--to", "5000ms").output)
    #expect(
      late
        == all.filter { line in
          let time = line.split(separator: ",")[1].split(separator: ":")[1]
          return (3_400_000_000..<5_000_000_000).contains(UInt64(time) ?? 0)
        })
    #expect(!late.isEmpty && !device.isEmpty)
  }

  @Test func whatCatPrintsForToolsIsImportedAgain() throws {
    try Folder.use { folder in
      let original = try events(Tool.trace("rebind"))
      for form in ["csv", "jsonl"] {
        let path = folder.path(form)
        let result = try Tool.pipeline(
          "\"$0\" cat \"$1\" --format \(form) | \"$0\" import - --level 1 --output \"$2\"",
          Tool.trace("rebind"), path)
        #expect(result.status == 0, "\(result.error)")
        #expect(try events(path) == original, "\(form)")
      }
    }
  }

  @Test func aForeignFileIsRefusedUnlessItsFormatIsNamed() throws {
    try Folder.use { folder in
      let path = folder.path("letter.txt")
      try Data("Dear reader\n".utf8).write(to: URL(fileURLWithPath: path))
      let result = try Tool.run("import", path, "-o", folder.path("t.dbtrace"))
      #expect(result.status == 3)
      #expect(result.error.contains(path) && result.error.contains("'--from'"))
      let forced = try Tool.run(
        "import", path, "--from", "csv", "-o", folder.path("t.dbtrace"))
      #expect(forced.status == 3)
      #expect(forced.error.contains("column names with 'time' and 'kind'"))
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: folder.root) == ["letter.txt"])
    }
  }

  @Test func aTraceDatFromAPipeIsRefusedWithTheWayOut() throws {
    let result = try Tool.pipeline(
      "printf '\\027\\010\\104tracing7\\0' | \"$0\" import - --output \"$1\"",
      NSTemporaryDirectory() + "doorbell-never")
    #expect(result.status == 3)
    #expect(result.error.contains("save it to a plain file"), "\(result.error)")
  }

  @Test func convertKeepsEveryEvent() throws {
    try Folder.use { folder in
      let original = try events(Tool.trace("boot"))
      for codec in ["zstd", "lz4", "none"] {
        let path = folder.path(codec)
        let result = try Tool.run("convert", Tool.trace("boot"), "--codec", codec, "-o", path)
        #expect(result.status == 0, "\(result.error)")
        #expect(try events(path) == original, "\(codec)")
      }
    }
  }

  @Test func aTraceIsNeverWrittenOverItself() throws {
    try Folder.use { folder in
      let path = folder.path("t.dbtrace")
      try FileManager.default.copyItem(atPath: Tool.trace("boot"), toPath: path)
      let before = try events(path)
      #expect(try Tool.run("convert", path, "-o", path).status == 3)
      #expect(try events(path) == before)
    }
  }

  @Test func aSliceReplaysEqualToTheRecording() throws {
    try Folder.use { folder in
      let path = folder.path("slice.dbtrace")
      let sliced = try Tool.run(
        "slice", Tool.trace("boot"), "--from", "4s", "--to", "7s", "-o", path)
      #expect(sliced.status == 0, "\(sliced.error)")
      let all = try events(Tool.trace("boot"))
      let kept = try events(path)
      func time(_ line: Substring) -> UInt64 {
        UInt64(line.dropFirst(8).prefix { $0 != "," }) ?? 0
      }
      // What was configured before stands in the snapshot.
      #expect(kept == all.filter { (4_000_000_000..<7_000_000_000).contains(time($0)) })
      #expect(!kept.isEmpty && kept.count < all.count)
      let replay = try Tool.run(
        "replay", path, "--design", "direct", "--experiment", "core", "--passes", "1")
      #expect(replay.status == 0, "\(replay.text)")
      let bare = folder.path("bare.dbtrace")
      let cut = try Tool.run(
        "slice", Tool.trace("boot"), "--from", "4s", "--to", "7s", "--bare", "-o", bare)
      #expect(cut.status == 0)
      #expect(try events(bare) == kept)
      let lost = try Tool.run("replay", bare, "--design", "direct", "--experiment", "pipeline")
      #expect(lost.status == 1, "without its tables it cannot replay: \(lost.text)")
      let empty = try Tool.run("slice", Tool.trace("boot"), "--from", "900s", "-o", path)
      #expect(empty.status == 3)
      #expect(try events(path) == kept, "a slice of nothing must leave the older file alone")
    }
  }

  @Test func aSliceOfADeviceKeepsWhatItsOutcomesDependOn() throws {
    try Folder.use { folder in
      let path = folder.path("slice.dbtrace")
      let sliced = try Tool.run(
        "slice", Tool.trace("rebind"), "--device", "0x20", "--first", "8000", "-o", path)
      #expect(sliced.status == 0, "\(sliced.error)")
      let kept = try TraceContent.events(path)
      let accesses = kept.filter { $0.kind.isAccess }
      #expect(!accesses.isEmpty && accesses.allSatisfy { $0.streamID == 0x20 })
      #expect(kept.contains { $0.kind == .acknowledge } && kept.contains { $0.kind == .map })
      let replay = try Tool.run(
        "replay", path, "--design", "direct", "--experiment", "pipeline", "--loops", "1")
      #expect(replay.status == 0, "\(replay.text)")
    }
  }

  @Test func aMergeHoldsEveryInputInOrderOfTime() throws {
    try Folder.use { folder in
      let path = folder.path("merged.dbtrace")
      let result = try Tool.run(
        "merge", Tool.trace("boot"), Tool.trace("faults"), "--offset", "1ms", "--offset", "0s",
        "-o", path)
      #expect(result.status == 0, "\(result.error)")
      func time(_ line: Substring) -> UInt64 {
        UInt64(line.dropFirst(8).prefix { $0 != "," }) ?? 0
      }
      let merged = try events(path)
      let shifted = try events(Tool.trace("boot")).map { line in
        ",\"time\":\(time(line) + 1_000_000)"[...] + line.dropFirst(8).drop { $0 != "," }
      }
      let other = try events(Tool.trace("faults"))
      #expect(merged.sorted() == (shifted + other).sorted())
      #expect(zip(merged, merged.dropFirst()).allSatisfy { time($0) <= time($1) })
      let early = try Tool.run(
        "merge", Tool.trace("boot"), Tool.trace("boot"), "--offset", "0s", "--offset", "-10s", "-o",
        path)
      #expect(early.status == 3)
      #expect(early.error.contains("out of the time line"))
    }
  }

  @Test func aPacedRunAboveItsLagBudgetIsShownAndEndsWithThree() throws {
    let arguments = [
      "replay", Tool.trace("boot"), "--design", "direct", "--experiment", "paced", "--rate", "20k",
      "--send-duration", "20ms",
    ]
    let void = try Tool.run(arguments + ["--lag-budget", "0ns"])
    #expect(void.status == 3, "\(void.error)")
    #expect(void.output.contains("VOID: send lag p99.9") && void.output.contains("response"))
    #expect(void.output.contains("decode"))
    let kept = try Tool.run(arguments + ["--lag-budget", "10s", "--format", "json"])
    #expect(kept.status == 0, "\(kept.error)")
    #expect(kept.output.contains("\"lag-budget-ns\" : \"10000000000\""))
    #expect(!kept.output.contains("voidReason"))
    #expect(kept.output.contains("\"name\" : \"allocations\""))
    for harness in ["clock-and-record", "cache-line-round-trip-p50", "wait-sleep-late-median"] {
      #expect(kept.output.contains("\"name\" : \"\(harness)\""))
    }
  }

  @Test func contradictoryPacingIsWrongUsage() throws {
    let trace = Tool.trace("boot")
    for wrong in [
      ["--arrivals", "recorded", "--rate", "5k"], ["--speed", "2", "--rate", "5k"],
      ["--speed", "0"], ["--send-duration", "5"], ["--wait", "never"], ["--lag-budget=-5us"],
      ["--percentile", "0"], ["--bound", "0us"],
    ] {
      let result = try Tool.run(["replay", trace, "--experiment", "paced"] + wrong)
      #expect(result.status == 64, "\(wrong): \(result.error)")
    }
  }

  @Test func moreDeviceThreadsGiveTheOutcomesOfOneOnARealRecording() throws {
    let result = try Tool.run(
      "replay", Tool.trace("rebind"), "--design", "direct", "eventfd", "--experiment", "scale",
      "--device-threads", "3", "--vcpu-threads", "2", "--scale-passes", "1")
    #expect(result.status == 0, "\(result.error)")
    let rows = lines(result.output).filter { $0.contains("shared: ") || $0.contains("one each") }
    #expect(rows.count == 6)
    #expect(
      try Tool.run("replay", Tool.trace("rebind"), "--device-threads", "0").status == 64)
  }
}
