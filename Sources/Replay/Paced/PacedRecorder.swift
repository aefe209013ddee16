import EventModel
import Measurement

/// Collects what a paced run sees. Nothing is allocated after `init`.
struct PacedRecorder<Clock: PacingClock>: ~Copyable {
  private let clock: Clock
  /// Ticks; interrupts meant to start earlier are counted and not recorded.
  var measuredFrom: UInt64 = 0
  private var response = LatencyRecorder()
  private var service = LatencyRecorder()
  private var lag = LatencyRecorder()
  private var exemplars = StageExemplars()
  private var account = DeliveryAccount()
  private var measured: UInt64 = 0
  private var blocked: UInt64 = 0

  init(clock: Clock) { self.clock = clock }

  mutating func noteSent(intended: UInt64, sent: UInt64) {
    account.offered &+= 1
    guard intended >= measuredFrom else { return }
    measured &+= 1
    lag.record(clock.nanoseconds(from: intended, to: sent))
  }

  /// There was no room for an interrupt: the design is behind by as many as a ring holds.
  mutating func noteBlocked() { blocked &+= 1 }

  mutating func record(_ end: DeliveryEnd) {
    account.settle(end.outcome)
    guard end.outcome == .delivered, end.stamps.start >= measuredFrom else { return }
    let stages = end.stamps.stages(clock)
    response.record(stages.total)
    service.record(stages.total &- stages.decodeWait)
    exemplars.record(stages, total: stages.total)
  }

  consuming func result(
    unended: UInt64, nanoseconds: UInt64, allocations: UInt64?, _ options: PacedLoop.Options
  ) -> PacedResult {
    let response = response.histogram
    return PacedResult(
      response: response, service: service.histogram, lag: lag.histogram, account: account,
      unended: unended, nanoseconds: nanoseconds, measured: measured, blocked: blocked,
      atPercentile: response.count == 0
        ? []
        : PacedLoop.stagePercents.map { ($0, exemplars.stages(at: $0, of: response)) },
      allocations: allocations, lagBudgetNanoseconds: options.lagBudgetNanoseconds)
  }
}
