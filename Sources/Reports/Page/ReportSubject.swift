import History

/// What a page is about: the launches of one build on one trace and host, and perhaps those of another
/// build that they are compared with.
struct ReportSubject {
  /// Launches of one arm, apart and together.
  struct Arm {
    let launches: [RunRecord]
    let merged: RunRecord

    init(_ launches: [RunRecord]) throws(RunRecord.LaunchError) {
      self.launches = launches
      merged = try RunRecord.merged(launches)
    }

    /// The cell of each launch that has it.
    func cells(like cell: RunRecord.Cell) -> [RunRecord.Cell] {
      launches.compactMap { launch in launch.cells.first { $0.isSame(as: cell) } }
    }
  }

  let arm: Arm
  let baseline: Arm?

  var record: RunRecord { arm.merged }
  func cells(_ experiment: String) -> [RunRecord.Cell] {
    record.cells.filter { $0.experiment == experiment }
  }

  func baselineCell(like cell: RunRecord.Cell) -> RunRecord.Cell? {
    baseline?.merged.cells.first { $0.isSame(as: cell) }
  }

  /// One for every trace, build and host, in the order in which they come.
  static func of(
    _ records: [RunRecord], baseline: [RunRecord]
  ) throws(RunRecord.LaunchError) -> [ReportSubject] {
    struct Key: Hashable {
      var trace: String
      var version: String
      var host: HostFingerprint
    }
    var order: [Key] = []
    var groups: [Key: [RunRecord]] = [:]
    for record in records {
      let key = Key(
        trace: record.trace.contentHash, version: record.tool.version, host: record.host)
      if groups[key] == nil { order.append(key) }
      groups[key, default: []].append(record)
    }
    var subjects: [ReportSubject] = []
    for key in order {
      let other = baseline.filter { $0.trace.contentHash == key.trace }
      subjects.append(
        ReportSubject(
          arm: try Arm(groups[key] ?? []), baseline: other.isEmpty ? nil : try Arm(other)))
    }
    return subjects
  }
}
