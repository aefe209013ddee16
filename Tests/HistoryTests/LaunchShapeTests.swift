import History
import Testing

/// What several launches become in one record: what has a sum is added, what has none is chosen and not made up.
@Suite struct LaunchShapeTests {
  /// A launch whose path took `total` at its median, and whose knee was at `knee`.
  private static func launch(_ total: UInt64, knee: Double, arrivals: String = "poisson")
    -> RunRecord
  {
    var path = RunRecord.Cell(
      design: "direct", setUp: "owned", delivery: "vlpi", experiment: "path")
    path.distributions = [
      .init(name: "total", unit: "ns", counts: [.init(value: total, count: 10)])
    ]
    path.stages = [
      .init(percentile: 50, total: total, stages: [.init(name: "its", nanoseconds: total)])
    ]
    path.processorCounters = [
      .init(name: "cycles", perEvent: Double(total), countedShare: 1, reason: nil)
    ]
    var saturate = RunRecord.Cell(
      design: "direct", setUp: "owned", delivery: "vlpi", experiment: "saturate")
    saturate.parameters = ["arrivals": arrivals, "confirmed": "\(knee > 2)"]
    func point(_ rate: Double, sustained: Int) -> RunRecord.RatePoint {
      .init(
        rate: rate, taken: rate, runs: 3, sustained: sustained, discarded: 0, coalesced: 0, lost: 0,
        p50: 1, p99: 2, p999: 3, maximum: 4, lag: 5)
    }
    saturate.curve = [point(knee, sustained: 3), point(knee * 2, sustained: 1)]
    return RunRecord(
      tool: .init(name: "doorbell", version: "1"), command: [], started: "",
      trace: .init(name: "t", contentHash: "aa", events: 1, eventsByKind: [:], lostEvents: 0),
      host: .init(facts: [:]), cells: [path, saturate],
      harness: [
        .init(name: "clock", unit: "ns", lowerIsBetter: true, value: 9, samples: [Double(total)])
      ])
  }

  @Test(arguments: [[0, 1, 2], [2, 1, 0], [1, 2, 0], [1, 0, 2]])
  func whatHasNoSumIsChosenWhateverTheOrder(order: [Int]) throws {
    let launches = [Self.launch(10, knee: 5), Self.launch(12, knee: 1), Self.launch(40, knee: 3)]
    let merged = try RunRecord.merged(order.map { launches[$0] })
    let path = merged.cells[0]
    #expect(path.distributions[0].total == 30 && path.distributions[0].percentile(50) == 12)
    // A real interrupt of the second launch, and no mean of three.
    #expect(
      path.stages
        == [.init(percentile: 50, total: 12, stages: [.init(name: "its", nanoseconds: 12)])])
    #expect(path.processorCounters?[0].perEvent == (10 + 12 + 40) / 3.0)
    let saturate = merged.cells[1]
    #expect(saturate.curve == launches[2].cells[1].curve)
    #expect(saturate.launchCurves == order.map { launches[$0].cells[1].curve ?? [] })
    // Merged again, with one more: all four launches count.
    let more = try RunRecord.merged([merged, Self.launch(12, knee: 4)])
    #expect(more.cells[1].launchCurves?.count == 4)
    #expect(more.cells[1].curve?[0].rate == 3)
    #expect(merged.harness[0].samples.sorted() == [10, 12, 40] && merged.harness[0].value == 12)
  }

  @Test func oneLaunchStaysAsItIs() throws {
    let launch = Self.launch(10, knee: 5)
    #expect(try RunRecord.merged([launch]) == launch)
  }

  @Test func aVoidLaunchMakesTheSumVoid() throws {
    var void = Self.launch(10, knee: 5)
    void.cells[1].voidReason = "send lag"
    for launches in [[void, Self.launch(9, knee: 4)], [Self.launch(9, knee: 4), void]] {
      #expect(try RunRecord.merged(launches).cells.map(\.voidReason) == [nil, "send lag"])
    }
  }

  @Test func launchesThatWereAskedForOtherThingsAreNotAdded() throws {
    let other = Self.launch(10, knee: 5, arrivals: "fixed")
    let error = #expect(throws: RunRecord.LaunchError.self) {
      try RunRecord.merged([Self.launch(10, knee: 5), other])
    }
    #expect(
      "\(try #require(error))".contains("arrivals of saturate, direct: poisson against fixed"))
    // Told apart by their variant, they lie beside each other.
    var variant = other
    for place in variant.cells.indices { variant.cells[place].variant = "arrivals=fixed" }
    #expect(try RunRecord.merged([Self.launch(10, knee: 5), variant]).cells.count == 4)
  }
}
