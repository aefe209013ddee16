public import Measurement

/// The time by which interrupts are paced and measured: the machine's, or a simulated one that makes
/// a run repeatable to the last tick.
@usableFromInline
package protocol PacingClock {
  /// Ticks since some moment. Never goes back.
  func now() -> UInt64
  func ticks(nanoseconds: UInt64) -> UInt64
  /// Whole nanoseconds; 0 if `end` is not later.
  func nanoseconds(from start: UInt64, to end: UInt64) -> UInt64
  /// One step of waiting for `due`, with nothing else to do until then.
  func wait(until due: UInt64, by wait: PacingWait)
  /// One step of waiting while something else may happen before.
  func pause(_ wait: PacingWait)
}

extension CycleClock: PacingClock {}
