/// The location of paired differences: Hodges–Lehmann estimate, interval, signed-rank test (Wilcoxon
/// 1945; Hodges and Lehmann, Annals of Mathematical Statistics 34, 1963).
///
/// The test is a permutation test: if the labels of a pair were drawn by lot and change nothing, each
/// difference is as likely with the other sign. The distribution over all 2ⁿ signs of the ranks is
/// computed exactly, equal differences included, up to `exactLimit` pairs; beyond, the normal
/// approximation is used. It asks for nothing but that: no normality, no equal variances between pairs.
package struct PairedEffect: Sendable {
  /// Pairs up to which the distribution is exact: 200 pairs are 8 million additions.
  static let exactLimit = 200

  /// Rising.
  private let walshAverages: [Double]
  /// Differences that are not 0, of which ranks speak (Wilcoxon's rule).
  private let nonzero: [Double]
  package let count: Int

  /// O(n² log n).
  package init(_ differences: [Double]) {
    count = differences.count
    nonzero = differences.filter { $0 != 0 }
    var averages: [Double] = []
    averages.reserveCapacity(count * (count + 1) / 2)
    for first in differences.indices {
      for second in first..<differences.count {
        averages.append((differences[first] + differences[second]) / 2)
      }
    }
    walshAverages = averages.sorted()
  }

  /// Median of the averages of all pairs of differences, each with itself included. NaN without pairs.
  package var estimate: Double { median(walshAverages) }

  /// Distribution-free interval for the location, whose confidence is at least what was asked. Nil if
  /// no interval of this confidence exists: two-sided 95 % needs 6 pairs, 99 % needs 8.
  package func interval(confidence: Double) -> Interval? {
    guard count > 0 else { return nil }
    let tail = (1 - confidence) / 2
    // The averages at places k and M+1-k bound an interval with tails P(T ≤ k-1).
    let distribution = SubsetSums(weights: Array(1...count))
    guard let rank = distribution.largest(withTailAtMost: tail) else { return nil }
    return Interval(
      lower: walshAverages[rank], upper: walshAverages[walshAverages.count - 1 - rank])
  }

  /// The chance of ranks at least this far out, if signs fall by lot. 1 without differences.
  package func p(_ alternative: Alternative) -> Double {
    guard !nonzero.isEmpty else { return 1 }
    let ranks = doubledRanks(nonzero.map(abs))
    var positive = 0
    for (rank, difference) in zip(ranks, nonzero) where difference > 0 { positive += rank }
    let total = ranks.reduce(0, +)
    // Symmetric: the sum of the negative ranks has the same distribution.
    let distribution = SubsetSums(weights: ranks)
    let greater = distribution.lowerTail(total - positive)
    let less = distribution.lowerTail(positive)
    return switch alternative {
    case .greater: greater
    case .less: less
    case .twoSided: min(1, 2 * min(greater, less))
    }
  }
}

/// The distribution of the sum of a random subset of whole weights, each in with probability ½.
struct SubsetSums {
  /// P(sum = index); nil where only the normal approximation is used.
  private let probability: [Double]?
  private let mean: Double
  private let deviation: Double

  init(weights: [Int]) {
    let total = weights.reduce(0, +)
    mean = Double(total) / 2
    deviation = (weights.reduce(0.0) { $0 + Double($1 * $1) } / 4).squareRoot()
    guard weights.count <= PairedEffect.exactLimit else {
      probability = nil
      return
    }
    var mass = [Double](repeating: 0, count: total + 1)
    mass[0] = 1
    var reached = 0
    for weight in weights {
      reached += weight
      for sum in stride(from: reached, through: 0, by: -1) {
        mass[sum] = (mass[sum] + (sum >= weight ? mass[sum - weight] : 0)) / 2
      }
    }
    probability = mass
  }

  /// P(sum ≤ value).
  func lowerTail(_ value: Int) -> Double {
    if let probability {
      return value < 0 ? 0 : min(1, probability.prefix(value + 1).reduce(0, +))
    }
    // Half a step of the smallest lattice as continuity correction.
    return Normal.cumulative((Double(value) + 0.5 - mean) / deviation)
  }

  /// The largest value whose lower tail is not above `tail`; nil if even 0 is likelier.
  func largest(withTailAtMost tail: Double) -> Int? {
    if let probability {
      var sum = 0.0
      var found: Int?
      for (value, mass) in probability.enumerated() {
        sum += mass
        guard sum <= tail else { break }
        found = value
      }
      return found
    }
    let value = (mean - 0.5 + deviation * Normal.quantile(tail)).rounded(.down)
    return value < 0 ? nil : Int(value)
  }
}
