extension RunRecord {
  /// One thing about the host that decides how exact its figures are, as it was when they were taken.
  public struct Finding: Codable, Hashable, Sendable {
    public enum State: String, Codable, Sendable {
      case ok
      /// Figures get worse or wander by it.
      case warn
      /// The host does not tell.
      case unknown
    }

    public var name: String
    public var fact: String
    public var state: State
    /// What to do about it; absent if there is nothing to do.
    public var advice: String?

    public init(name: String, fact: String, state: State, advice: String?) {
      self.name = name
      self.fact = fact
      self.state = state
      self.advice = advice
    }
  }

  /// One line that names everything that is against exact figures; nil if nothing is.
  public static func warning(of findings: [Finding]) -> String? {
    let against = findings.filter { $0.state == .warn }.map(\.name)
    return against.isEmpty
      ? nil
      : "host: \(against.joined(separator: ", ")): see 'doorbell doctor' for what to do"
  }
}
