// Several launches in one record: what one arm of a comparison measured.

extension RunRecord {
  public enum LaunchError: Error, CustomStringConvertible {
    case noLaunches
    case different(fact: String, first: String, other: String)

    public var description: String {
      switch self {
      case .noLaunches: "no run record to put together"
      case .different(let fact, let first, let other):
        "launches of one arm differ in \(fact): \(first) against \(other); "
          + "put only launches of one build on one trace and host together"
      }
    }
  }

  /// One record of all `launches`: samples in order, histograms added, facts from the launch that proved
  /// them. Launches must agree in trace, host and build, and in what was asked of a cell: histograms of two
  /// rates have no sum. What has none in any case, stages and curves, is chosen: see `Cell.choose`.
  public static func merged(_ launches: [RunRecord]) throws(LaunchError) -> RunRecord {
    guard var result = launches.first else { throw .noLaunches }
    for other in launches.dropFirst() {
      func require(_ fact: String, _ first: String, _ second: String) throws(LaunchError) {
        if first != second { throw .different(fact: fact, first: first, other: second) }
      }
      try require("trace", result.trace.contentHash, other.trace.contentHash)
      try require("tool version", result.tool.version, other.tool.version)
      if let difference = result.host.differences(from: other.host).first {
        throw .different(fact: "host", first: difference, other: "the first launch")
      }
      result.launches += other.launches
      for cell in other.cells {
        if let first = result.cells.first(where: { $0.isSame(as: cell) }),
          let name = first.firstOtherDemand(than: cell)
        {
          throw .different(
            fact: "\(name) of \(cell.experiment), \(cell.design)",
            first: first.parameters[name] ?? "none", other: cell.parameters[name] ?? "none")
        }
        result.add(cell)
      }
      for metric in other.harness { result.add(harness: metric) }
      result.add(findings: other.findings, absences: other.absences)
      result.warnings = Array(Set(result.warnings + other.warnings)).sorted()
    }
    if launches.count > 1 {
      for place in result.cells.indices {
        let cell = result.cells[place]
        result.cells[place].choose(
          from: launches.compactMap { $0.cells.first { $0.isSame(as: cell) } })
      }
    }
    return result
  }

  private mutating func add(harness metric: Metric) {
    if let index = harness.firstIndex(where: { $0.name == metric.name }) {
      harness[index].append(metric)
    } else {
      harness.append(metric)
    }
  }

  /// A host that was disturbed in one launch was disturbed.
  private mutating func add(findings others: [Finding]?, absences other: [Absence]?) {
    for finding in others ?? [] {
      guard let index = findings?.firstIndex(where: { $0.name == finding.name }) else {
        findings = (findings ?? []) + [finding]
        continue
      }
      if finding.state == .warn, findings?[index].state != .warn { findings?[index] = finding }
    }
    for absence in other ?? [] where absences?.contains(absence) != true {
      absences = (absences ?? []) + [absence]
    }
  }

  private mutating func add(_ cell: Cell) {
    guard let place = cells.firstIndex(where: { $0.isSame(as: cell) }) else {
      cells.append(cell)
      return
    }
    cells[place].addFigures(of: cell)
  }
}

extension RunRecord.Cell {
  /// Absent in records that are older than the choice.
  public var architectureName: String { architecture ?? "arm-gicv4" }

  /// The same design on the same hardware in the same experiment and variant.
  public func isSame(as other: RunRecord.Cell) -> Bool {
    design == other.design && architectureName == other.architectureName
      && experiment == other.experiment && mode == other.mode && variant == other.variant
  }

  /// Parameters that say what was asked, and not what came of it.
  private static let demands = [
    "arrivals", "bound-ns", "decode-threads", "device-threads", "duration-ns", "injected",
    "lag-budget-ns",
    "loops", "percentile", "tlb-entries", "vcpu-threads", "vpe-ids", "wait", "warm-up-ns",
  ]

  fileprivate func firstOtherDemand(than other: RunRecord.Cell) -> String? {
    Self.demands.first { parameters[$0] != other.parameters[$0] }
  }

  /// Samples behind samples, counts of histograms added. Void if a part of it is.
  mutating func addFigures(of other: RunRecord.Cell) {
    voidReason = [voidReason, other.voidReason].compactMap { $0 }.min()
    for metric in other.metrics {
      if let index = metrics.firstIndex(where: { $0.name == metric.name }) {
        metrics[index].append(metric)
      } else {
        metrics.append(metric)
      }
    }
    for distribution in other.distributions {
      if let index = distributions.firstIndex(where: { $0.name == distribution.name }) {
        distributions[index].add(distribution)
      } else {
        distributions.append(distribution)
      }
    }
  }
}

extension RunRecord.Metric {
  /// The samples of each launch apart.
  public var samplesByLaunch: [[Double]] {
    guard let launchSizes, launchSizes.reduce(0, +) == samples.count else { return [samples] }
    var start = 0
    return launchSizes.map { size in
      defer { start += size }
      return Array(samples[start..<start + size])
    }
  }

  mutating func append(_ other: RunRecord.Metric) {
    let sizes = samplesByLaunch.map(\.count) + other.samplesByLaunch.map(\.count)
    samples += other.samples
    launchSizes = sizes
    let rising = samples.sorted()
    guard !rising.isEmpty else { return }
    value = (rising[rising.count / 2] + rising[(rising.count - 1) / 2]) / 2
  }
}

extension RunRecord.Distribution {
  /// Adds the counts of `other`: exact, and the same in any order.
  public mutating func add(_ other: RunRecord.Distribution) {
    var counts = Dictionary(self.counts.map { ($0.value, $0.count) }, uniquingKeysWith: +)
    for bucket in other.counts { counts[bucket.value, default: 0] += bucket.count }
    self.counts = counts.map { Bucket(value: $0.key, count: $0.value) }.sorted {
      $0.value < $1.value
    }
  }
}
