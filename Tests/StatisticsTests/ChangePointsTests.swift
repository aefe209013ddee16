import EventModel
import Foundation
import Statistics
import Testing

@Suite struct ChangePointsTests {
  struct Golden: Decodable {
    struct Series: Decodable, CustomTestStringConvertible {
      struct Best: Decodable {
        var index: Int
        var statistic: Double
      }
      var name: String
      var values: [Double]
      var best: Best
      var permutation: [Int]
      var windows: [Int]
      var testDescription: String { name }
    }
    var series: [Series]
  }

  static let series: [Golden.Series] = {
    let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Golden/otava.json")
    // A golden file that is not there is a test that does not run: better a crash.
    return try! JSONDecoder().decode(Golden.self, from: Data(contentsOf: url)).series
  }()

  private static func test(_ minimumStretch: Int = 2) -> ChangePoints {
    var test = ChangePoints(seed: 1)
    test.minimumStretch = minimumStretch
    test.permutations = 199
    return test
  }

  @Test func theGoldenFileHoldsStepsAndNone() {
    #expect(Self.series.count == 11)
    #expect(Self.series.contains { $0.permutation.isEmpty } && Self.series[0].permutation == [28])
  }

  /// One definition, two programs: the best split and its statistic agree to the digit.
  @Test(arguments: series) func theStatisticIsThatOfOtava(_ series: Golden.Series) throws {
    let best = try #require(Self.test(1).candidate(in: series.values))
    #expect(best.index == series.best.index)
    #expect(abs(best.statistic - series.best.statistic) <= 1e-9 * series.best.statistic)
  }

  /// The steps agree with Otava's permutation test, which makes other permutations, on all series. With at
  /// least two observations on either side, as here, a lone outlier is none.
  @Test(arguments: series) func theStepsAreThoseOfOtava(_ series: Golden.Series) {
    let steps = Self.test().steps(in: series.values).map(\.index)
    #expect(steps == series.permutation)
  }

  @Test func aLoneLastPointIsNoStepAndTwoAreOne() throws {
    let lone = try #require(Self.series.first { $0.name == "lone last point" })
    let two = try #require(Self.series.first { $0.name == "two at the end" })
    #expect(lone.windows == [39], "Otava's default takes it for a step")
    #expect(Self.test().steps(in: lone.values).isEmpty)
    #expect(Self.test().steps(in: two.values).map(\.index) == [38])
  }

  @Test func aSeedGivesTheSameAnswerAndTheUnitDoesNotMatter() throws {
    let values = try #require(Self.series.first { $0.name == "two steps up" }).values
    let once = Self.test().steps(in: values)
    #expect(once == Self.test().steps(in: values))
    let scaled = Self.test().steps(in: values.map { 1_024 * $0 })
    #expect(once.map(\.index) == scaled.map(\.index) && once.map(\.p) == scaled.map(\.p))
    #expect(once.allSatisfy { $0.p == 1 / 200 })
  }

  /// The arrangements that stand side by side count as they would one by one, whatever their number.
  @Test(arguments: [97, 98, 99, 100]) func pIsTheShareOfArrangementsCountedOneByOne(
    permutations: Int
  )
    throws
  {
    var shares: Set<Double> = []
    for seed in 1...24 as ClosedRange<UInt64> {
      var dice = SplitMix64(seed: seed)
      let values = (0..<11 + Int(seed) % 7).map { place in
        Double.random(in: 0..<1, using: &dice) + (place < 7 ? 0 : 0.4)
      }
      var test = ChangePoints(seed: seed)
      test.permutations = permutations
      test.significance = 0.9
      let observed = try #require(test.candidate(in: values))
      var random = SplitMix64(seed: seed)
      var extreme = 1
      for _ in 0..<permutations {
        let found = test.candidate(in: values.shuffled(using: &random))
        if try #require(found).statistic >= observed.statistic * (1 - 1e-9) { extreme += 1 }
      }
      let share = Double(extreme) / Double(permutations + 1)
      guard share <= 0.9 else { continue }
      #expect(test.steps(in: values).first { $0.index == observed.index }?.p == share)
      shares.insert(share)
    }
    #expect(shares.count > 10, "of little and of great chance")
  }

  @Test func shortAndConstantSeriesHaveNoSteps() {
    for values in [[], [1], [1, 2], [1, 1, 9], [Double](repeating: 6, count: 30)] {
      #expect(Self.test().steps(in: values).isEmpty, "\(values)")
    }
  }

  /// Of series without a step, a share of about the significance has one all the same: here at most 4 % at
  /// 1 %, for 200 series.
  @Test func noiseIsSeldomAStep() {
    var generator = SystemlessGenerator(state: 5)
    var found = 0
    for seed in 0..<200 {
      let values = (0..<16).map { _ in
        (0..<12).reduce(0.0) { sum, _ in sum + Double.random(in: 0..<1, using: &generator) }
      }
      var test = ChangePoints(seed: UInt64(seed))
      test.permutations = 99
      found += test.steps(in: values).isEmpty ? 0 : 1
    }
    #expect(found <= 8, "\(found)")
  }

  private struct SystemlessGenerator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      // xorshift64 (G. Marsaglia, "Xorshift RNGs", 2003).
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return state
    }
  }
}
