import Foundation

/// A few stable, named facts about the machine. Two records are comparable only if they are equal;
/// a difference is shown, never normalised away.
public struct HostFingerprint: Codable, Hashable, Sendable {
  public static let currentSchema = 1
  public var schema: Int = HostFingerprint.currentSchema
  /// Name → value, e.g. "cpu-model" → "AMD EPYC".
  public var facts: [String: String]
  public init(facts: [String: String]) { self.facts = facts }

  /// Facts in which the two differ, one line each.
  public func differences(from other: HostFingerprint) -> [String] {
    Set(facts.keys).union(other.facts.keys).sorted().compactMap { name in
      let mine = facts[name] ?? "unknown"
      let theirs = other.facts[name] ?? "unknown"
      return mine == theirs ? nil : "\(name): \(mine) against \(theirs)"
    }
  }
}
