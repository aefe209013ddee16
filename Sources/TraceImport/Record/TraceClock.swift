import Glibc

/// The kernel's trace clocks that a program can read too, all in nanoseconds
/// (linux, Documentation/trace/ftrace.rst, trace_clock). A recorder must read the clock of the ring, or
/// it cannot know that a quiet CPU has nothing earlier to say.
package enum TraceClock: String, Sendable, CaseIterable {
  /// CLOCK_MONOTONIC: what user programs measure with; stands still while the machine sleeps.
  case mono
  /// CLOCK_MONOTONIC_RAW: the same without corrections of its rate.
  case raw = "mono_raw"
  /// CLOCK_BOOTTIME: goes on while the machine sleeps.
  case boot
  /// CLOCK_TAI: wall-clock time without leap seconds.
  case tai

  private var identifier: clockid_t {
    switch self {
    case .mono: CLOCK_MONOTONIC
    case .raw: CLOCK_MONOTONIC_RAW
    case .boot: CLOCK_BOOTTIME
    case .tai: CLOCK_TAI
    }
  }

  package var nanoseconds: UInt64 { Self.nanoseconds(identifier) }

  /// Wall-clock time, in nanoseconds since 1970, at time 0 of this clock; as of now.
  package var epochNanoseconds: UInt64 {
    let wall = Self.nanoseconds(CLOCK_REALTIME)
    return wall - min(wall, nanoseconds)
  }

  private static func nanoseconds(_ identifier: clockid_t) -> UInt64 {
    var time = timespec()
    // Safety: `time` is a whole struct timespec that outlives the call.
    _ = unsafe clock_gettime(identifier, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}
