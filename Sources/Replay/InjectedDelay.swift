public import Measurement

/// A slowdown of one stage of `core` by a known share, made on purpose: a gate that is to be trusted must
/// be seen to catch it.
///
/// After each timed stretch of the stage the thread spins until the stretch has lasted `1 + share` times
/// as long. So the amount is exact by construction, to within one reading of the clock per stretch; it
/// needs no calibration, and it scales with the noise of the host as real work would. What it does not
/// do is displace caches or change code: it says what a gate sees of time, not of causes.
@frozen @usableFromInline
package struct InjectedDelay: Hashable, Sendable, CustomStringConvertible {
  @usableFromInline package enum Stage: String, CaseIterable, Sendable {
    case delivery
    case setUp = "set-up"
  }

  @usableFromInline package var stage: Stage
  /// 0.03 makes the stage 3 % slower. Not negative.
  @usableFromInline package var share: Double

  package init(stage: Stage, share: Double) {
    precondition(share >= 0)
    self.stage = stage
    self.share = share
  }

  @usableFromInline package var description: String { "\(stage.rawValue)=\(share * 100)%" }

  @inlinable
  func covers(_ work: Stretch.Work) -> Bool { (work == .setUp) == (stage == .setUp) }

  /// Spins, and returns the time at which the stretch that took from `begin` to `end` is over.
  @usableFromInline
  func prolong(from begin: UInt64, to end: UInt64, _ clock: CycleClock) -> UInt64 {
    let until = end &+ UInt64(Double(end &- begin) * share)
    var now = end
    while now < until { now = clock.now() }
    return now
  }
}
