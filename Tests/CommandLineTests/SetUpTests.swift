import History
import Testing

/// `replay --experiment set-up`, whose record holds designs and slow paths apart.
@Suite struct SetUpTests {
  @Test func theRecordHoldsCostsPerVectorAndSlowPathsByLength() throws {
    try Folder.use { folder in
      let result = try Tool.run(
        "replay", Tool.trace("boot"), "--design", "trapped", "eventfd", "--arch", "x86-intel",
        "--experiment", "set-up", "--passes", "1", "--output", folder.path("run.json"))
      try #require(result.status == 0, "\(result.text)")
      #expect(result.output.contains("arch   x86-intel\n"))
      #expect(result.output.contains("Break-even") && result.output.contains("Slow paths"))
      let record = try RunRecord.read(from: folder.path("run.json"))
      #expect(Set(record.cells.map(\.design)) == ["trapped", "eventfd"])
      for cell in record.cells where cell.experiment == "set-up" {
        #expect(cell.metric("set-up-ns-per-vector").map { $0.value > 0 } == true)
        #expect(cell.setUpCounters["irte-writes"].map { $0 > 0 } == true)
      }
      let curves = try #require(record.slowPaths)
      #expect(curves.count == 5)
      for curve in curves {
        #expect(curve.points.last?.length == 10_000)
        // 10,000 times the nodes: no noise hides that a walk grows.
        let (first, last) = (curve.points.first { $0.length > 0 }, curve.points.last)
        #expect(try #require(last).walk > 10 * (try #require(first).walk), "\(curve.name)")
      }
    }
  }
}
