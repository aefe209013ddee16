package import Measurement

/// What a paced run saw.
@usableFromInline
package struct PacedResult: Sendable {
  /// From the intended start to the end of the acknowledge.
  package var response: LatencyHistogram
  /// From the actual start to the same end.
  package var service: LatencyHistogram
  /// From the intended to the actual start.
  package var lag: LatencyHistogram
  /// Warm-up included.
  package var account: DeliveryAccount
  /// Interrupts that were sent and had not ended when the run did. Not in the account's ends.
  package var unended: UInt64
  /// From the start of the schedule to its last interrupt.
  package var nanoseconds: UInt64
  /// Interrupts sent after the warm-up.
  package var measured: UInt64
  /// Times that an interrupt found no room and was late for that reason.
  package var blocked: UInt64
  /// The stages of an interrupt at each percentile of the response, to the histogram's precision.
  package var atPercentile: [(percent: Double, stages: DeliveryStages)]
  /// Allocations of the sending thread between the first and the last interrupt; nil where there is no
  /// meter.
  package var allocations: UInt64?
  package var lagBudgetNanoseconds: UInt64
  package var stageSet: StageSet = [.waits, .smmu, .eventfd]
  /// Why a thread does not have a CPU of its own; empty if all have.
  package var placement: [String] = []

  package var lagAtBudgetPercent: UInt64 { lag.percentile(PacedLoop.lagPercent) }

  /// Interrupts sent per second of the schedule.
  package var sentPerSecond: Double {
    nanoseconds == 0 || account.offered < 2
      ? 0 : Double(account.offered - 1) * 1e9 / Double(nanoseconds)
  }

  /// The threads allocated while they measured; nil if they did not, or nobody counted.
  package var allocationReason: String? {
    guard let allocations, allocations > 0 else { return nil }
    return
      "\(allocations) allocations between the first and the last interrupt, set-up apart: the design "
      + "or the harness went to the allocator, whose time is in these figures"
  }

  /// Why the figures must not be believed; nil if they may.
  package var voidReason: String? {
    if unended > 0 { return "\(unended) interrupts were sent and never ended" }
    if !account.isConserved {
      return "the account does not hold: \(account.offered) offered, \(account.taken) taken, "
        + "\(account.coalesced) coalesced, \(account.masked) masked, \(account.lost) lost"
    }
    if lagAtBudgetPercent > lagBudgetNanoseconds {
      return
        "send lag p99.9 is \(lagAtBudgetPercent) ns, above the budget of \(lagBudgetNanoseconds) ns: "
        + "this host did not keep the schedule; use a quieter host, a lower rate, or --lag-budget"
    }
    return nil
  }
}
