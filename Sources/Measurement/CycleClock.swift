public import CPlatform

/// The cycle counter with its calibration, or CLOCK_MONOTONIC_RAW where the counter cannot be
/// trusted; `source` says which and why. Plain bits: copying it costs nothing.
@frozen
@usableFromInline package struct CycleClock: Hashable, Sendable, BitwiseCopyable {
  /// nanoseconds = ticks × multiplier ÷ 2^shift. The multiplier has 63 significant bits, so that the
  /// conversion adds less than 2⁻⁶² of the duration, and rounds down to a whole nanosecond.
  @usableFromInline let multiplier: UInt64
  @usableFromInline let shift: UInt64
  @usableFromInline let usesCounter: Bool
  let origin: Origin
  /// The most by which the rate can be wrong, in millionths: the width of the readings that
  /// calibrated it, against the time between them. 0 for CLOCK_MONOTONIC_RAW, the yardstick itself.
  package let uncertaintyPartsPerMillion: Double

  /// Calibrated once per process, in about 20 ms.
  @usableFromInline package static let shared = CycleClock.calibrated()

  /// A clock of which `ticks` last `nanoseconds`. Both are positive; traps otherwise.
  init(
    ticks: UInt64, lasting nanoseconds: UInt64, origin: Origin,
    uncertaintyPartsPerMillion: Double = 0
  ) {
    precondition(ticks > 0 && nanoseconds > 0, "a clock needs a positive rate")
    // The largest shift up to 63 for which the multiplier stays below 2⁶³.
    var shift: UInt64 = 0
    var multiplier = UInt128(nanoseconds) / UInt128(ticks)
    while shift < 63 {
      let next = (UInt128(nanoseconds) << UInt128(shift + 1)) / UInt128(ticks)
      if next >= UInt128(1) << 63 { break }
      multiplier = next
      shift += 1
    }
    precondition(multiplier < UInt128(1) << 63, "a tick of 2⁶³ ns or more is not a clock")
    self.multiplier = UInt64(multiplier)
    self.shift = shift
    self.origin = origin
    usesCounter = origin.isCounter
    self.uncertaintyPartsPerMillion = uncertaintyPartsPerMillion
  }

  /// The time now in ticks since some moment. The processor may take the reading a few instructions
  /// early or late; see `nowOrdered`.
  @inlinable @inline(__always)
  package func now() -> UInt64 {
    usesCounter ? CPlatform_cycles() : CPlatform_monotonicRawNanoseconds()
  }

  /// `now`, after everything before it in the program is done: for stamps that cut one operation into
  /// stages.
  @inlinable @inline(__always)
  package func nowOrdered() -> UInt64 {
    usesCounter ? CPlatform_cyclesOrdered() : CPlatform_monotonicRawNanoseconds()
  }

  /// Whole nanoseconds, rounded down. 0 if time ran backwards (two cores' counters may differ by some
  /// ticks). Differences up to 2⁶³ ticks (a century) cannot overflow.
  @inlinable @inline(__always)
  package func nanoseconds(from start: UInt64, to end: UInt64) -> UInt64 {
    guard end > start else { return 0 }
    let product = (end &- start).multipliedFullWidth(by: multiplier)
    // A left shift by 64 − shift in two steps, because it is 64 when shift is 0.
    return (product.high &<< 1) &<< (63 &- shift) | product.low &>> shift
  }

  /// The ticks that last `nanoseconds`, to the nearest; for deadlines on an absolute schedule.
  @usableFromInline package func ticks(nanoseconds: UInt64) -> UInt64 {
    let scaled = UInt128(nanoseconds) << UInt128(shift)
    return UInt64(clamping: (scaled + UInt128(multiplier) / 2) / UInt128(multiplier))
  }

  /// Ticks per second as calibrated; 10⁹ without the counter.
  package var ticksPerSecond: Double {
    1e9 * Double(UInt64(1) << shift) / Double(multiplier)
  }

  /// "tsc", "cntvct" or "clock_monotonic_raw (reason)".
  package var source: String { origin.description }
}
