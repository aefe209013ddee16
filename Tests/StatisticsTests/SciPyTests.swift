import EventModel
import Foundation
import Testing

@testable import Statistics

/// Every procedure against what SciPy says of the same numbers: `Golden/make.py` wrote them down.
@Suite struct SciPyTests {
  struct Case: Decodable {
    var values: [Double]?
    var from: [Double]?
    var to: [Double]?
    var estimate: Double?
    var p: [String: Double]?
    var interval: [String: [Double]?]?
    var asymptotic: Bool?
  }
  struct BootstrapCase: Decodable {
    var values: [Double]
    var statistic: String
    var interval: [Double]
  }
  struct VarianceCase: Decodable {
    var launches: [[Double]]
    var within: Double
    var between: Double
  }
  struct HolmCase: Decodable {
    var p: [Double]
    var adjusted: [Double]
  }
  struct NormalCase: Decodable {
    var z: [Double]
    var cumulative: [Double]
    var p: [Double]
    var quantile: [Double]
  }
  struct Golden: Decodable {
    var paired: [Case]
    var unpaired: [Case]
    var permutation: [Case]
    var bootstrap: [BootstrapCase]
    var variance: [VarianceCase]
    var holm: [HolmCase]
    var normal: NormalCase
  }

  private let golden: Golden

  init() throws {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Golden/scipy.json")
    golden = try JSONDecoder().decode(Golden.self, from: Data(contentsOf: file))
  }

  private func isClose(_ a: Double, _ b: Double, _ relative: Double = 1e-9) -> Bool {
    abs(a - b) <= relative * max(abs(a), abs(b)) + 1e-12
  }

  @Test func pairedEffects() throws {
    #expect(golden.paired.count > 15)
    for example in golden.paired {
      let values = try #require(example.values)
      let effect = PairedEffect(values)
      #expect(isClose(effect.estimate, try #require(example.estimate)))
      for (name, p) in try #require(example.p) {
        let alternative = try #require(Alternative(rawValue: name))
        #expect(isClose(effect.p(alternative), p), "\(values) \(name)")
      }
      try compare(example) { effect.interval(confidence: $0) }
    }
  }

  @Test func unpairedEffects() throws {
    #expect(golden.unpaired.count > 10)
    for example in golden.unpaired {
      let effect = UnpairedEffect(from: try #require(example.from), to: try #require(example.to))
      #expect(isClose(effect.estimate, try #require(example.estimate)))
      for (name, p) in try #require(example.p) {
        let alternative = try #require(Alternative(rawValue: name))
        #expect(isClose(effect.p(alternative), p, 1e-8), "\(example) \(name)")
      }
      try compare(example) { effect.interval(confidence: $0) }
    }
  }

  private func compare(_ example: Case, _ interval: (Double) -> Interval?) throws {
    for (name, ends) in example.interval ?? [:] {
      let mine = interval(try #require(Double(name)))
      guard let ends else {
        #expect(mine == nil, "\(example) \(name)")
        continue
      }
      #expect(isClose(mine?.lower ?? .nan, ends[0]), "\(example) \(name)")
      #expect(isClose(mine?.upper ?? .nan, ends[1]), "\(example) \(name)")
    }
  }

  @Test func permutationTests() throws {
    let test = PermutationTest(seed: 1)
    var rough = test
    rough.exactLimit = 0
    rough.resamples = 20_000
    for example in golden.permutation {
      for (name, p) in try #require(example.p) {
        let alternative = try #require(Alternative(rawValue: name))
        func run(_ test: PermutationTest) throws -> Double {
          if let values = example.values { return test.paired(values, alternative) }
          return test.unpaired(
            from: try #require(example.from), to: try #require(example.to), alternative)
        }
        #expect(isClose(try run(test), p), "\(name)")
        // Drawn instead of gone through: five standard errors of 20,000 draws.
        #expect(abs(try run(rough) - p) < 2 * 5 * (p * (1 - p) / 20_000).squareRoot() + 2e-4)
      }
    }
  }

  @Test func bootstrapIntervals() throws {
    for example in golden.bootstrap {
      let statistic: ([Double]) -> Double =
        example.statistic == "mean" ? { $0.reduce(0, +) / Double($0.count) } : { median($0) }
      let mine = try #require(
        Bootstrap(seed: 3).interval(example.values, confidence: 0.95, statistic))
      // Both are drawn, with different generators: some per cent of the width apart at most.
      let width = example.interval[1] - example.interval[0]
      #expect(abs(mine.lower - example.interval[0]) < 0.06 * width, "\(example)")
      #expect(abs(mine.upper - example.interval[1]) < 0.06 * width, "\(example)")
    }
  }

  @Test func varianceComponents() throws {
    for example in golden.variance {
      let mine = try #require(VarianceComponents(example.launches))
      #expect(isClose(mine.within, example.within))
      #expect(isClose(mine.between, max(0, example.between)))
    }
  }

  @Test func holmCorrection() {
    for example in golden.holm {
      for (mine, theirs) in zip(Holm.adjusted(example.p), example.adjusted) {
        #expect(isClose(mine, theirs))
      }
    }
  }

  @Test func normalDistribution() {
    for (z, p) in zip(golden.normal.z, golden.normal.cumulative) {
      #expect(isClose(Normal.cumulative(z), p, 1e-11), "\(z)")
      #expect(isClose(Normal.tail(-z), p, 1e-11), "\(z)")
    }
    for (p, z) in zip(golden.normal.p, golden.normal.quantile) {
      #expect(isClose(Normal.quantile(p), z, 1e-9), "\(p)")
    }
  }
}
