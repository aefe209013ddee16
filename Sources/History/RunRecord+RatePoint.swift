extension RunRecord {
  /// Latency at one rate: all runs at it together.
  public struct RatePoint: Codable, Hashable, Sendable {
    /// Interrupts per second, as asked for.
    public var rate: Double
    /// Interrupts per second that were taken.
    public var taken: Double
    public var runs: Int
    /// Runs in which the stated percentile kept the bound and nothing was lost.
    public var sustained: Int
    /// Runs in which the sender was late by the host's fault; they are in no other figure.
    public var discarded: Int
    public var coalesced: UInt64
    public var lost: UInt64
    /// Response in nanoseconds, from the intended start.
    public var p50: UInt64
    public var p99: UInt64
    public var p999: UInt64
    public var maximum: UInt64
    /// The 99.9th percentile of the send lag, in nanoseconds.
    public var lag: UInt64

    public init(
      rate: Double, taken: Double, runs: Int, sustained: Int, discarded: Int, coalesced: UInt64,
      lost: UInt64,
      p50: UInt64, p99: UInt64, p999: UInt64, maximum: UInt64, lag: UInt64
    ) {
      self.rate = rate
      self.taken = taken
      self.runs = runs
      self.sustained = sustained
      self.discarded = discarded
      self.coalesced = coalesced
      self.lost = lost
      self.p50 = p50
      self.p99 = p99
      self.p999 = p999
      self.maximum = maximum
      self.lag = lag
    }
  }
}
