/// How far the second of two independent samples is shifted: Hodges–Lehmann estimate, interval,
/// rank-sum test (Mann and Whitney, Annals of Mathematical Statistics 18, 1947).
///
/// The test is a permutation test over all ways to deal the values out to the two samples; exact, equal
/// values included, up to `exactLimit` values in all, and the normal approximation with tie correction
/// beyond. It supposes that launches of both arms are exchangeable, which interleaving makes true and a
/// baseline of yesterday does not.
package struct UnpairedEffect: Sendable {
  static let exactLimit = 80

  private let first: [Double]
  private let second: [Double]
  /// Every value of the second less every value of the first, rising.
  private let shifts: [Double]

  package init(from first: [Double], to second: [Double]) {
    self.first = first
    self.second = second
    shifts = second.flatMap { value in first.map { value - $0 } }.sorted()
  }

  /// Median of all differences between the samples. NaN if one is empty.
  package var estimate: Double { median(shifts) }

  /// Distribution-free interval for the shift. Nil if there is none of this confidence: 95 % needs 4
  /// launches on each side.
  package func interval(confidence: Double) -> Interval? {
    guard !shifts.isEmpty else { return nil }
    let distribution = RankSums(
      ranks: (1...first.count + second.count).map { 2 * $0 }, chosen: second.count)
    let tail = (1 - confidence) / 2
    guard let place = distribution.largestExcess(withTailAtMost: tail) else { return nil }
    return Interval(lower: shifts[place], upper: shifts[shifts.count - 1 - place])
  }

  package func p(_ alternative: Alternative) -> Double {
    guard !shifts.isEmpty else { return 1 }
    let ranks = doubledRanks(first + second)
    let mine = ranks.suffix(second.count).reduce(0, +)
    let mirrored = ranks.prefix(first.count).reduce(0, +)
    let less = RankSums(ranks: ranks, chosen: second.count).lowerTail(mine)
    let greater = RankSums(ranks: ranks, chosen: first.count).lowerTail(mirrored)
    return switch alternative {
    case .greater: greater
    case .less: less
    case .twoSided: min(1, 2 * min(greater, less))
    }
  }
}

/// The distribution of the sum of `chosen` of the (doubled) ranks, drawn without replacement.
private struct RankSums {
  /// P(sum = index); nil where only the normal approximation is used.
  private let probability: [Double]?
  private let mean: Double
  private let deviation: Double
  private let smallest: Int

  init(ranks: [Int], chosen: Int) {
    let count = ranks.count
    smallest = ranks.sorted().prefix(chosen).reduce(0, +)
    let average = Double(ranks.reduce(0, +)) / Double(count)
    mean = average * Double(chosen)
    // The variance of a sum drawn without replacement; the ties are in the ranks.
    let spread = ranks.reduce(0.0) { $0 + (Double($1) - average) * (Double($1) - average) }
    let rest = Double(count - chosen)
    deviation =
      count < 2 ? 0 : (spread * Double(chosen) * rest / Double(count * (count - 1))).squareRoot()
    guard count <= UnpairedEffect.exactLimit else {
      probability = nil
      return
    }
    probability = Self.exact(ranks, chosen: chosen)
  }

  /// Ways to choose, by sum, divided by all ways: at most 2⁷⁷ of them, so that doubles keep 15 digits.
  private static func exact(_ ranks: [Int], chosen: Int) -> [Double] {
    let most = ranks.sorted().suffix(chosen).reduce(0, +)
    var ways = [[Double]](repeating: [Double](repeating: 0, count: most + 1), count: chosen + 1)
    ways[0][0] = 1
    for rank in ranks where chosen > 0 && rank <= most {
      for size in stride(from: chosen, through: 1, by: -1) {
        let fewer = ways[size - 1]
        for sum in stride(from: most, through: rank, by: -1) {
          ways[size][sum] += fewer[sum - rank]
        }
      }
    }
    let all = ways[chosen].reduce(0, +)
    return ways[chosen].map { $0 / all }
  }

  func lowerTail(_ value: Int) -> Double {
    if let probability { return min(1, probability.prefix(value + 1).reduce(0, +)) }
    guard deviation > 0 else { return 1 }
    // Doubled ranks: half a step is 1.
    return Normal.cumulative((Double(value) + 1 - mean) / deviation)
  }

  /// How many single ranks above the smallest sum the lower tail still is not above `tail`.
  func largestExcess(withTailAtMost tail: Double) -> Int? {
    if let probability {
      var sum = 0.0
      var found: Int?
      for value in stride(from: smallest, to: probability.count, by: 2) {
        sum += probability[value]
        guard sum <= tail else { break }
        found = (value - smallest) / 2
      }
      return found
    }
    let value = (mean - 1 + deviation * Normal.quantile(tail) - Double(smallest)) / 2
    return value < 0 ? nil : Int(value.rounded(.down))
  }
}
