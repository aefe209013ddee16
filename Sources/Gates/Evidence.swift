package import Statistics

/// What was seen of one figure in both arms, on a logarithmic scale on which more is worse: 0.01 is
/// 1 % slower.
package enum Evidence: Hashable, Sendable {
  /// One difference per block of interleaved launches.
  case paired([Double])
  /// One figure per launch, the arms measured apart.
  case unpaired(baseline: [Double], candidate: [Double])

  /// What it says, worked out once: O(n² log n) for n blocks.
  package func finding(confidence: Double) -> Finding {
    switch self {
    case .paired(let differences):
      let effect = PairedEffect(differences)
      return Finding(
        estimate: effect.estimate, interval: effect.interval(confidence: confidence),
        greater: effect.p(.greater), less: effect.p(.less))
    case .unpaired(let a, let b):
      let effect = UnpairedEffect(from: a, to: b)
      return Finding(
        estimate: effect.estimate, interval: effect.interval(confidence: confidence),
        greater: effect.p(.greater), less: effect.p(.less))
    }
  }

  package struct Finding: Hashable, Sendable {
    package var estimate: Double
    package var interval: Interval?
    /// The chance of as much or more in this direction between equal arms.
    package var greater: Double
    package var less: Double
    package var twoSided: Double { min(1, 2 * min(greater, less)) }
  }

  package mutating func add(_ other: Evidence) {
    switch (self, other) {
    case (.paired(let mine), .paired(let more)): self = .paired(mine + more)
    case (.unpaired(let a, let b), .unpaired(let c, let d)):
      self = .unpaired(baseline: a + c, candidate: b + d)
    default: preconditionFailure("a session is paired or it is not")
    }
  }

  /// Blocks, or launches of the smaller arm.
  package var count: Int {
    switch self {
    case .paired(let differences): differences.count
    case .unpaired(let a, let b): min(a.count, b.count)
    }
  }
}

/// An effect as it is reported.
package struct Effect: Codable, Hashable, Sendable {
  /// 0.03: the candidate takes 3 % more time.
  package var change: Double
  package var lower: Double?
  package var upper: Double?
  /// Two-sided, of this figure alone.
  package var p: Double
  package var blocks: Int
  package var verdict: Verdict
}

/// Judges figures of time, all together.
package struct TimeJudge: Sendable {
  package var policy: Policy

  package init(_ policy: Policy) { self.policy = policy }

  /// - Parameter level: the share of the budget of false alarms that this look may use.
  package func effects(_ evidence: [Evidence], level: Double) -> [Effect] {
    let threshold = Exponential.logarithm(1 + policy.threshold)
    let findings = evidence.map { $0.finding(confidence: policy.confidence) }
    let worse = Holm.adjusted(findings.map(\.greater))
    let better = Holm.adjusted(findings.map(\.less))
    return evidence.indices.map { index in
      let finding = findings[index]
      let verdict: Verdict =
        if finding.interval == nil {
          .unjudged
        } else if worse[index] <= level, finding.estimate >= threshold {
          .regressed
        } else if better[index] <= level, finding.estimate <= -threshold {
          .improved
        } else if let interval = finding.interval, interval.upper < threshold {
          .pass
        } else {
          .inconclusive
        }
      return Effect(
        change: Exponential.change(finding.estimate),
        lower: finding.interval.map { Exponential.change($0.lower) },
        upper: finding.interval.map { Exponential.change($0.upper) },
        p: finding.twoSided, blocks: evidence[index].count, verdict: verdict)
    }
  }
}
