internal import EventModel

/// Where the level of a series of independent observations changed: E-divisive with a permutation test
/// (Matteson and James, "A Nonparametric Approach for Multiple Change Point Analysis of Multivariate Data",
/// Journal of the American Statistical Association 109, 2014, sections 2 and 3, with α = 1).
///
/// The series is split where two neighbouring stretches differ most by the energy statistic q̂; the split
/// is accepted if permuting the observations *within* the stretches so far seldom gives as large a q̂. Then
/// the search goes on inside the stretches: an accepted step cuts what later ones are judged by.
///
/// Deterministic: a seed gives the same permutations everywhere. O(n²) time per permutation, and memory;
/// a series without steps takes few of them, because the test ends once its answer is certain.
package struct ChangePoints: Sendable {
  package struct Step: Hashable, Sendable {
    /// Of the first observation on the new level.
    package var index: Int
    /// The energy statistic q̂ by which it was found.
    package var statistic: Double
    /// The share of arrangements with as large a q̂, the observed one among them; never 0.
    package var p: Double

    package init(index: Int, statistic: Double, p: Double) {
      self.index = index
      self.statistic = statistic
      self.p = p
    }
  }

  /// A step is accepted at p up to this.
  package var significance = 0.01
  /// The least number of observations on either side. With 1, a lone outlier can be a step.
  package var minimumStretch = 2
  package var permutations = 999
  package var seed: UInt64

  package init(seed: UInt64) { self.seed = seed }

  /// All accepted steps, by index. Not-a-number is no observation: precondition.
  package func steps(in series: [Double]) -> [Step] {
    precondition(minimumStretch >= 1 && permutations >= 1)
    precondition(series.allSatisfy(\.isFinite))
    var random = SplitMix64(seed: seed)
    var steps: [Step] = []
    var stretches = [0..<series.count]
    let distances = Distances(series)
    // Reused by every permutation: an allocation of n² numbers costs more than the sums in it.
    var shuffledDistances = distances
    while true {
      let found = stretches.compactMap { candidate(in: $0, distances) }
      // The first of equals, so that the answer does not depend on the order of accepted steps.
      guard let best = found.max(by: { ($0.statistic, -$0.index) < ($1.statistic, -$1.index) })
      else { break }
      let p = chance(of: best.statistic, series, stretches, &random, &shuffledDistances)
      guard p <= significance else { break }
      steps.append(Step(index: best.index, statistic: best.statistic, p: p))
      let place = stretches.firstIndex { $0.contains(best.index) }!
      let whole = stretches[place]
      stretches.replaceSubrange(
        place...place, with: [whole.lowerBound..<best.index, best.index..<whole.upperBound])
    }
    return steps.sorted { $0.index < $1.index }
  }

  /// The split with the largest q̂ in a stretch, significant or not; nil if the stretch is too short for any.
  package func candidate(in series: [Double]) -> (index: Int, statistic: Double)? {
    candidate(in: 0..<series.count, Distances(series))
  }

  /// Both ends vary (equation 8 there): the new level need not last to the end of the stretch.
  ///
  /// - Parameter bar: the search ends with the first split that reaches it, best or not.
  private func candidate(
    in stretch: Range<Int>, _ distances: Distances, upTo bar: Double = .infinity
  ) -> (index: Int, statistic: Double)? {
    guard stretch.count >= 2 * minimumStretch else { return nil }
    let start = stretch.lowerBound
    var best: (index: Int, statistic: Double)?
    var most = -Double.infinity
    // Σ of distances within [start, τ).
    var left = 0.0
    for tau in start + 1..<stretch.upperBound {
      left += distances.sum(of: tau - 1, below: tau - 1) - distances.sum(of: tau - 1, below: start)
      let n = Double(tau - start)
      guard tau - start >= minimumStretch else { continue }
      let leftMean = n > 1 ? left / (n - 1) : 0
      var right = 0.0
      var across = 0.0
      for last in tau..<stretch.upperBound {
        let below = distances.sum(of: last, below: tau)
        across += below - distances.sum(of: last, below: start)
        right += distances.sum(below: last) - below
        guard last - tau + 1 >= minimumStretch else { continue }
        let m = Double(last - tau + 1)
        // n m ⁄ (n + m) × (2 × mean across − mean within left − mean within right); over pairs i < k, and 0
        // for a single observation.
        let statistic =
          2 * distances.reciprocal(last + 1 - start)
          * (across - m * leftMean - n * distances.reciprocal(last - tau) * right)
        if statistic > most {
          most = statistic
          best = (tau, statistic)
          if statistic >= bar { return best }
        }
      }
    }
    return best
  }

  private func chance(
    of observed: Double, _ series: [Double], _ stretches: [Range<Int>],
    _ random: inout SplitMix64, _ distances: inout Distances
  ) -> Double {
    // Sums in another order differ in the last digits; equal is equal all the same.
    let bar = observed - 1e-9 * abs(observed)
    var extreme = 1
    for done in 1...permutations {
      var shuffled = series
      for stretch in stretches { shuffled[stretch].shuffle(using: &random) }
      distances.fill(shuffled)
      let isReached = stretches.contains { stretch in
        (candidate(in: stretch, distances, upTo: bar)?.statistic).map { $0 >= bar } == true
      }
      if isReached { extreme += 1 }
      // Even if no other one were extreme: not significant.
      if Double(extreme) > significance * Double(permutations + 1) {
        return Double(extreme) / Double(done + 1)
      }
    }
    return Double(extreme) / Double(permutations + 1)
  }

  /// Σ |x_k − x_i| over the observations i in front of a place, for each k.
  private struct Distances {
    private let count: Int
    /// Row after row, one for each place: neighbouring k are neighbours in memory.
    private var sums: [Double]
    /// Of each k over all in front of itself.
    private var own: [Double]
    private let reciprocals: [Double]

    init(_ series: [Double]) {
      count = series.count
      sums = [Double](repeating: 0, count: (count + 1) * count)
      own = [Double](repeating: 0, count: count)
      // 1 ⁄ 0 stands where there is nothing to divide.
      reciprocals = [0] + (1...max(1, count)).map { 1 / Double($0) }
      fill(series)
    }

    /// - Parameter series: as many observations as before.
    mutating func fill(_ series: [Double]) {
      precondition(series.count == count)
      for i in 0..<count {
        let value = series[i]
        let row = i * count
        own[i] = sums[row + i]
        for k in 0..<count { sums[row + count + k] = sums[row + k] + abs(series[k] - value) }
      }
    }

    func sum(of k: Int, below place: Int) -> Double { sums[place * count + k] }
    func sum(below k: Int) -> Double { own[k] }
    /// 0 of 0.
    func reciprocal(_ n: Int) -> Double { reciprocals[n] }
  }
}
