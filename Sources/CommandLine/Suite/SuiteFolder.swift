import Foundation
import History

#if canImport(Glibc)
  import Glibc
#endif

/// Where the results of a suite are: `plan.json`, which never changes; in `results` a run record of each cell
/// and launch, whole or not there; in `merged` the records of all launches together. One process at a time.
struct SuiteFolder {
  let path: String
  let plan: ShardPlan
  /// Holds the lock until the process ends, however it does.
  private let lock: FileHandle

  private static let planName = "plan.json"

  /// Takes the folder for `plan`, or goes on in it. Refuses one with results of anything else.
  init(_ path: String, for plan: ShardPlan) throws {
    self.path = path
    self.plan = plan
    let files = FileManager.default
    let isNew = !files.fileExists(atPath: path)
    try files.createDirectory(atPath: path + "/results", withIntermediateDirectories: true)
    lock = try Self.lock(path)
    let planPath = path + "/" + Self.planName
    if files.fileExists(atPath: planPath) {
      let differences = plan.differences(from: try ShardPlan.read(from: planPath))
      guard differences.isEmpty else {
        throw Failure(
          "\(path): holds results of something else:\n"
            + differences.map { "  \($0)" }.joined(separator: "\n")
            + "\nthey are not mixed: name another folder with --output, or remove this one")
      }
    } else {
      let others = try files.contentsOfDirectory(atPath: path).filter {
        ![".lock", "results"].contains($0)
      }
      let results = try files.contentsOfDirectory(atPath: path + "/results")
      guard isNew || (others.isEmpty && results.isEmpty) else {
        throw Failure(
          "\(path): is not empty and has no \(Self.planName) of a suite; name another folder")
      }
      _ = try ShardFile.create(plan, at: planPath)
    }
    // What a process that was killed has left on its way.
    try? files.removeItem(atPath: workingFolder)
  }

  private static func lock(_ path: String) throws -> FileHandle {
    let name = path + "/.lock"
    if !FileManager.default.fileExists(atPath: name) {
      _ = FileManager.default.createFile(atPath: name, contents: nil)
    }
    guard let handle = FileHandle(forUpdatingAtPath: name) else {
      throw Failure.ofSystem("opening the lock", path: name)
    }
    guard flock(handle.fileDescriptor, LOCK_EX | LOCK_NB) == 0 else {
      throw Failure("\(path): another process is running a suite into it; wait for it to end")
    }
    return handle
  }

  /// Of one process; gone when it has ended well.
  var workingFolder: String { path + "/.working" }

  private func resultPath(_ number: Int) -> String { "\(path)/results/\(resultName(number))" }

  /// "007-nvme-direct-core-1.json": readable, and in the order of the plan.
  func resultName(_ number: Int) -> String {
    let shard = plan.shards[number - 1]
    let run = plan.runs[shard.run]
    let words =
      [(plan.traces[shard.trace].name as NSString).deletingPathExtension, run.designName]
      + run.experiments + (run.variant.map { [$0] } ?? []) + ["\(shard.launch)"]
    let digits = String(plan.shards.count).count
    return String(format: "%0\(digits)d-", number) + Self.fileName(words.joined(separator: "-"))
      + ".json"
  }

  static func fileName(_ text: String) -> String {
    String(text.map { $0.isLetter || $0.isNumber || "-_.+=".contains($0) ? $0 : "_" })
  }

  /// The record of a cell and launch that was measured before; nil if there is none.
  func result(_ number: Int) throws -> RunRecord? {
    let path = resultPath(number)
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    let record = try RunRecord.read(from: path)
    let trace = plan.traces[plan.shards[number - 1].trace]
    let differences =
      record.trace.contentHash == trace.contentHash
      ? (plan.host?.differences(from: record.host) ?? [])
      : ["it replayed a trace of sha256 \(record.trace.contentHash.prefix(12))"]
    guard differences.isEmpty else {
      throw Failure(
        "\(path): is not of this suite: \(differences.joined(separator: "; ")); remove it, and it is "
          + "measured again")
    }
    return record
  }

  func store(_ record: RunRecord, _ number: Int) throws {
    guard try ShardFile.create(record, at: resultPath(number)) else {
      throw Failure("\(resultPath(number)): somebody else wrote it; nothing was changed")
    }
  }

  /// Writes all launches of each trace, one record for each variant.
  /// - Returns: paths and records.
  func merge() throws -> [(path: String, record: RunRecord)] {
    var order: [[String]] = []
    var groups: [[String]: [(launch: Int, record: RunRecord)]] = [:]
    for (index, shard) in plan.shards.enumerated() {
      guard let record = try result(index + 1) else { continue }
      let trace = plan.traces[shard.trace].name
      let key = [trace] + (plan.runs[shard.run].variant.map { [$0] } ?? [])
      if groups[key] == nil { order.append(key) }
      groups[key, default: []].append((shard.launch, record))
    }
    try FileManager.default.createDirectory(
      atPath: path + "/merged", withIntermediateDirectories: true)
    return try order.map { key in
      let group = groups[key] ?? []
      var record = try RunRecord.merged(group.map(\.record))
      record.launches = group.map(\.launch).max() ?? 1
      record.started = group.map(\.record.started).min() ?? record.started
      let name = "\(path)/merged/\(Self.fileName(key.joined(separator: "-"))).json"
      try record.write(to: name)
      return (name, record)
    }
  }
}
