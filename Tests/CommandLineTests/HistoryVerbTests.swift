import Foundation
import History
import Testing

/// `history` as a nightly job uses it, in processes of its own.
@Suite struct HistoryVerbTests {
  /// A record of one night, as `replay --output` writes it.
  private static func write(
    _ value: Double, night: Int, reads: UInt64 = 9, to path: String, trace: String = "nvme"
  ) throws {
    var cell = RunRecord.Cell(
      design: "direct", setUp: "owned", delivery: "vlpi", experiment: "core")
    cell.deliveryCounters = ["itt-reads": reads]
    cell.metrics = [
      .init(
        name: "delivery-ns-per-event", unit: "ns", lowerIsBetter: true, value: value,
        samples: [value])
    ]
    let record = RunRecord(
      tool: .init(name: "doorbell", version: "0.1.0"), command: ["replay"],
      started: String(format: "2026-01-%02dT02:00:00Z", night),
      trace: .init(
        name: trace, contentHash: trace, events: 1, eventsByKind: [:], lostEvents: 0),
      host: HostFingerprint(facts: ["cpu-model": "x"]), cells: [cell])
    try record.write(to: path)
  }

  private static func nights(
    _ values: [Double], lastReads: UInt64 = 9, in folder: Folder, _ name: String = "h.sqlite"
  ) throws -> String {
    let history = folder.path(name)
    let records = folder.path(name + ".records")
    try FileManager.default.createDirectory(
      atPath: records, withIntermediateDirectories: true)
    for (index, value) in values.enumerated() {
      try write(
        value, night: index + 1, reads: index + 1 == values.count ? lastReads : 9,
        to: String(format: "%@/%02d.json", records, index + 1))
    }
    let added = try Tool.run("history", "add", history, records, "--commit", "8a2f0c1")
    #expect(added.status == 0, "\(added.text)")
    #expect(added.output.split(separator: "\n").count == values.count)
    return history
  }

  private static func scatter(_ count: Int, around level: Double) -> [Double] {
    (0..<count).map { index in
      let offset = Double((index * 7) % 5 - 2)
      return level * (1 + 0.001 * offset)
    }
  }

  /// Root may write anywhere: somebody else reads.
  @Test(.enabled(if: getuid() == 0, "only root can become somebody who may not write"))
  func aHistoryThatMayNotBeWrittenIsReadAndNotChanged() throws {
    try Folder.use { folder in
      let history = try Self.nights([6, 6.1], in: folder)
      let bytes = try Data(contentsOf: URL(fileURLWithPath: history))
      let read = try Tool.pipeline(
        """
        cp -l "$0" "$1/doorbell" 2>/dev/null || cp "$0" "$1/doorbell"
        chmod 444 "$2"; chmod 555 "$1"
        as() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
        as "$1/doorbell" history list "$2"; echo "list $?"
        as "$1/doorbell" history show "$2" 2 --format json | head -c 1; echo " show"
        as "$1/doorbell" history check "$2" | tail -n 1; echo "check"
        as "$1/doorbell" history prune "$2" --before 2027-01-01 --keep 0; echo "prune $?"
        ls "$1"
        """, folder.root, history)
      for words in ["8a2f0c1", "list 0", "{ show", "prune 3"] {
        #expect(read.output.contains(words), "\(words):\n\(read.text)")
      }
      #expect(read.error.contains("attempt to write a readonly database; nothing was changed"))
      #expect(!read.output.contains("h.sqlite-"), "\(read.output)")
      #expect(try Data(contentsOf: URL(fileURLWithPath: history)) == bytes)
    }
  }

