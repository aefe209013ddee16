/// What a host takes away from a thread that wants nothing but to run: a loop reads the clock, and a
/// reading that comes late was somebody else's time (an interrupt, another task, the hypervisor). The idea is
/// the kernel's osnoise tracer (Documentation/trace/osnoise-tracer.rst), without its need for root.
package struct NoiseProbe: Hashable, Sendable {
  /// A gap between two readings counts from here; the loop itself takes some tens of nanoseconds.
  package static let thresholdNanoseconds: UInt64 = 1_000
  /// Lower ends of the classes of gaps, in nanoseconds.
  package static let classes: [UInt64] = [1_000, 10_000, 100_000, 1_000_000, 10_000_000]

  package private(set) var cpu: Int
  package private(set) var nanoseconds: UInt64 = 0
  package private(set) var readings: UInt64 = 0
  /// Gaps by class.
  package private(set) var gaps = [UInt64](repeating: 0, count: classes.count)
  package private(set) var longestNanoseconds: UInt64 = 0
  package private(set) var lostNanoseconds: UInt64 = 0
  /// Why the thread did not run on the CPU alone; nil if it did.
  package private(set) var placement: String?

  /// Spins on each of the first CPUs for a while, one after the other.
  ///
  /// - Parameters:
  ///   - cpuCount: CPUs at most, of those that may be used.
  ///   - nanoseconds: on each.
  package static func run(cpuCount: Int, nanoseconds: UInt64) -> [NoiseProbe] {
    let clock = CycleClock.shared
    defer { ThreadPlacement.unpin() }
    return ThreadPlacement.allowedCPUs.prefix(cpuCount).enumerated().map { index, cpu in
      let reason = ThreadPlacement.pin(toAllowed: index)
      var probe = NoiseProbe(
        cpu: cpu, until: nanoseconds, now: { clock.now() },
        duration: { clock.nanoseconds(from: $0, to: $1) })
      probe.placement = reason
      return probe
    }
  }

  /// - Parameters:
  ///   - now: the time in ticks.
  ///   - duration: nanoseconds between two of them.
  @inline(__always)
  init(
    cpu: Int, until end: UInt64, now: () -> UInt64, duration: (UInt64, UInt64) -> UInt64
  ) {
    self.cpu = cpu
    let start = now()
    var last = start
    while nanoseconds < end {
      let time = now()
      let gap = duration(last, time)
      last = time
      readings &+= 1
      if gap >= Self.thresholdNanoseconds { note(gap) }
      nanoseconds = duration(start, time)
    }
  }

  private mutating func note(_ gap: UInt64) {
    lostNanoseconds += gap
    longestNanoseconds = max(longestNanoseconds, gap)
    gaps[(Self.classes.lastIndex { $0 <= gap } ?? 0)] += 1
  }

  /// Of some probes. One long gap is one disturbed interrupt of thousands; over a thousandth of all time is
  /// in every mean.
  package static func finding(_ probes: [NoiseProbe]) -> HostFinding {
    guard let worst = probes.max(by: { $0.longestNanoseconds < $1.longestNanoseconds }) else {
      return .unknown("noise", "not probed")
    }
    let total = probes.reduce(0) { $0 + $1.nanoseconds }
    let lost = probes.reduce(0) { $0 + $1.lostNanoseconds }
    let share = total == 0 ? 0 : lost * 100_000 / total
    let count = probes.reduce(0) { $0 + $1.gaps.reduce(0, +) }
    let fact =
      "\(count) gaps over 1 µs in \(total / 1_000_000) ms, longest "
      + "\(HostExamination.thousandths(worst.longestNanoseconds)) µs on CPU \(worst.cpu), "
      + "\(HostExamination.thousandths(share)) % lost"
    return share < 100 && worst.longestNanoseconds < 50_000
      ? .ok("noise", fact)
      : .warn(
        "noise", fact,
        "tails hold this: stop what else runs, isolate CPUs, or ask for dedicated ones")
  }
}
