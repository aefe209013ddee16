import Foundation
import Testing

@testable import History

/// What shards measured, put together: nothing lost, nothing twice, in any order.
@Suite struct ShardMergeTests {
  /// One trace in three parts, one whole; two designs, two launches: 16 shards.
  static let plan = ShardPlan(
    tool: .init(version: "1", contentHash: "aa"),
    traces: [
      .init(path: "/t/long.dbtrace", contentHash: "bb", events: 100, cuts: [0, 30, 70]),
      .init(path: "/t/short.dbtrace", contentHash: "cc", events: 10, cuts: [0]),
    ],
    runs: ["direct", "trapped"].map {
      .init(design: $0, experiments: ["core"], launches: 2, traces: [0, 1])
    })

  /// What is counted depends on part and design alone; times are each process's own.
  static func result(_ number: Int, host: String = "x") throws -> ShardResult {
    let shard = plan.shards[number - 1]
    let design = plan.runs[shard.run].design
    var proof = RunRecord.Cell(
      design: design, setUp: "owned", delivery: "vlpi", experiment: "equality")
    let n = UInt64(10 * shard.part + (design == "direct" ? 1 : 2))
    proof.ledger = .init(offered: n + 3, delivered: n, coalesced: 1, masked: 0, lost: ["fault": 2])
    proof.deliveryCounters = ["tlb-misses": n]
    proof.digest = "d\(n)"
    var core = RunRecord.Cell(
      design: design, setUp: "owned", delivery: "vlpi", experiment: "core")
    core.metrics = [
      .init(
        name: "ns", unit: "ns", lowerIsBetter: true, value: Double(number),
        samples: [Double(number), Double(number)])
    ]
    core.distributions = [
      .init(
        name: "d", unit: "ns", counts: [.init(value: 5, count: n), .init(value: n + 5, count: 1)])
    ]
    let trace = plan.traces[shard.trace]
    let range = trace.range(ofPart: shard.part)
    let record = RunRecord(
      tool: .init(name: "doorbell", version: "1"), command: ["replay"],
      started: "2026-01-\(10 + number)",
      trace: .init(
        name: trace.name, contentHash: trace.cuts.count > 1 ? "part" : trace.contentHash,
        events: UInt64(range.count), eventsByKind: ["msi": UInt64(range.count)], lostEvents: 0),
      host: .init(facts: ["cpu": host]), cells: [proof, core])
    return try ShardResult(plan: plan, number: number, record: record)
  }

  static func merged(_ numbers: [Int]) throws -> [RunRecord] {
    var merge = ShardMerge(plan)
    for number in numbers { try merge.add(result(number)) }
    return try merge.records()
  }

