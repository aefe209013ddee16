import Foundation

/// A suite cut into shards: what each one replays, of what, with which build. Written once, read by every
/// node and by the merge; on one machine `suite run` keeps it beside its results.
///
///     let plan = try ShardPlan.read(from: "plan.json")
///     plan.shards[k - 1]                 // what task k does
///     plan.hash                          // what every result of it must name
///
/// It measures nothing and starts nothing. A plan is never changed: another suite is another plan.
public struct ShardPlan: Codable, Hashable, Sendable {
  /// Counts up whenever a reader of the previous version would be misled. 2: runs, each with its own
  /// designs, experiments and words.
  public static let currentSchema = 2

  public var schema: Int = ShardPlan.currentSchema
  public var tool: Build
  /// Where all shards run; absent in a plan for many machines, whose results are held against each other.
  public var host: HostFingerprint?
  public var traces: [Trace]
  public var runs: [Run]
  /// Numbered from 1 in this order.
  public var shards: [Shard]

  /// The executable that may run the shards: timings of two builds are not one suite.
  public struct Build: Codable, Hashable, Sendable {
    public var version: String
    /// SHA-256 of the executable, in hex.
    public var contentHash: String
    public init(version: String, contentHash: String) {
      self.version = version
      self.contentHash = contentHash
    }
  }

  public struct Trace: Codable, Hashable, Sendable {
    /// Absolute: nodes share the file system.
    public var path: String
    /// SHA-256 of the file, in hex.
    public var contentHash: String
    public var events: UInt64
    /// First ordinals of the parts, rising from 0.
    public var cuts: [UInt64]
    public init(path: String, contentHash: String, events: UInt64, cuts: [UInt64] = [0]) {
      self.path = path
      self.contentHash = contentHash
      self.events = events
      self.cuts = cuts
    }
    public var name: String { (path as NSString).lastPathComponent }
    /// Ordinals of a part.
    public func range(ofPart part: Int) -> Range<UInt64> {
      cuts[part]..<(part + 1 < cuts.count ? cuts[part + 1] : events)
    }
  }

  /// One part of one trace through one run, in a process of its own.
  public struct Shard: Codable, Hashable, Sendable {
    /// In `traces`.
    public var trace: Int
    /// In the `cuts` of the trace.
    public var part: Int
    /// In `runs`.
    public var run: Int
    /// From 1.
    public var launch: Int
  }

  /// All first launches come before all second ones: whatever drifts on a host hits all runs alike, and a
  /// suite that is stopped has measured each of them.
  public init(tool: Build, traces: [Trace], runs: [Run], host: HostFingerprint? = nil) {
    self.tool = tool
    self.host = host
    self.traces = traces
    self.runs = runs
    shards = []
    for launch in 1...max(1, runs.map(\.launches).max() ?? 1) {
      for trace in traces.indices {
        for part in traces[trace].cuts.indices {
          for run in runs.indices
          where runs[run].launches >= launch && runs[run].traces.contains(trace) {
            shards.append(Shard(trace: trace, part: part, run: run, launch: launch))
          }
        }
      }
    }
  }

  /// SHA-256 of the plan as JSON with sorted keys, in hex: the same for every copy of it.
  public var hash: String { get throws { SHA256.hex(try ShardFile.json(self)) } }

  /// Shard `number`, in words: "nvme.dbtrace events 0..<50000, direct core, launch 1".
  public func name(of number: Int) -> String {
    let shard = shards[number - 1]
    let trace = traces[shard.trace]
    let range = trace.range(ofPart: shard.part)
    return "\(trace.name) events \(range.lowerBound)..<\(range.upperBound), \(runs[shard.run]), "
      + "launch \(shard.launch)"
  }

  /// Refuses a plan that says what no plan can.
  public static func read(from path: String) throws(ShardError) -> ShardPlan {
    let plan: ShardPlan = try ShardFile.read(path, schema: currentSchema, kind: "plan of shards")
    func require(_ holds: Bool, _ reason: String) throws(ShardError) {
      if !holds { throw .notOne(path: path, kind: "plan of shards", reason: reason) }
    }
    for trace in plan.traces {
      let rises = zip(trace.cuts, trace.cuts.dropFirst()).allSatisfy { $0 < $1 }
      try require(
        trace.cuts.first == 0 && rises && (trace.cuts.last ?? 0) < trace.events,
        "the cuts of \(trace.name) do not rise from 0 to below its \(trace.events) events")
    }
    try require(!plan.shards.isEmpty, "it holds no shard")
    try require(Set(plan.shards).count == plan.shards.count, "a shard is there twice")
    for shard in plan.shards {
      try require(
        plan.traces.indices.contains(shard.trace) && plan.runs.indices.contains(shard.run)
          && plan.traces[shard.trace].cuts.indices.contains(shard.part)
          && (1...max(1, plan.runs[shard.run].launches)).contains(shard.launch),
        "a shard is of a trace, part, run or launch that is not in it")
    }
    return plan
  }
}
