import Replay

/// Time that passes only when it is read or waited for: the same run gives the same ticks. A tick is a
/// nanosecond.
final class SimulatedClock: PacingClock {
  private(set) var time: UInt64 = 1_000_000
  /// What one reading takes.
  let reading: UInt64
  /// By how much a wait ends after its time, in turn.
  var lateness: [UInt64] = [0]
  private var waits = 0

  init(reading: UInt64 = 1) { self.reading = reading }

  func now() -> UInt64 {
    time += reading
    return time
  }
  func ticks(nanoseconds: UInt64) -> UInt64 { nanoseconds }
  func nanoseconds(from start: UInt64, to end: UInt64) -> UInt64 { end > start ? end - start : 0 }
  func wait(until due: UInt64, by wait: PacingWait) {
    time = max(time, due) + lateness[waits % lateness.count]
    waits += 1
  }
  func pause(_ wait: PacingWait) { time += 50 }
}
