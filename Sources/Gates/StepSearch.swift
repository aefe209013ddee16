internal import Dispatch
internal import History
package import Statistics
internal import Synchronization

/// The question where a stretch of runs changed its level, whole: equal questions have equal answers, on
/// every host and in every night.
package struct StepSearch: Hashable, Sendable {
  package let values: [Double]
  let significance: Double
  let seed: UInt64

  /// Nil if there are too few runs, or one whose figure is no positive number.
  init?(_ values: [Double], significance: Double, seed: UInt64, minimumRuns: Int) {
    guard values.count >= minimumRuns, values.allSatisfy({ $0 > 0 && $0.isFinite }) else {
      return nil
    }
    self.values = values
    self.significance = significance
    self.seed = seed
  }

  /// Enough arrangements for the smallest p that has to be told from chance.
  var permutations: Int { min(199_999, Int(2 / significance)) }

  /// O(n²) for each permutation: a fraction of a second where there is a step, far less where there is none.
  package func steps() -> [ChangePoints.Step] {
    var test = ChangePoints(seed: seed)
    test.significance = significance
    test.permutations = permutations
    return test.steps(in: values)
  }

  /// Whether this may be an answer: steps in order, each within the stretch.
  func takes(_ answer: [ChangePoints.Step]) -> Bool {
    let places = [0] + answer.map(\.index) + [values.count]
    return zip(places, places.dropFirst()).allSatisfy { $0 < $1 }
  }

  /// SHA-256 of the question, in hex.
  package var digest: String {
    let words = [seed, UInt64(permutations), significance.bitPattern] + values.map(\.bitPattern)
    return SHA256.hex(
      words.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) } })
  }
}

/// Answers by the digest of their question.
package struct StepAnswers: Sendable {
  package var byDigest: [String: [ChangePoints.Step]]

  package init(_ byDigest: [String: [ChangePoints.Step]] = [:]) { self.byDigest = byDigest }

  /// Exactly those of `searches`: from what is known, and the rest worked out side by side.
  package static func to(
    _ searches: [StepSearch], known: StepAnswers = StepAnswers()
  ) -> StepAnswers {
    var answers = StepAnswers()
    var missing: [(digest: String, search: StepSearch)] = []
    for search in searches {
      let digest = search.digest
      if let answer = known.byDigest[digest], search.takes(answer) {
        answers.byDigest[digest] = answer
      } else {
        missing.append((digest, search))
      }
    }
    let found = Mutex(answers)
    DispatchQueue.concurrentPerform(iterations: missing.count) { [missing] index in
      let steps = missing[index].search.steps()
      found.withLock { $0.byDigest[missing[index].digest] = steps }
    }
    return found.withLock { $0 }
  }

  /// From what is known, or worked out.
  func steps(of search: StepSearch) -> [ChangePoints.Step] {
    guard !byDigest.isEmpty, let answer = byDigest[search.digest], search.takes(answer) else {
      return search.steps()
    }
    return answer
  }
}
