// Measurement: time → histogram → summary.
//
// What it is: a clock that costs a few nanoseconds, a histogram with a fixed layout that merges
// exactly, robust statistics over repetitions, the facts of the host, and what all of this costs.
// What it is not: it knows no event and no design, and draws no verdict.
//
//   let clock = CycleClock.shared
//   let start = clock.now()
//   work()
//   histogram.record(clock.nanoseconds(from: start, to: clock.now()))
//
// Invariants: a histogram never resizes and never drops a value silently (values beyond its range are
// counted as its maximum); percentiles are read from counts, never averaged; a part that the host does
// not have is said by name and reason.
//
// Threads: a clock is a value and may be used by all; a histogram belongs to one thread at a time.

/// What measuring itself costs, in nanoseconds: stated beside every result, never subtracted. Each is
/// the smallest mean over many short bursts, because an interrupt can only make a burst longer.
package struct HarnessCost: Hashable, Sendable {
  /// One reading of the clock.
  package var clockNanoseconds: Double
  /// One reading that waits for what came before it.
  package var orderedClockNanoseconds: Double
  /// Converting and recording one duration.
  package var recordNanoseconds: Double
  /// All that one measured event costs where its end is the start of the next one: a reading,
  /// conversion and recording. An event with a start of its own costs one more reading.
  package var eventNanoseconds: Double

  /// Takes under a millisecond.
  package static func measured(with clock: CycleClock = .shared) -> HarnessCost {
    var recorder = LatencyRecorder()
    var sum: UInt64 = 0
    let reading = fastest(clock) { sum &+= clock.now() }
    let ordered = fastest(clock) { sum &+= clock.nowOrdered() }
    var next: UInt64 = 1
    let record = fastest(clock) {
      next = next &* 6_364_136_223_846_793_005 &+ 1
      recorder.record(clock.nanoseconds(from: 0, to: next >> 48))
    }
    var last = clock.now()
    let event = fastest(clock) {
      let now = clock.now()
      recorder.record(clock.nanoseconds(from: last, to: now))
      last = now
    }
    // Both are used, so that no loop above is dead code.
    precondition(sum != 0 && recorder.histogram.count > 0)
    return HarnessCost(
      clockNanoseconds: reading, orderedClockNanoseconds: ordered, recordNanoseconds: record,
      eventNanoseconds: event)
  }

  @inline(__always)
  private static func fastest(_ clock: CycleClock, _ operation: () -> Void) -> Double {
    let operations = 256
    var smallest = UInt64.max
    for _ in 0..<64 {
      let start = clock.now()
      for _ in 0..<operations { operation() }
      smallest = min(smallest, clock.now() &- start)
    }
    return Double(clock.nanoseconds(from: 0, to: smallest)) / Double(operations)
  }
}
