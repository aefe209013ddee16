internal import CPlatform
internal import Glibc

/// What a thread does while its ring is full or empty.
///
/// A strategy is a small value; each wait starts with a fresh copy and calls `pause` until there is
/// progress, looking at the ring once between two calls. So each costs a fixed, written sequence of
/// steps, whatever happened before.
@usableFromInline package protocol WaitStrategy: Sendable {
  /// One step of waiting.
  mutating func pause()
}

/// Spins with the processor's pause instruction: the fastest reaction, and a whole core.
///
/// Each step is one pause: about 10 to 140 cycles by processor generation (Intel 64 and IA-32
/// Architectures Optimization Reference Manual, PAUSE latency); 24 ns measured on an AMD EPYC
/// (family 25) virtual machine. Use it when each thread has a core to itself; when the two threads
/// share one, each wait lasts a scheduler's time slice.
@frozen @usableFromInline package struct SpinWait: WaitStrategy {
  @inlinable package init() {}

  @usableFromInline package mutating func pause() { CPlatform_pause() }
}

/// Spins `spins` times, then gives the core away at every step with `sched_yield` (0.6 µs on the
/// same machine when nobody else wants the core). The one to take when in doubt: nearly as fast as
/// `SpinWait`, and it makes progress with a single core.
@frozen @usableFromInline package struct SpinThenYieldWait: WaitStrategy {
  @usableFromInline var spinsLeft: UInt32

  @inlinable package init(spins: UInt32 = 256) { spinsLeft = spins }

  @usableFromInline package mutating func pause() {
    if spinsLeft > 0 {
      spinsLeft -= 1
      CPlatform_pause()
    } else {
      sched_yield()
    }
  }
}

/// Spins, then yields, then sleeps at every step. For a side that is far ahead and has time: the
/// core is free while it waits, and it reacts up to one sleep late. Linux adds its timer slack,
/// 50 µs unless changed (prctl(2), PR_SET_TIMERSLACK), to `sleepNanoseconds`.
@frozen @usableFromInline package struct SpinThenSleepWait: WaitStrategy {
  @usableFromInline var spinsLeft: UInt32
  @usableFromInline var yieldsLeft: UInt32
  @usableFromInline let sleepNanoseconds: UInt32

  /// `sleepNanoseconds` is below one second; other values trap.
  @inlinable package init(
    spins: UInt32 = 256, yields: UInt32 = 16, sleepNanoseconds: UInt32 = 50_000
  ) {
    precondition(sleepNanoseconds < 1_000_000_000)
    spinsLeft = spins
    yieldsLeft = yields
    self.sleepNanoseconds = sleepNanoseconds
  }

  @usableFromInline package mutating func pause() {
    if spinsLeft > 0 {
      spinsLeft -= 1
      CPlatform_pause()
    } else if yieldsLeft > 0 {
      yieldsLeft -= 1
      sched_yield()
    } else {
      var duration = timespec(tv_sec: 0, tv_nsec: Int(sleepNanoseconds))
      // Safety: the pointer is to a local variable and used during the call only. A signal ends the
      // sleep early, which is harmless: the caller looks at the ring and comes back.
      _ = unsafe nanosleep(&duration, nil)
    }
  }
}
