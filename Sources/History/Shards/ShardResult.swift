import Foundation

/// What one shard measured.
public struct ShardResult: Codable, Hashable, Sendable {
  /// Counts up whenever a reader of the previous version would be misled.
  public static let currentSchema = 1

  public var schema: Int = ShardResult.currentSchema
  /// `ShardPlan.hash` of the plan that asked.
  public var plan: String
  /// Of the shard, from 1.
  public var number: Int
  /// As the plan has it: a number alone could be of anything.
  public var shard: ShardPlan.Shard
  public var record: RunRecord

  public init(plan: ShardPlan, number: Int, record: RunRecord) throws {
    self.plan = try plan.hash
    self.number = number
    shard = plan.shards[number - 1]
    self.record = record
  }

  public static func fileName(_ number: Int) -> String { "shard-\(number).json" }

  /// Refuses a result of another plan or shard.
  public static func read(from path: String, of plan: ShardPlan) throws -> ShardResult {
    let result: ShardResult = try ShardFile.read(
      path, schema: currentSchema, kind: "result of a shard")
    let expected = try plan.hash
    guard result.plan == expected else {
      throw ShardError.otherPlan(path: path, found: result.plan, expected: expected)
    }
    guard plan.shards.indices.contains(result.number - 1) else {
      throw ShardError.otherShard(
        path: path, number: result.number, reason: "the plan has \(plan.shards.count)")
    }
    guard plan.shards[result.number - 1] == result.shard else {
      throw ShardError.otherShard(
        path: path, number: result.number, reason: "the plan has another under this number")
    }
    guard
      plan.traces[result.shard.trace].cuts.count > 1
        || result.record.trace.contentHash == plan.traces[result.shard.trace].contentHash
    else {
      throw ShardError.otherShard(
        path: path, number: result.number, reason: "it replayed another trace than the plan names")
    }
    return result
  }
}