  @Test func countsAddUpOverPartsAndNotOverLaunches() throws {
    #expect(Self.plan.shards.count == 16)
    let records = try Self.merged(Array(1...16))
    #expect(records.map(\.launches) == [6, 2])
    #expect(records[0].trace.events == 100 && records[0].trace.eventsByKind == ["msi": 100])
    #expect(records[0].trace.contentHash == "bb")
    let cells = records[0].cells.filter { $0.design == "direct" }
    // Parts give 1, 11 and 21.
    #expect(
      cells[0].ledger
        == .init(offered: 42, delivered: 33, coalesced: 3, masked: 0, lost: ["fault": 6]))
    #expect(cells[0].deliveryCounters == ["tlb-misses": 33])
    #expect(cells[0].digest == nil && cells[0].parameters["parts"] == "3")
    // Histograms hold both launches.
    #expect(cells[1].distributions[0].total == 2 * (33 + 3))
    #expect(cells[1].metrics[0].launchSizes == [2, 2, 2, 2, 2, 2])
    #expect(records[1].cells[0].digest == "d1")
  }

  /// A suite has a process for each experiment, and each begins with the proof: once in the sum.
  @Test func theProofOfADesignCountsOnceInAllItsRuns() throws {
    let plan = ShardPlan(
      tool: Self.plan.tool, traces: [Self.plan.traces[0]],
      runs: ["core", "path"].map {
        .init(design: "direct", experiments: [$0], launches: 1, traces: [0])
      })
    #expect(plan.shards.count == 6)
    func merged(_ order: [Int], _ change: (inout ShardResult) -> Void = { _ in }) throws
      -> [RunRecord]
    {
      var merge = ShardMerge(plan)
      for number in order {
        let shard = plan.shards[number - 1]
        // Of the plan above, the shard with this part, launch 1, direct.
        var record = try Self.result(2 * shard.part + 1).record
        record.cells[1].experiment = plan.runs[shard.run].experiments[0]
        var result = try ShardResult(plan: plan, number: number, record: record)
        change(&result)
        try merge.add(result)
      }
      return try merge.records()
    }
    let records = try merged([1, 2, 3, 4, 5, 6])
    #expect(records.count == 1 && records[0].launches == 3)
    #expect(records[0].cells.map(\.experiment) == ["equality", "core", "path"])
    #expect(records[0].cells[0].ledger?.delivered == 33)
    #expect(records[0].trace.eventsByKind == ["msi": 100])
    #expect(try merged([6, 3, 1, 5, 2, 4]).map { try $0.json() } == records.map { try $0.json() })
    let error = #expect(throws: ShardError.self) {
      try merged([1, 2, 3, 4, 5, 6]) { if $0.number == 4 { $0.record.cells[0].ledger?.masked = 9 } }
    }
    #expect("\(try #require(error))".contains("the ledger of equality, direct"))
  }

  @Test func orderAndDuplicatesChangeNoByte() throws {
    let expected = try Self.merged(Array(1...16)).map { try $0.json() }
    var order = Array(1...16)
    for turn in 1...5 {
      order = order.map { ($0 * 5 + turn) % 16 + 1 }
      let repeated = order + order.prefix(turn % 16)
      #expect(try Self.merged(repeated).map { try $0.json() } == expected)
    }
  }

  @Test func ofTwoResultsOfAShardOneCountsWhicheverCameFirst() throws {
    var slow = try Self.result(3)
    slow.record.cells[1].metrics[0].samples = [90, 91]
    let outputs = try [[Self.result(3), slow], [slow, Self.result(3)]].map { pair in
      var merge = ShardMerge(Self.plan)
      for number in 1...16 where number != 3 { try merge.add(Self.result(number)) }
      for result in pair { try merge.add(result) }
      #expect(merge.duplicates == [3])
      return try merge.records().map { try $0.json() }
    }
    #expect(outputs[0] == outputs[1])
  }

  @Test func missingShardsAreNamed() throws {
    let error = #expect(throws: ShardError.self) { try Self.merged([1, 2, 3] + Array(5...15)) }
    let text = "\(try #require(error))"
    #expect(text.contains("2 shards have no result"))
    #expect(text.contains("shard 4: long.dbtrace events 30..<70, trapped core, launch 1"))
    #expect(text.contains("shard 16: short.dbtrace events 0..<10, trapped core, launch 2"))
  }

  @Test func resultsThatContradictAreRefused() throws {
    var merge = ShardMerge(Self.plan)
    try merge.add(Self.result(1))
    var other = try Self.result(1)
    other.record.cells[0].deliveryCounters = ["tlb-misses": 2]
    #expect(throws: ShardError.self) { try merge.add(other) }
    // A launch that counted something else.
    var launches = ShardMerge(Self.plan)
    for number in 1...15 { try launches.add(Self.result(number)) }
    var last = try Self.result(16)
    last.record.cells[0].ledger?.delivered += 1
    try launches.add(last)
    let error = #expect(throws: ShardError.self) { try launches.records() }
    #expect("\(try #require(error))".contains("the ledger of equality, trapped"))
  }

  @Test func unlikeHostsAreRefused() throws {
    var merge = ShardMerge(Self.plan)
    for number in 1...15 { try merge.add(Self.result(number)) }
    try merge.add(Self.result(16, host: "y"))
    let error = #expect(throws: ShardError.self) { try merge.records() }
    #expect("\(try #require(error))".contains("cpu: x against y"))
  }

  @Test func filesAreWholeFirstAndChecked() throws {
    let folder = NSTemporaryDirectory() + "shards-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let path = folder + "/shard-1.json"
    let first = try Self.result(1)
    #expect(try ShardFile.create(first, at: path))
    #expect(try !ShardFile.create(Self.result(2), at: path))
    #expect(try ShardResult.read(from: path, of: Self.plan) == first)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["shard-1.json"])
    var other = Self.plan
    other.runs[0].parameters = ["--passes", "3"]
    let error = #expect(throws: ShardError.self) { try ShardResult.read(from: path, of: other) }
    #expect("\(try #require(error))".contains("a result of plan"))
    var wrong = Self.plan
    wrong.traces[0].cuts = [0, 70, 30]
    #expect(try ShardFile.create(wrong, at: folder + "/plan.json"))
    #expect(throws: ShardError.self) { try ShardPlan.read(from: folder + "/plan.json") }
    #expect(try ShardFile.create(Self.plan, at: folder + "/good.json"))
    #expect(try ShardPlan.read(from: folder + "/good.json") == Self.plan)
  }
}
