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
    var arrangements = Arrangements(count: series.count)
    while true {
      let found = stretches.compactMap { candidate(in: $0, distances) }
      // The first of equals, so that the answer does not depend on the order of accepted steps.
      guard let best = found.max(by: { ($0.statistic, -$0.index) < ($1.statistic, -$1.index) })
      else { break }
      let p = chance(of: best.statistic, series, stretches, &random, &arrangements)
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
        }
      }
    }
    return best
  }

  private func chance(
    of observed: Double, _ series: [Double], _ stretches: [Range<Int>],
    _ random: inout SplitMix64, _ arrangements: inout Arrangements
  ) -> Double {
    // Sums in another order differ in the last digits; equal is equal all the same.
    let bar = observed - 1e-9 * abs(observed)
    var extreme = 1
    for start in stride(from: 1, through: permutations, by: Arrangements.lanes) {
      let lanes = min(Arrangements.lanes, permutations + 1 - start)
      for lane in 0..<lanes {
        var shuffled = series
        for stretch in stretches { shuffled[stretch].shuffle(using: &random) }
        arrangements.set(lane, shuffled)
      }
      var most = SIMD4(repeating: -Double.infinity)
      for stretch in stretches {
        most = pointwiseMax(most, arrangements.greatestStatistic(in: stretch, minimumStretch))
      }
      for lane in 0..<lanes {
        if most[lane] >= bar { extreme += 1 }
        // Even if no other one were extreme: not significant.
        if Double(extreme) > significance * Double(permutations + 1) {
          return Double(extreme) / Double(start + lane + 1)
        }
      }
    }
    return Double(extreme) / Double(permutations + 1)
  }

  /// Four arrangements of a series side by side, because each sum waits for the one before it: what takes the
  /// time of a search.
  private struct Arrangements {
    static let lanes = 4
    private typealias Lanes = SIMD4<Double>

    /// By place.
    private var values: [Lanes]
    /// Of each place Σ of distances to those in front of it, from the start of a stretch.
    private var own: [Lanes]
    /// The same, to those in front of the split.
    private var below: [Lanes]
    private let reciprocals: [Double]

    init(count: Int) {
      values = [Lanes](repeating: Lanes(), count: count)
      own = values
      below = values
      reciprocals = [0] + (1...max(1, count)).map { 1 / Double($0) }
    }

    mutating func set(_ lane: Int, _ series: [Double]) {
      for (place, value) in series.enumerated() { values[place][lane] = value }
    }

    /// As `candidate` finds it, up to the last digits. O(n²) time.
    mutating func greatestStatistic(in stretch: Range<Int>, _ minimumStretch: Int) -> SIMD4<Double>
    {
      var most = Lanes(repeating: -.infinity)
      let count = stretch.count
      guard count >= 2 * minimumStretch else { return most }
      precondition(stretch.lowerBound >= 0 && stretch.upperBound <= values.count)
      // Safety: places are below the length of the stretch, and it lies within the arrays.
      unsafe values.withUnsafeBufferPointer { all in
        unsafe own.withUnsafeMutableBufferPointer { own in
          unsafe below.withUnsafeMutableBufferPointer { below in
            let values = unsafe UnsafeBufferPointer(rebasing: all[stretch])
            for k in 0..<count { unsafe (own[k], below[k]) = (Lanes(), Lanes()) }
            for i in 0..<count {
              let value = unsafe values[i]
              for k in i + 1..<max(count, i + 1) {
                unsafe own[k] += Self.distance(values[k], value)
              }
            }
            var left = Lanes()
            for tau in 1..<count {
              let value = unsafe values[tau - 1]
              left += unsafe own[tau - 1]
              let n = Double(tau)
              let leftMean = tau > 1 ? left / (n - 1) : Lanes()
              var (across, right) = (Lanes(), Lanes())
              // With too few on the left none is the one: only sums go on.
              let first = tau < minimumStretch ? count : tau + minimumStretch - 1
              for last in tau..<count {
                let sum = unsafe below[last] + Self.distance(values[last], value)
                unsafe below[last] = sum
                across += sum
                right += unsafe own[last] - sum
                guard last >= first else { continue }
                let m = Double(last - tau + 1)
                let statistic =
                  2 * reciprocals[last + 1]
                  * (across - m * leftMean - n * reciprocals[last - tau] * right)
                most.replace(with: statistic, where: statistic .> most)
              }
            }
          }
        }
      }
      return most
    }

    @inline(__always)
    private static func distance(_ a: SIMD4<Double>, _ b: SIMD4<Double>) -> SIMD4<Double> {
      // The sign bit off: what the standard library has for it is not vectorized.
      unsafe unsafeBitCast(
        unsafeBitCast(a - b, to: SIMD4<UInt64>.self) & 0x7FFF_FFFF_FFFF_FFFF,
        to: SIMD4<Double>.self)
    }
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