  @Test func theFourCodesAreTheLastLineOfANight() throws {
    try Folder.use { folder in
      let quiet = try Self.nights(Self.scatter(20, around: 6), in: folder, "quiet.sqlite")
      let pass = try Tool.run("history", "check", quiet)
      #expect(
        pass.status == 0 && pass.output.hasSuffix("pass: nothing got worse\n"), "\(pass.text)")

      let step = try Self.nights(
        Self.scatter(20, around: 6) + Self.scatter(5, around: 6.5), in: folder, "step.sqlite")
      let regression = try Tool.run("history", "check", step)
      #expect(regression.status == 1, "\(regression.text)")
      #expect(regression.output.contains("21 2026-01-21T02:00:00Z"), "\(regression.text)")
      #expect(regression.output.contains("8a2f0c1"))
      let old = try Self.nights(
        Self.scatter(16, around: 6) + Self.scatter(12, around: 6.5), in: folder, "old.sqlite")
      for (options, status) in [
        ([], 0), (["--recent", "20"], 1), (["--recent", "20", "--threshold", "10%"], 0),
      ] {
        let result = try Tool.run(["history", "check", old] + options)
        #expect(result.status == Int32(status), "\(options): \(result.text)")
      }

      let watch = try Self.nights(
        Self.scatter(20, around: 6) + [7], in: folder, "watch.sqlite")
      let watched = try Tool.run("history", "check", watch)
      #expect(watched.status == 0 && watched.output.hasSuffix("; 1 watched\n"), "\(watched.text)")

      let counter = try Self.nights(
        Self.scatter(20, around: 6), lastReads: 10, in: folder, "counter.sqlite")
      let counted = try Tool.run("history", "check", counter)
      #expect(counted.status == 1 && counted.output.contains("itt-reads"), "\(counted.text)")

      let few = try Self.nights([6, 6, 6], in: folder, "few.sqlite")
      #expect(try Tool.run("history", "check", few).status == 2)
      #expect(try Tool.run("history", "check", few, "--trace", "none").status == 3)
    }
  }

  @Test func whatIsAddedIsListedShownExportedImportedAndPruned() throws {
    try Folder.use { folder in
      let history = try Self.nights(Self.scatter(12, around: 6), in: folder)
      let list = try Tool.run("history", "list", history)
      #expect(list.output.split(separator: "\n").count == 14, "\(list.text)")
      let again = try Tool.run(
        "history", "add", history, history + ".records", "--commit", "8a2f0c1")
      #expect(again.status == 0 && again.output.isEmpty && again.error.contains("not added"))
      let show = try Tool.run("history", "show", history, "3", "--format", "json")
      let original = try Data(
        contentsOf: URL(fileURLWithPath: history + ".records/03.json"))
      #expect(Data(show.output.utf8) == original)
      #expect(try Tool.run("history", "show", history, "99").error.contains("no run 99"))
      let lines = try Tool.pipeline(
        "\"$0\" history export '\(history)' | \"$0\" history import '\(folder.path("copy"))' -")
      #expect(lines.output == "12 runs added, 0 were there\n", "\(lines.text)")
      let pruned = try Tool.run(
        "history", "prune", folder.path("copy"), "--before", "2026-01-10", "--keep", "5")
      #expect(pruned.output == "removed 7 runs: 1 2 3 4 5 6 7\n", "\(pruned.text)")
      #expect(
        try Tool.run("history", "prune", folder.path("copy"), "--before", "soon").status == 64)
    }
  }

  @Test func processesThatWriteAtOnceLoseNothing() throws {
    try Folder.use { folder in
      for job in 1...4 {
        let records = folder.path("job\(job)")
        try FileManager.default.createDirectory(
          atPath: records, withIntermediateDirectories: true)
        for night in 1...5 {
          try Self.write(6, night: night, to: "\(records)/\(night).json", trace: "job\(job)")
        }
      }
      let history = folder.path("h.sqlite")
      let jobs = try Tool.pipeline(
        "for job in 1 2 3 4; do \"$0\" history add '\(history)' '\(folder.path("job"))'$job & "
          + "pids=\"$pids $!\"; done; for pid in $pids; do wait $pid || exit 1; done")
      #expect(jobs.status == 0, "\(jobs.text)")
      let list = try Tool.run("history", "list", history)
      #expect(list.output.split(separator: "\n").count == 22, "\(list.text)")
    }
  }

  /// Killed at ten moments while it adds: the file opens, and what was reported is there.
  @Test func aKilledAdditionLosesNothingThatWasReported() throws {
    try Folder.use { folder in
      let records = folder.path("records")
      try FileManager.default.createDirectory(atPath: records, withIntermediateDirectories: true)
      for night in 1...28 { try Self.write(6, night: night, to: "\(records)/\(night).json") }
      for kill in 1...10 {
        let history = folder.path("h\(kill).sqlite")
        let report = folder.path("said\(kill)")
        _ = try Tool.pipeline(
          "\"$0\" history add '\(history)' '\(records)' > '\(report)' 2>&1 & pid=$!; "
            + "sleep 0.0\(kill * 9 / 2 + 10); kill -9 $pid; wait $pid; exit 0")
        let said = try String(contentsOfFile: report, encoding: .utf8)
          .split(separator: "\n").filter { $0.hasPrefix("run ") }.count
        let list = try Tool.run("history", "add", history, records)
        #expect(list.status == 0, "\(list.text)")
        let duplicates = list.error.components(separatedBy: "this very record").count - 1
        #expect(duplicates >= said, "kill \(kill): \(said) were reported, \(duplicates) are there")
        #expect(duplicates + list.output.split(separator: "\n").count == 28)
      }
    }
  }
}
