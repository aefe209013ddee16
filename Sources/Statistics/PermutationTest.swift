internal import EventModel

/// Permutation tests on the mean itself, where ranks would throw away how far apart values are.
///
/// All arrangements are gone through if there are at most `exactLimit`; otherwise `resamples` of them are
/// drawn, and the observed one is counted among them, so that p is never 0 and the test keeps its level
/// (Phipson and Smyth, Statistical Applications in Genetics and Molecular Biology 9, 2010).
package struct PermutationTest: Sendable {
  package var exactLimit = 1 << 14
  package var resamples = 9_999
  package var seed: UInt64

  package init(seed: UInt64) { self.seed = seed }

  /// Paired: each difference keeps or loses its sign. The statistic is the mean difference.
  package func paired(_ differences: [Double], _ alternative: Alternative) -> Double {
    let observed = differences.reduce(0, +)
    var random = SplitMix64(seed: seed)
    var count = ExtremeCount(observed, differences.map(abs).reduce(0, +))
    let isExact = differences.count < 62 && 1 << differences.count <= exactLimit
    for index in 0..<(isExact ? 1 << differences.count : resamples) {
      var signs = isExact ? UInt64(index) : 0
      var sum = 0.0
      for (place, difference) in differences.enumerated() {
        if !isExact, place % 64 == 0 { signs = random.next() }
        sum += signs & 1 == 0 ? difference : -difference
        signs >>= 1
      }
      count.add(sum)
    }
    return count.p(alternative, isExact: isExact)
  }

  /// Unpaired: the values are dealt out anew. The statistic is the difference of the means.
  package func unpaired(
    from first: [Double], to second: [Double], _ alternative: Alternative
  ) -> Double {
    guard !first.isEmpty, !second.isEmpty else { return 1 }
    var values = first + second
    let total = values.reduce(0, +)
    // The difference of means rises with the sum of the second sample, around its expectation.
    let expected = total * Double(second.count) / Double(values.count)
    var count = ExtremeCount(
      second.reduce(0, +) - expected, values.map(abs).reduce(0, +))
    if let subsets = combinations(values.count, second.count), subsets <= exactLimit {
      forEachSubset(of: values, size: second.count) { count.add($0 - expected) }
      return count.p(alternative, isExact: true)
    }
    var random = SplitMix64(seed: seed)
    for _ in 0..<resamples {
      var sum = 0.0
      for place in 0..<second.count {
        values.swapAt(place, Int.random(in: place..<values.count, using: &random))
        sum += values[place]
      }
      count.add(sum - expected)
    }
    return count.p(alternative, isExact: false)
  }

  /// n over k; nil if it is above 2³².
  private func combinations(_ n: Int, _ k: Int) -> Int? {
    var result = 1
    for step in 0..<min(k, n - k) {
      result = result * (n - step) / (step + 1)
      if result > 1 << 32 { return nil }
    }
    return result
  }

  private func forEachSubset(of values: [Double], size: Int, _ body: (Double) -> Void) {
    var chosen = Array(0..<size)
    while true {
      body(chosen.reduce(0.0) { $0 + values[$1] })
      guard let place = chosen.indices.last(where: { chosen[$0] < values.count - size + $0 })
      else { return }
      chosen[place] += 1
      for later in place + 1..<max(size, place + 1) { chosen[later] = chosen[later - 1] + 1 }
    }
  }
}

/// Arrangements at least as far out as the observed one; rounding does not make equal ones differ.
private struct ExtremeCount {
  private let observed: Double
  private let tolerance: Double
  private var all = 0
  private var greater = 0
  private var less = 0

  init(_ observed: Double, _ magnitude: Double) {
    self.observed = observed
    tolerance = magnitude * 1e-12
  }

  mutating func add(_ value: Double) {
    all += 1
    if value >= observed - tolerance { greater += 1 }
    if value <= observed + tolerance { less += 1 }
  }

  func p(_ alternative: Alternative, isExact: Bool) -> Double {
    func share(_ extreme: Int) -> Double {
      isExact ? Double(extreme) / Double(all) : Double(extreme + 1) / Double(all + 1)
    }
    return switch alternative {
    case .greater: share(greater)
    case .less: share(less)
    case .twoSided: min(1, 2 * min(share(greater), share(less)))
    }
  }
}
