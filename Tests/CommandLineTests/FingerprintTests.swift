import Foundation
import History
import Testing

/// Results of two hosts, held against each other by every verb that could: refused with 3 and the fact that
/// differs. `gate` with a stored baseline is in GateTests, `suite run` in SuiteVerbTests.
@Suite struct FingerprintTests {
  private static func record(host: [String: String], night: Int = 1) -> RunRecord {
    var cell = RunRecord.Cell(
      design: "direct", setUp: "owned", delivery: "vlpi", experiment: "core")
    cell.metrics = [
      .init(
        name: "delivery-ns-per-event", unit: "ns", lowerIsBetter: true, value: 4, samples: [4, 4])
    ]
    return RunRecord(
      tool: .init(name: "doorbell", version: "1"), command: ["replay"],
      started: "2026-01-0\(night)T00:00:00Z",
      trace: .init(
        name: "t.dbtrace", contentHash: "aa", events: 10, eventsByKind: ["msi": 10], lostEvents: 0),
      host: HostFingerprint(facts: host), cells: [cell])
  }

  private static let hosts = [
    ["cpu-model": "x", "kernel": "6.1"], ["cpu-model": "x", "kernel": "6.2"],
  ]
  private static let difference = "kernel: 6.1 against 6.2"

  @Test func compareShowsNoFigure() throws {
    try Folder.use { folder in
      for (index, host) in Self.hosts.enumerated() {
        try Self.record(host: host).write(to: folder.path("\(index).json"))
      }
      let result = try Tool.run(
        "compare", folder.path("0.json"), folder.path("1.json"), "--format", "json")
      #expect(result.status == 3 && result.output.contains(Self.difference), "\(result.text)")
      struct Document: Decodable {
        struct Figure: Decodable {}
        var figures: [Figure]
      }
      let found = try JSONDecoder().decode(Document.self, from: Data(result.output.utf8))
      #expect(found.figures.isEmpty)
      // Launches of one arm, too.
      let arm = folder.path("arm")
      try FileManager.default.createDirectory(atPath: arm, withIntermediateDirectories: true)
      for (index, host) in Self.hosts.enumerated() {
        try Self.record(host: host).write(to: "\(arm)/\(index).json")
      }
      let mixed = try Tool.run("compare", arm, folder.path("0.json"))
      #expect(mixed.status == 3 && mixed.error.contains(Self.difference), "\(mixed.text)")
    }
  }

  @Test func aNightOnAnotherHostIsNotJudgedAndTheNextHasASeriesOfItsOwn() throws {
    try Folder.use { folder in
      let history = folder.path("h.sqlite")
      func add(_ night: Int, _ host: [String: String]) throws {
        let path = folder.path("night-\(night).json")
        try Self.record(host: host, night: night).write(to: path)
        #expect(try Tool.run("history", "add", history, path).status == 0)
      }
      for night in 1...3 { try add(night, Self.hosts[0]) }
      // Too few to judge, and nothing else.
      #expect(try Tool.run("history", "check", history).status == 2)
      try add(4, Self.hosts[1])
      let refused = try Tool.run("history", "check", history)
      #expect(refused.status == 3, "\(refused.text)")
      #expect(
        refused.output.contains(
          "t.dbtrace: the newest run and run 3 before it ran on different hosts"),
        "\(refused.text)")
      #expect(refused.output.contains(Self.difference))
      try add(5, Self.hosts[1])
      #expect(try Tool.run("history", "check", history).status == 2)
    }
  }

  @Test func shardsOfTwoHostsAreNotMerged() throws {
    try Folder.use { folder in
      let plan = ShardPlan(
        tool: .init(version: "1", contentHash: "bb"),
        traces: [.init(path: "/t.dbtrace", contentHash: "aa", events: 10)],
        runs: [.init(design: "direct", experiments: ["core"], launches: 2, traces: [0])])
      #expect(try ShardFile.create(plan, at: folder.path("plan.json")))
      for (index, host) in Self.hosts.enumerated() {
        let result = try ShardResult(plan: plan, number: index + 1, record: Self.record(host: host))
        #expect(try ShardFile.create(result, at: folder.path("shard-\(index + 1).json")))
      }
      let merged = folder.path("merged")
      let result = try Tool.run(
        "shard", "merge", folder.path("plan.json"), folder.root, "-o", merged)
      #expect(result.status == 3 && result.error.contains(Self.difference), "\(result.text)")
      #expect(!FileManager.default.fileExists(atPath: merged))
    }
  }
}
