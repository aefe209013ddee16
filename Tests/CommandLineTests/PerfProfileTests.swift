import Foundation
import Testing

/// `doorbell replay --profile`.
@Suite struct PerfProfileTests {
  /// Why no process can be profiled here.
  private static let obstacle: Comment? = {
    let path = NSTemporaryDirectory() + "doorbell-perf-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let tried = try? Tool.pipeline("perf record -q -e cpu-clock -o \"$1\" true", path)
    return tried?.status == 0 ? nil : "perf(1) is not here or may not record: \(tried?.error ?? "")"
  }()

  private let replay = [
    "replay", Tool.trace("boot"), "--design", "direct", "--experiment", "core", "--passes", "2",
    "--duration", "100ms",
  ]

  @Test(.enabled(if: obstacle == nil, obstacle))
  func aSecondRunIsProfiledAndItsStacksReachTheDesign() throws {
    try Folder.use { folder in
      let file = folder.path("p.folded")
      let run = try Tool.run(replay + ["--profile", file, "-o", folder.path("r.json")])
      #expect(run.status == 0, "\(run.text)")
      #expect(run.error.contains(" samples in "), "\(run.error)")
      let lines = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n")
      #expect(!lines.isEmpty)
      var samples = 0
      for line in lines {
        #expect(line.hasPrefix("direct;core"))
        samples += try #require(Int(line.split(separator: " ").last ?? ""))
      }
      #expect(run.error.contains(" \(samples) samples in \(lines.count) stacks"), "\(run.error)")
      // Whole stacks, with names as the sources have them: frame pointers are there.
      let core = lines.filter { $0.contains("CoreExperiment") }
      #expect(core.contains { $0.contains("ReplayCommand.runProfiled") }, "\(lines.prefix(3))")
      #expect(!lines.contains { $0.contains("$s6Replay") }, "demangled")
      #expect(!lines.contains { $0.contains("ReferenceOracle") }, "what was proved is not profiled")
      #expect(
        Set(try FileManager.default.contentsOfDirectory(atPath: folder.root)) == [
          "p.folded", "r.json",
        ])
    }
  }

  @Test func withoutPerfThatIsSaidBeforeAnythingIsMeasured() throws {
    try Folder.use { folder in
      let words = (replay + ["--profile", folder.path("p")]).map { "'\($0)'" }.joined(
        separator: " ")
      let run = try Tool.pipeline("PATH=\(folder.root) \"$0\" \(words)")
      #expect(run.status == 3 && run.output.isEmpty, "\(run.text)")
      #expect(run.error.hasPrefix("doorbell: perf: not available: "), "\(run.error)")
      #expect(run.error.contains("linux-perf"))
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.root).isEmpty)
    }
  }

  @Test func perfThatMayNotRecordIsQuoted() throws {
    try Folder.use { folder in
      let perf = folder.path("perf")
      try "#!/bin/sh\necho 'No permission to enable cpu-clock event.' >&2; exit 255\n"
        .write(toFile: perf, atomically: true, encoding: .utf8)
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: perf)
      let words = (replay + ["--profile", folder.path("p")]).map { "'\($0)'" }.joined(
        separator: " ")
      let run = try Tool.pipeline("PATH=\(folder.root):/usr/bin:/bin \"$0\" \(words)")
      #expect(run.status == 3 && run.output.isEmpty, "\(run.text)")
      #expect(run.error.contains("No permission to enable cpu-clock event."), "\(run.error)")
      #expect(try Tool.run(replay + ["--profile", "x", "--backend", "y.so"]).status == 64)
    }
  }
}
