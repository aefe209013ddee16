import Foundation
import History

/// Runs what is missing in a suite's folder, cell by cell.
struct SuiteSession {
  let folder: SuiteFolder
  private let verbosity: Verbosity
  private(set) var failures: [CellFailure] = []
  private var measured = 0
  private var found = 0
  private(set) var isStopped = false

  /// A cell and launch that gave no result, or one that no design may give.
  struct CellFailure {
    var text: String
    var status: ExitStatus
  }

  init(_ folder: SuiteFolder, _ verbosity: Verbosity) {
    self.folder = folder
    self.verbosity = verbosity
  }

  private var plan: ShardPlan { folder.plan }

  mutating func run() throws {
    var firsts: [[Int]: RunRecord] = [:]
    var progress = Progress("suite", unit: .things("launches"))
    var missing: [Int] = []
    for number in 1...plan.shards.count {
      guard let record = try folder.result(number) else {
        missing.append(number)
        continue
      }
      found += 1
      judge(record, number, &firsts)
    }
    for (index, number) in missing.enumerated() {
      let label = plan.name(of: number)
      let record = try measure(number) {
        progress.update(UInt64(index), of: UInt64(missing.count), saying: label)
      }
      if isStopped { break }
      guard let record else { continue }
      if let void = record.cells.first(where: { $0.voidReason != nil }) {
        fail(number, "void: \(void.voidReason ?? "")", .couldNotMeasure)
        continue
      }
      try folder.store(record, number)
      measured += 1
      judge(record, number, &firsts)
    }
    progress.finish()
    try? FileManager.default.removeItem(atPath: folder.workingFolder)
  }

  private mutating func measure(
    _ number: Int, _ waiting: @escaping () -> Void
  ) throws -> RunRecord? {
    let working = folder.workingFolder
    try? FileManager.default.removeItem(atPath: working)
    try FileManager.default.createDirectory(atPath: working, withIntermediateDirectories: true)
    do {
      let process = ShardProcess(
        plan: plan, number: number, folder: working, verbosity: verbosity, keepsWords: true,
        waiting: waiting)
      return try process.measure(isWhole: false)
    } catch is Interruption.Stopped {
      isStopped = true
    } catch let failed as ShardProcess.Failed {
      // A design that differs in its answers while it is measured ends so, too.
      fail(number, "\(failed)", failed.status == 1 ? .regression : .couldNotMeasure)
    } catch let error as RunRecordError {
      fail(number, "\(error)", .couldNotMeasure)
    }
    return nil
  }

  /// A design that does not conform, or whose launches differ in what is exact.
  private mutating func judge(
    _ record: RunRecord, _ number: Int, _ firsts: inout [[Int]: RunRecord]
  ) {
    if let cell = record.cells.first(where: { $0.conformance?.firstDifference != nil }) {
      fail(
        number, "does not conform:\n\(cell.conformance?.firstDifference ?? "")", .regression)
    }
    let shard = plan.shards[number - 1]
    let key = [shard.trace, shard.run]
    guard let first = firsts[key] else {
      firsts[key] = record
      return
    }
    if let fact = record.firstDifference(fromRepetition: first)
      ?? first.firstDifference(fromRepetition: record)
    {
      fail(number, "differs from an earlier launch in \(fact), which is exact", .regression)
    }
  }

  private mutating func fail(_ number: Int, _ reason: String, _ status: ExitStatus) {
    failures.append(.init(text: "\(plan.name(of: number)): \(reason)", status: status))
  }

  var summary: String {
    let left = plan.shards.count - measured - found
    return "\(measured) measured, \(found) were there, \(left) missing of \(plan.shards.count)"
  }

  /// Nil if all is well.
  var status: ExitStatus? {
    if failures.contains(where: { $0.status == .regression }) { return .regression }
    return failures.isEmpty ? nil : .couldNotMeasure
  }
}
