extension ShardPlan {
  /// What is not as in `earlier`, in words; empty if both ask for the same of the same with the same build on
  /// the same host.
  public func differences(from earlier: ShardPlan) -> [String] {
    if schema != earlier.schema { return ["schema: \(earlier.schema) then, \(schema) now"] }
    var found: [String] = []
    if tool != earlier.tool {
      found.append(
        "executable: \(earlier.tool.contentHash.prefix(12)), version \(earlier.tool.version), then; "
          + "\(tool.contentHash.prefix(12)), version \(tool.version), now")
    }
    if let host, let other = earlier.host {
      found += other.differences(from: host).map { "host: \($0)" }
    } else if host != earlier.host {
      found.append("host: \(earlier.host == nil ? "any" : "one") then, another kind of plan now")
    }
    for trace in traces {
      guard let other = earlier.traces.first(where: { $0.path == trace.path }) else {
        found.append("trace \(trace.path): not in the suite then")
        continue
      }
      if other.contentHash != trace.contentHash {
        found.append(
          "trace \(trace.path): sha256 \(other.contentHash.prefix(12)) then, "
            + "\(trace.contentHash.prefix(12)) now")
      } else if other != trace {
        found.append("trace \(trace.path): other parts then")
      }
    }
    for other in earlier.traces where !traces.contains(where: { $0.path == other.path }) {
      found.append("trace \(other.path): no more in the suite")
    }
    if found.isEmpty {
      for run in runs where !earlier.runs.contains(run) {
        found.append("suite: '\(run)', \(run.launches) launches: not so then")
      }
      for run in earlier.runs where !runs.contains(run) {
        found.append("suite: '\(run)', \(run.launches) launches: not so now")
      }
      if found.isEmpty, self != earlier { found.append("suite: another order") }
    }
    return found
  }
}
