import Testing

@testable import Measurement

@Suite struct ProcessorCountersTests {
  /// The kernel's task clock (PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK): goes the same way as a
  /// counter of the processor, and is there on hosts that have none of those.
  private static let taskClock = ProcessorCounters.Event(
    name: "task-clock", type: 1, configuration: 1)

  static var absence: String? {
    let reading = ProcessorCounters([taskClock]).readings()[0]
    guard case .notSupported(let reason) = reading.result else { return nil }
    return reason
  }

  @Test(
    .enabled(if: absence == nil, "perf_event_open: not supported (\(absence ?? ""))"))
  func aCounterCountsBetweenStartAndStopOnly() {
    var counters = ProcessorCounters([Self.taskClock])
    func count() -> UInt64 {
      guard case .counted(let count, let share) = counters.readings()[0].result else { return 0 }
      #expect(share > 0 && share <= 1)
      return count
    }
    #expect(count() == 0)
    counters.start()
    spin(milliseconds: 2)
    counters.stop()
    let first = count()
    #expect(first > 0)
    spin(milliseconds: 2)
    #expect(count() == first, "stopped")
    counters.start()
    spin(milliseconds: 2)
    counters.stop()
    #expect(count() > first, "goes on from where it was")
  }

  @Test func whatTheKernelDoesNotKnowIsNotSupportedByName() {
    let unknown = ProcessorCounters.Event(name: "wishes", type: 0xFFFF, configuration: 0)
    let counters = ProcessorCounters([unknown])
    let countsAnything = counters.countsAnything
    #expect(!countsAnything)
    guard case .notSupported(let reason) = counters.readings()[0].result else {
      Issue.record("a counter of an unknown type counted")
      return
    }
    #expect(["ENOENT", "EINVAL", "EACCES", "EPERM", "ENOSYS"].contains(reason), "\(reason)")
  }

  @Test func theHardwaresCountersCountOrSayWhyNot() {
    var counters = ProcessorCounters()
    counters.start()
    spin(milliseconds: 1)
    counters.stop()
    let readings = counters.readings()
    #expect(
      readings.map(\.event.name) == ["cycles", "instructions", "cache-misses", "branch-misses"])
    for reading in readings {
      switch reading.result {
      case .counted(let count, _):
        #expect(count > 0 || reading.event.name.hasSuffix("misses"), "\(reading.event.name)")
      case .notSupported(let reason): #expect(reason.hasPrefix("E"), "\(reason)")
      }
    }
    let finding = ProcessorCounters.finding()
    #expect(finding.state != .warn)
    #expect((finding.state == .ok) == (finding.advice == nil))
  }

  private func spin(milliseconds: UInt64) {
    let clock = CycleClock.shared
    let start = clock.now()
    while clock.nanoseconds(from: start, to: clock.now()) < milliseconds * 1_000_000 {}
  }
}
