/// One thing about a host that decides how exact its figures are.
package struct HostFinding: Hashable, Sendable {
  package enum State: String, Hashable, Sendable {
    case ok
    /// Figures get worse or wander by it.
    case warn
    /// The host does not tell.
    case unknown
  }

  package var name: String
  /// What is so, in words.
  package var fact: String
  package var state: State
  /// What to do about it; nil if there is nothing to do.
  package var advice: String?

  static func ok(_ name: String, _ fact: String) -> HostFinding {
    HostFinding(name: name, fact: fact, state: .ok)
  }
  static func warn(_ name: String, _ fact: String, _ advice: String) -> HostFinding {
    HostFinding(name: name, fact: fact, state: .warn, advice: advice)
  }
  static func unknown(_ name: String, _ fact: String, _ advice: String? = nil) -> HostFinding {
    HostFinding(name: name, fact: fact, state: .unknown, advice: advice)
  }
}
