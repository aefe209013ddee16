/// What keeps shards from being one suite.
public enum ShardError: Error, CustomStringConvertible {
  case unreadable(path: String, reason: String)
  case notOne(path: String, kind: String, reason: String)
  case unwritable(path: String, reason: String)
  /// A result that another plan asked for.
  case otherPlan(path: String, found: String, expected: String)
  /// A result that holds another shard than the plan has under its number.
  case otherShard(path: String, number: Int, reason: String)
  /// Two results of one shard, or two launches, that must be equal and are not.
  case contradiction(fact: String, first: String, other: String)
  case otherHost(first: String, other: String, difference: String)
  case missing([String])

  public var description: String {
    switch self {
    case .unreadable(let path, let reason): "\(path): cannot be read: \(reason); check the path"
    case .notOne(let path, let kind, let reason):
      "\(path): not a \(kind): \(reason); make one with 'doorbell shard'"
    case .unwritable(let path, let reason):
      "\(path): cannot be written: \(reason); nothing was changed there"
    case .otherPlan(let path, let found, let expected):
      "\(path): a result of plan \(found.prefix(12)), expected \(expected.prefix(12)); "
        + "name a folder that holds results of this plan alone"
    case .otherShard(let path, let number, let reason):
      "\(path): says that it is shard \(number), but \(reason); remove it and run the shard again"
    case .contradiction(let fact, let first, let other):
      "\(first) and \(other) differ in \(fact), which is exact and must be equal; nothing was merged"
    case .otherHost(let first, let other, let difference):
      "\(first) and \(other) ran on different hosts (\(difference)); their times are not one figure: "
        + "run all shards of a plan on nodes of one kind"
    case .missing(let names):
      "\(names.count) shards have no result; run each with 'doorbell shard run':\n"
        + names.map { "  \($0)" }.joined(separator: "\n")
    }
  }
}
