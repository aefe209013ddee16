import Foundation

/// A few stable, named facts about the machine: model and number of CPUs, kernel, hypervisor, clock
/// source, cache, frequency governor. Nothing that changes from minute to minute (load, frequency,
/// temperature) and nothing that names the machine. Two records are comparable only if all are equal and
/// of one schema; a difference is shown, never normalised away.
public struct HostFingerprint: Codable, Hashable, Sendable {
  /// Counts up whenever a fact changes its meaning.
  public static let currentSchema = 1
  public var schema: Int = HostFingerprint.currentSchema
  /// Name → value, e.g. "cpu-model" → "AMD EPYC".
  public var facts: [String: String]
  public init(facts: [String: String]) { self.facts = facts }

  /// Facts in which the two differ, one line each.
  public func differences(from other: HostFingerprint) -> [String] {
    if schema != other.schema {
      return ["fingerprint schema: \(schema) against \(other.schema)"]
    }
    return Set(facts.keys).union(other.facts.keys).sorted().compactMap { name in
      let mine = facts[name] ?? "unknown"
      let theirs = other.facts[name] ?? "unknown"
      return mine == theirs ? nil : "\(name): \(mine) against \(theirs)"
    }
  }
}
