import History

/// What a chapter is about: the launches of one build on one trace, host and interrupt hardware, and perhaps
/// those of another build that they are compared with.
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

  let architecture: String
  let arm: Arm
  let baseline: Arm?

  var record: RunRecord { arm.merged }
  func cells(_ experiment: String) -> [RunRecord.Cell] {
    record.cells.filter { $0.experiment == experiment }
  }

  func baselineCell(like cell: RunRecord.Cell) -> RunRecord.Cell? {
    baseline?.merged.cells.first { $0.isSame(as: cell) }
  }

  /// One for every trace, build, host and architecture, in the order in which they come. What is of the host
  /// and not of an architecture stays with the first.
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
      let launches = groups[key] ?? []
      let others = baseline.filter { $0.trace.contentHash == key.trace }
      var architectures: [String] = []
      for cell in launches.flatMap(\.cells) where !architectures.contains(cell.architectureName) {
        architectures.append(cell.architectureName)
      }
      for architecture in architectures {
        let isFirst = architecture == architectures.first
        let theirs = others.compactMap { $0.part(architecture, isFirst: isFirst) }
        subjects.append(
          ReportSubject(
            architecture: architecture,
            arm: try Arm(launches.compactMap { $0.part(architecture, isFirst: isFirst) }),
            baseline: theirs.isEmpty ? nil : try Arm(theirs)))
      }
    }
    return subjects
  }
}

extension RunRecord {
  /// The cells on one architecture; nil if there are none.
  fileprivate func part(_ architecture: String, isFirst: Bool) -> RunRecord? {
    var part = self
    part.cells = cells.filter { $0.architectureName == architecture }
    if !isFirst {
      part.slowPaths = nil
      part.findings = nil
      part.harness = []
      part.warnings = []
    }
    return part.cells.isEmpty ? nil : part
  }
}
