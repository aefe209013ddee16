import History
import Plots
import Testing

@testable import Reports

@Suite struct QuantilesTests {
  private let distribution = RunRecord.Distribution(
    name: "total", unit: "ns",
    counts: [.init(value: 10, count: 90), .init(value: 20, count: 9), .init(value: 70, count: 1)])

  @Test func theCurveIsAStepForEachValue() {
    #expect(
      Quantiles(distribution).curve == [
        Point(0, 10), Point(90, 10), Point(90, 20), Point(99, 20), Point(99, 70), Point(100, 70),
      ])
    #expect(abs(Quantiles(distribution).nines - 2) < 1e-9)
  }

  @Test func ranksAreThoseOfSortedObservations() {
    let quantiles = Quantiles(distribution)
    #expect([1, 90, 91, 99, 100].map(quantiles.value) == [10, 10, 20, 20, 70])
    #expect(quantiles.value(rank: 1000) == 70)
  }

  @Test func theBandHoldsTheCurveAndEndsWhereNothingIsKnown() throws {
    let band = try #require(Quantiles(distribution).band(confidence: 0.95))
    #expect(band.upper.count == band.lower.count)
    for (upper, lower) in zip(band.upper, band.lower) {
      let value = Double(distribution.percentile(upper.x))
      #expect(lower.y <= value && value <= upper.y)
    }
    #expect((band.upper.last?.x ?? 100) < 98, "100 observations bound no 99th percentile")
    let few = RunRecord.Distribution(name: "x", unit: "ns", counts: [.init(value: 1, count: 2)])
    #expect(Quantiles(few).band(confidence: 0.95) == nil)
  }

  @Test func theBandOfLaunchesSpansThem() throws {
    var slower = distribution
    slower.counts = slower.counts.map { .init(value: $0.value * 3, count: $0.count) }
    let band = try #require(Quantiles.band(of: [distribution, slower]))
    #expect(band.lower.first?.y == 10)
    #expect(band.upper.first?.y == 30)
    #expect(Quantiles.band(of: [distribution]) == nil)
  }

  @Test func nothingHasNoCurve() {
    let empty = Quantiles(.init(name: "x", unit: "ns", counts: []))
    #expect(empty.curve.isEmpty)
    #expect(empty.value(rank: 1) == 0)
    #expect(empty.band(confidence: 0.95) == nil)
  }
}
