import CPlatform
import Glibc
public import Measurement

/// How the sending thread waits for the next start. Whatever it does, it waits for a point of the
/// absolute schedule, so an error never adds up.
@usableFromInline
package enum PacingWait: String, Sendable, CaseIterable {
  /// The pause instruction: the least lag, and a whole core.
  case spin
  /// `sched_yield`: others may run; late by their time slice.
  case yield
  /// Sleeps to `sleepMarginNanoseconds` before the start, then spins. While an interrupt is in flight it
  /// spins as well, because the same thread takes it.
  case sleep

  /// More than the timer slack (50 µs, prctl(2), PR_SET_TIMERSLACK) and a switch of threads.
  package static let sleepMarginNanoseconds: UInt64 = 100_000
}

extension CycleClock {
  @usableFromInline package func pause(_ wait: PacingWait) {
    if wait == .yield { sched_yield() } else { CPlatform_pause() }
  }

  @usableFromInline package func wait(until due: UInt64, by wait: PacingWait) {
    let margin = PacingWait.sleepMarginNanoseconds
    let left = nanoseconds(from: now(), to: due)
    guard wait == .sleep, left > margin else { return pause(wait) }
    Self.sleep(nanoseconds: left - margin)
  }

  /// Until an absolute time of CLOCK_MONOTONIC. A signal may end it early: the caller looks again.
  static func sleep(nanoseconds: UInt64) {
    var time = timespec()
    // Safety: the pointers are to a local variable and used during the calls only.
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    let sum = UInt64(time.tv_nsec) + nanoseconds
    time.tv_sec += Int(sum / 1_000_000_000)
    time.tv_nsec = Int(sum % 1_000_000_000)
    _ = unsafe clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nil)
  }
}

/// What one step of each wait strategy costs on this host, in nanoseconds.
package struct PacingWaitCost: Hashable, Sendable {
  /// One pause.
  package var spin: Double
  /// One `sched_yield` when nobody else wants the core.
  package var yield: Double
  /// How late a sleep of 200 µs ends: the median, and the worst of `sleeps`.
  package var sleepMedian: Double
  package var sleepWorst: Double
  package static let sleeps = 31

  /// Takes about 10 ms.
  package static func measured(with clock: CycleClock = .shared) -> PacingWaitCost {
    func step(_ wait: PacingWait) -> Double {
      leastNanoseconds(runs: 32, operations: 64) { for _ in 0..<64 { clock.pause(wait) } }
    }
    let wanted: UInt64 = 200_000
    let late = (0..<sleeps).map { _ in
      let begin = clock.now()
      CycleClock.sleep(nanoseconds: wanted)
      let slept = clock.nanoseconds(from: begin, to: clock.now())
      return Double(slept > wanted ? slept - wanted : 0)
    }
    let summary = Summary(late)
    return PacingWaitCost(
      spin: step(.spin), yield: step(.yield), sleepMedian: summary.median,
      sleepWorst: summary.maximum)
  }
}
