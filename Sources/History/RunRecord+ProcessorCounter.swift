extension RunRecord {
  /// A counter of the processor, over the delivery of `core`, outside of the kernel.
  public struct ProcessorCounter: Codable, Hashable, Sendable {
    /// cycles, instructions, cache-misses, branch-misses.
    public var name: String
    /// Absent if it could not be counted.
    public var perEvent: Double?
    /// Of the time in which it should have counted; below 1 the count was scaled up.
    public var countedShare: Double?
    /// Why it could not be counted: "not supported (ENOENT)".
    public var reason: String?

    public init(name: String, perEvent: Double?, countedShare: Double?, reason: String?) {
      self.name = name
      self.perEvent = perEvent
      self.countedShare = countedShare
      self.reason = reason
    }
  }
}
