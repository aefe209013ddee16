internal import EventModel

/// Where the level of a series of independent observations changed: E-divisive with a permutation test
/// (Matteson and James, "A Nonparametric Approach for Multiple Change Point Analysis of Multivariate Data",
/// Journal of the American Statistical Association 109, 2014, sections 2 and 3, with α = 1).
///
/// The series is split where two neighbouring stretches differ most by the energy statistic q̂; the split
/// is accepted if permuting the observations *within* the stretches so far seldom gives as large a q̂. Then
/// the search goes on inside the stretches: an accepted step cuts what later ones are judged by.
///
/// Deterministic: a seed gives the same permutations everywhere. O(n²) time and memory per permutation;
/// a series without steps takes few of them, because the test ends once its answer is certain.
package struct ChangePoints: Sendable {
  package struct Step: Hashable, Sendable {
    /// Of the first observation on the new level.
    package var index: Int
    /// The energy statistic q̂ by which it was found.
    package var statistic: Double
    /// The share of arrangements with as large a q̂, the observed one among them; never 0.
    package var p: Double
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
    while true {
      let found = stretches.compactMap { candidate(in: $0, distances) }
      // The first of equals, so that the answer does not depend on the order of accepted steps.
      guard let best = found.max(by: { ($0.statistic, -$0.index) < ($1.statistic, -$1.index) })
      else { break }
      let p = chance(of: best.statistic, series, stretches, &random)
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
  private func candidate(
    in stretch: Range<Int>, _ distances: Distances
  ) -> (index: Int, statistic: Double)? {
    guard stretch.count >= 2 * minimumStretch else { return nil }
    var best: (index: Int, statistic: Double)?
    // Σ of distances within [start, τ).
    var left = 0.0
    for tau in stretch.lowerBound + 1..<stretch.upperBound {
      left += distances.sum(from: tau - 1, to: stretch.lowerBound..<tau - 1)
      let n = Double(tau - stretch.lowerBound)
      guard tau - stretch.lowerBound >= minimumStretch else { continue }
      var right = 0.0
      var across = 0.0
      for end in tau + 1...stretch.upperBound {
        across += distances.sum(from: end - 1, to: stretch.lowerBound..<tau)
        right += distances.sum(from: end - 1, to: tau..<end - 1)
        guard end - tau >= minimumStretch else { continue }
        let m = Double(end - tau)
        // n m ⁄ (n + m) × (2 × mean across − mean within left − mean within right); over pairs i < k, and 0
        // for a single observation.
        let statistic =
          2 / (n + m)
          * (across - (n > 1 ? m / (n - 1) * left : 0) - (m > 1 ? n / (m - 1) * right : 0))
        if statistic > best?.statistic ?? -.infinity { best = (tau, statistic) }
      }
    }
    return best
  }

  private func chance(
    of observed: Double, _ series: [Double], _ stretches: [Range<Int>],
    _ random: inout SplitMix64
  ) -> Double {
    // Sums in another order differ in the last digits; equal is equal all the same.
    let bar = observed - 1e-9 * abs(observed)
    var extreme = 1
    for done in 1...permutations {
      var shuffled = series
      for stretch in stretches { shuffled[stretch].shuffle(using: &random) }
      let distances = Distances(shuffled)
      let largest = stretches.compactMap { candidate(in: $0, distances)?.statistic }.max()
      if largest.map({ $0 >= bar }) == true { extreme += 1 }
      // Even if no other one were extreme: not significant.
      if Double(extreme) > significance * Double(permutations + 1) {
        return Double(extreme) / Double(done + 1)
      }
    }
    return Double(extreme) / Double(permutations + 1)
  }

  /// |x_k − x_i|, summed from the front for each k.
  private struct Distances {
    private let sums: [Double]
    private let width: Int

    init(_ series: [Double]) {
      width = series.count + 1
      var sums = [Double](repeating: 0, count: series.count * width)
      for k in series.indices {
        var sum = 0.0
        for i in series.indices {
          sums[k * width + i] = sum
          sum += abs(series[k] - series[i])
        }
        sums[k * width + series.count] = sum
      }
      self.sums = sums
    }

    func sum(from k: Int, to range: Range<Int>) -> Double {
      sums[k * width + range.upperBound] - sums[k * width + range.lowerBound]
    }
  }
}
