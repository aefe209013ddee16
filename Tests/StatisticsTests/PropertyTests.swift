import EventModel
import Testing

@testable import Statistics

/// What must hold of any data.
@Suite struct PropertyTests {
  /// Every set of signs of six differences: how often a test says "p ≤ level" is at most the level.
  @Test func theSignedRankTestKeepsItsLevelExactly() {
    let sizes = [0.3, 1.1, 1.1, 2.4, 5.0, 0.01]
    for alternative in Alternative.allCases {
      let all = (0..<1 << sizes.count).map { signs in
        PairedEffect(sizes.indices.map { signs >> $0 & 1 == 0 ? sizes[$0] : -sizes[$0] })
          .p(alternative)
      }
      for level in Set(all) {
        let rejected = Double(all.count { $0 <= level }) / Double(all.count)
        #expect(rejected <= level + 1e-12, "\(alternative) \(level)")
      }
    }
  }

  /// Every way to deal six values, two of them equal, to two samples of three.
  @Test func theRankSumTestKeepsItsLevelExactly() {
    let values = [1.0, 2, 2, 3, 7, 9]
    for alternative in Alternative.allCases {
      var all: [Double] = []
      for mask in 0..<1 << 6 where mask.nonzeroBitCount == 3 {
        let first = values.indices.filter { mask >> $0 & 1 == 1 }.map { values[$0] }
        let second = values.indices.filter { mask >> $0 & 1 == 0 }.map { values[$0] }
        all.append(UnpairedEffect(from: first, to: second).p(alternative))
      }
      for level in Set(all) {
        #expect(Double(all.count { $0 <= level }) / Double(all.count) <= level + 1e-12)
      }
    }
  }

  /// A shift of all differences shifts estimate and interval; the interval and the test agree.
  @Test(arguments: [7, 20, 260]) func theIntervalIsWhereTheTestDoesNotReject(count: Int) throws {
    var random = SplitMix64(seed: 5)
    let values = (0..<count).map { _ in Double.random(in: -1...1, using: &random) }
    let effect = PairedEffect(values)
    let interval = try #require(effect.interval(confidence: 0.95))
    #expect(interval.contains(effect.estimate))
    let step = interval.halfWidth * 1e-6
    for (shift, rejects) in [
      (interval.lower - step, true), (interval.lower + step, false), (interval.upper - step, false),
      (interval.upper + step, true),
    ] {
      let p = PairedEffect(values.map { $0 - shift }).p(.twoSided)
      #expect((p <= 0.05) == rejects, "\(shift) \(p)")
    }
    let moved = PairedEffect(values.map { $0 + 10 })
    #expect(abs(moved.estimate - effect.estimate - 10) < 1e-9)
  }

  @Test func tooFewLaunchesHaveNoInterval() {
    #expect(PairedEffect([1, 2, 3, 4, 5]).interval(confidence: 0.95) == nil)
    #expect(PairedEffect([1, 2, 3, 4, 5, 6]).interval(confidence: 0.95) != nil)
    #expect(UnpairedEffect(from: [1, 2, 3], to: [4, 5, 6]).interval(confidence: 0.95) == nil)
    #expect(
      UnpairedEffect(from: [1, 2, 3, 4], to: [4, 5, 6, 7]).interval(confidence: 0.95) != nil)
    #expect(PairedEffect([]).p(.greater) == 1 && PairedEffect([]).interval(confidence: 0.5) == nil)
    #expect(UnpairedEffect(from: [], to: [1]).p(.less) == 1)
    #expect(VarianceComponents([[1, 2]]) == nil && VarianceComponents([[1], [2]]) == nil)
    #expect(Bootstrap(seed: 1).interval([1], confidence: 0.95) { $0[0] } == nil)
    #expect(Holm.adjusted([]).isEmpty)
  }

  @Test func aSeedGivesTheSameAnswerAndAnotherSeedADifferentOne() {
    let values = (0..<40).map { Double($0 * $0 % 17) - 7 }
    func p(_ seed: UInt64) -> Double { PermutationTest(seed: seed).paired(values, .greater) }
    #expect(p(1) == p(1) && p(1) != p(2))
    func interval(_ seed: UInt64) -> Interval? {
      Bootstrap(seed: seed).interval(values, confidence: 0.9) { median($0.map { $0 * $0 }) }
    }
    #expect(interval(1) == interval(1))
  }
}
