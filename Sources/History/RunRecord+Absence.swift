extension RunRecord {
  /// A part that was asked for and that this host does not have: neither a result nor a failure.
  public struct Absence: Codable, Hashable, Sendable {
    /// A design, a mechanism, or "live" for all of it.
    public var part: String
    public var reason: String

    public init(part: String, reason: String) {
      self.part = part
      self.reason = reason
    }
  }
}
