internal import CPlatform
internal import Glibc

extension CycleClock {
  /// Where the readings come from.
  @usableFromInline enum Origin: Hashable, Sendable, BitwiseCopyable {
    /// x86-64, and the processor states `constant_tsc` and `nonstop_tsc` (Intel SDM volume 3B,
    /// "Invariant TSC").
    case timeStampCounter
    /// arm64: the generic timer has one rate on all CPUs by architecture (Arm ARM, D12.1).
    case virtualCounter
    case counterMayChangeRate
    case counterMayStop
    case counterStoodStill
    case counterUnknown

    var isCounter: Bool { self == .timeStampCounter || self == .virtualCounter }

    var description: String {
      switch self {
      case .timeStampCounter: "tsc"
      case .virtualCounter: "cntvct"
      case .counterMayChangeRate: "clock_monotonic_raw (the CPU does not state constant_tsc)"
      case .counterMayStop: "clock_monotonic_raw (the CPU does not state nonstop_tsc)"
      case .counterStoodStill: "clock_monotonic_raw (the cycle counter stood still)"
      case .counterUnknown: "clock_monotonic_raw (no counter is known on this architecture)"
      }
    }
  }

  /// Compares the counter with CLOCK_MONOTONIC_RAW at both ends of 20 ms, asleep in between.
  static func calibrated() -> CycleClock {
    let origin = origin(cpuFlags: SystemFiles().cpuInfo(field: "flags") ?? "")
    guard origin.isCounter else { return monotonicRaw(origin) }
    let first = CounterReading.narrowest(of: 50)
    usleep(20_000)
    let second = CounterReading.narrowest(of: 50)
    guard second.ticks > first.ticks, second.nanoseconds > first.nanoseconds else {
      return monotonicRaw(.counterStoodStill)
    }
    let ticks = second.ticks - first.ticks
    return CycleClock(
      ticks: ticks, lasting: second.nanoseconds - first.nanoseconds, origin: origin,
      uncertaintyPartsPerMillion: 1e6 * Double(first.width + second.width) / 2 / Double(ticks))
  }

  /// The fallback: one tick is one nanosecond.
  static func monotonicRaw(_ reason: Origin) -> CycleClock {
    CycleClock(ticks: 1, lasting: 1, origin: reason)
  }

  /// Whether the counter is a clock, by the flags of /proc/cpuinfo.
  static func origin(cpuFlags: String) -> Origin {
    #if arch(x86_64)
      let flags = cpuFlags.split(separator: " ")
      if !flags.contains("constant_tsc") { return .counterMayChangeRate }
      if !flags.contains("nonstop_tsc") { return .counterMayStop }
      return .timeStampCounter
    #elseif arch(arm64)
      return .virtualCounter
    #else
      return .counterUnknown
    #endif
  }
}

/// The cycle counter and CLOCK_MONOTONIC_RAW at one moment.
private struct CounterReading {
  var ticks: UInt64 = 0
  var nanoseconds: UInt64 = 0
  /// Ticks that passed while the system's clock was read: the moment is known to half of it.
  var width = UInt64.max

  static func narrowest(of count: Int) -> CounterReading {
    var best = CounterReading()
    for _ in 0..<count {
      let before = CPlatform_cyclesOrdered()
      let nanoseconds = CPlatform_monotonicRawNanoseconds()
      let width = CPlatform_cyclesOrdered() &- before
      if width < best.width {
        best = CounterReading(
          ticks: before &+ width / 2, nanoseconds: nanoseconds, width: width)
      }
    }
    return best
  }
}
