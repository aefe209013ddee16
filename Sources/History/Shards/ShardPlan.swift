import Foundation

/// A suite cut into shards: what each one replays, of what, with which build. Written once, read by every
/// node and by the merge.
///
///     let plan = try ShardPlan.read(from: "plan.json")
///     plan.shards[k - 1]                 // what task k does
///     plan.hash                          // what every result of it must name
///
/// It measures nothing and starts nothing. A plan is never changed: another suite is another plan.
public struct ShardPlan: Codable, Hashable, Sendable {
  /// Counts up whenever a reader of the previous version would be misled.
  public static let currentSchema = 1

  public var schema: Int = ShardPlan.currentSchema
  public var tool: Build
  public var traces: [Trace]
  /// Words for `replay` beside trace, design and experiment: the same for every shard.
  public var parameters: [String]
  public var experiments: [String]
  /// Fresh processes per part and design.
  public var launches: Int
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
    public init(path: String, contentHash: String, events: UInt64, cuts: [UInt64]) {
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

  /// One part of one trace through one design, in a process of its own.
  public struct Shard: Codable, Hashable, Sendable {
    /// In `traces`.
    public var trace: Int
    /// In the `cuts` of the trace.
    public var part: Int
    public var design: String
    /// From 1.
    public var launch: Int
  }

  public init(
    tool: Build, traces: [Trace], designs: [String], experiments: [String], launches: Int,
    parameters: [String]
  ) {
    self.tool = tool
    self.traces = traces
    self.experiments = experiments
    self.launches = launches
    self.parameters = parameters
    shards = []
    for trace in traces.indices {
      for launch in 1...max(1, launches) {
        for part in traces[trace].cuts.indices {
          for design in designs {
            shards.append(Shard(trace: trace, part: part, design: design, launch: launch))
          }
        }
      }
    }
  }

  /// SHA-256 of the plan as JSON with sorted keys, in hex: the same for every copy of it.
  public var hash: String { get throws { SHA256.hex(try ShardFile.json(self)) } }

  /// Shard `number`, in words: "nvme.dbtrace events 0..<50000, direct, launch 1".
  public func name(of number: Int) -> String {
    let shard = shards[number - 1]
    let trace = traces[shard.trace]
    let range = trace.range(ofPart: shard.part)
    return "\(trace.name) events \(range.lowerBound)..<\(range.upperBound), \(shard.design), "
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
        plan.traces.indices.contains(shard.trace)
          && plan.traces[shard.trace].cuts.indices.contains(shard.part)
          && (1...max(1, plan.launches)).contains(shard.launch),
        "a shard is of a trace, part or launch that is not in it")
    }
    return plan
  }
}
