import Statistics
import Testing

@Suite struct RankIntervalTests {
  /// From sums of exact fractions (Python's `fractions` and `math.comb`) at 95 %.
  @Test(
    arguments: [
      (5, 50.0, nil, nil), (6, 50, 1, 6), (10, 50, 2, 9), (20, 50, 6, 15), (100, 50, 40, 61),
      (100, 90, 84, 96), (100, 99, 97, nil), (1000, 99, 983, 997), (300, 99.9, 298, nil),
      (1000, 10, 82, 120),
    ] as [(Int, Double, Int?, Int?)])
  func ranksAreThoseOfTheBinomialDistribution(
    count: Int, percent: Double, lower: Int?, upper: Int?
  ) {
    let ranks = RankInterval(count: count, percent: percent, confidence: 0.95)
    #expect(ranks.lower == lower)
    #expect(ranks.upper == upper)
  }

  @Test func aMillionObservationsAreNarrow() throws {
    let ranks = RankInterval(count: 1_000_000, percent: 50, confidence: 0.95)
    // 1.96 · √(n/4) on either side.
    #expect(abs(try #require(ranks.lower) - 499_020) <= 1)
    #expect(abs(try #require(ranks.upper) - 500_981) <= 1)
  }

  @Test func billionsOfObservationsTakeNoTime() throws {
    let ranks = RankInterval(count: 1 << 53, percent: 99.9, confidence: 0.95)
    let middle = 0.999 * Double(1 << 53)
    let half = 1.959964 * (middle * 0.001).squareRoot()
    #expect(abs(Double(try #require(ranks.lower)) - (middle - half)) < 100)
    #expect(abs(Double(try #require(ranks.upper)) - (middle + half)) < 100)
  }

  @Test func nothingIsKnownOfNothing() {
    #expect(RankInterval(count: 0, percent: 50, confidence: 0.95).lower == nil)
    #expect(RankInterval.ofMedian([1, 2, 3], confidence: 0.95) == nil)
  }

  @Test func theMedianLiesBetweenObservations() {
    let interval = RankInterval.ofMedian([9, 1, 8, 2, 7, 3, 6, 4, 5, 10], confidence: 0.95)
    #expect(interval == Interval(lower: 2, upper: 9))
  }
}
