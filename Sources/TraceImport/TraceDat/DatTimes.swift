/// How the times in a trace.dat's pages become nanoseconds.
struct DatTimes: Hashable {
  /// Option OFFSET: added to each time.
  var offset: UInt64 = 0
  /// Option TSC2NSEC: nanoseconds = ticks × multiplier >> shift.
  var tickMultiplier: UInt32 = 0
  var tickShift: UInt32 = 0
  /// Option TIME_SHIFT: this is a guest's recording, and the host's clock is known.
  var guestClock: GuestClock?
  /// Times of a guest become those of the host.
  var usesHostClock = false

  /// The host's clock first, then ticks, then the offset (trace-cmd, timestamp_calc in
  /// lib/trace-cmd/trace-input.c).
  func nanoseconds(_ raw: UInt64, cpu: UInt16) -> UInt64 {
    var time = raw
    if usesHostClock, let guestClock { time = guestClock.hostTime(time, cpu: cpu) }
    if tickMultiplier != 0, tickShift < 64 {
      let (high, low) = time.multipliedFullWidth(by: UInt64(tickMultiplier))
      let shift = UInt64(tickShift)
      time = shift == 0 ? low : low >> shift | high << (64 - shift)
    }
    return time &+ offset
  }
}
