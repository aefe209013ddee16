import Foundation

/// Puts the results of a plan together: one run record per trace, the same bytes in whatever order the
/// results come.
///
/// What is counted adds up exactly over the parts of a trace: ledgers, work counters, comparisons,
/// histograms. Launches repeat it and must give it again. Samples of times stay apart, by process. Work
/// counters of a trace in parts are those of the parts, each of which starts with cold caches.
public struct ShardMerge {
  private let plan: ShardPlan
  private var results: [Int: ShardResult] = [:]
  /// Results that were there already, by shard number. Each counts once.
  public private(set) var duplicates: [Int] = []

  public init(_ plan: ShardPlan) { self.plan = plan }

  /// Takes a result, once. Of two of the same shard, the one whose bytes come first by hash stays, so that
  /// order decides nothing.
  public mutating func add(_ result: ShardResult) throws {
    guard let other = results[result.number] else {
      results[result.number] = result
      return
    }
    duplicates.append(result.number)
    let name = plan.name(of: result.number)
    if let fact = result.record.firstDifference(fromRepetition: other.record)
      ?? other.record.firstDifference(fromRepetition: result.record)
    {
      throw ShardError.contradiction(fact: fact, first: name, other: "another result of it")
    }
    let (mine, theirs) = try (ShardFile.json(result), ShardFile.json(other))
    if SHA256.hex(mine) < SHA256.hex(theirs) { results[result.number] = result }
  }

  /// In the order of the plan's traces. Throws `ShardError.missing` unless every shard is there.
  public func records() throws -> [RunRecord] {
    let missing = plan.shards.indices.map { $0 + 1 }.filter { results[$0] == nil }
    guard missing.isEmpty else {
      throw ShardError.missing(missing.map { "shard \($0): \(plan.name(of: $0))" })
    }
    let ordered = plan.shards.indices.compactMap { results[$0 + 1] }
    for other in ordered.dropFirst() {
      guard let difference = ordered[0].record.host.differences(from: other.record.host).first
      else { continue }
      throw ShardError.otherHost(
        first: plan.name(of: ordered[0].number), other: plan.name(of: other.number),
        difference: difference)
    }
    return try plan.traces.indices.map { trace in
      try record(of: plan.traces[trace], ordered.filter { $0.shard.trace == trace })
    }
  }

  private func record(of trace: ShardPlan.Trace, _ results: [ShardResult]) throws -> RunRecord {
    // Parts add up; then come runs and launches beside each other.
    var records: [RunRecord] = []
    var firsts: [Int: RunRecord] = [:]
    for (_, group) in Self.grouped(results) {
      let shard = group[0].shard
      let record = try sum(trace, group)
      if let first = firsts[shard.run] {
        if let fact = record.firstDifference(fromRepetition: first)
          ?? first.firstDifference(fromRepetition: record)
        {
          throw ShardError.contradiction(
            fact: fact, first: "launch 1 of \(trace.name)", other: "launch \(shard.launch)")
        }
      } else {
        firsts[shard.run] = record
      }
      // The proof of a design stands in each of its runs.
      for other in firsts.values {
        if let fact = record.keeping(sharedWith: other).firstDifference(fromRepetition: other) {
          throw ShardError.contradiction(
            fact: fact, first: "one run on \(trace.name)", other: "another on it")
        }
      }
      records.append(record)
    }
    var merged = try RunRecord.merged(records)
    merged.launches = trace.cuts.count * (results.map(\.shard.launch).max() ?? 1)
    merged.started = results.map(\.record.started).min() ?? merged.started
    return merged
  }

  /// By launch and run, in this order.
  private static func grouped(_ results: [ShardResult]) -> [(key: [Int], value: [ShardResult])] {
    Dictionary(grouping: results) { [$0.shard.launch, $0.shard.run] }
      .sorted { $0.key.lexicographicallyPrecedes($1.key) }
  }

  /// - Parameter results: of one launch of one run, a part each.
  private func sum(_ trace: ShardPlan.Trace, _ results: [ShardResult]) throws -> RunRecord {
    var sum = results[0].record
    let isInParts = trace.cuts.count > 1
    sum.command = ["shard", "merge", "plan", try plan.hash]
    sum.warnings = Set(results.flatMap(\.record.warnings)).sorted()
    sum.trace = .init(
      name: trace.name, contentHash: trace.contentHash, events: trace.events, eventsByKind: [:],
      lostEvents: results.map(\.record.trace.lostEvents).max() ?? 0,
      // Parts share devices.
      devices: isInParts ? nil : results[0].record.trace.devices)
    for result in results {
      sum.trace.eventsByKind.merge(result.record.trace.eventsByKind, uniquingKeysWith: +)
    }
    for result in results.dropFirst() {
      for cell in result.record.cells {
        if let place = sum.cells.firstIndex(where: { $0.isSame(as: cell) }) {
          sum.cells[place].add(part: cell)
        } else {
          sum.cells.append(cell)
        }
      }
    }
    if isInParts {
      for place in sum.cells.indices { sum.cells[place].becomeSum(of: trace.cuts.count) }
    }
    return sum
  }
}

extension RunRecord {
  /// Without the cells that `other` does not have.
  fileprivate func keeping(sharedWith other: RunRecord) -> RunRecord {
    var record = self
    record.cells = cells.filter { cell in other.cells.contains { $0.isSame(as: cell) } }
    return record
  }
}

extension RunRecord.Cell {
  /// Adds the same cell of the trace's next part.
  fileprivate mutating func add(part: RunRecord.Cell) {
    if let other = part.ledger { ledger = ledger.map { $0 + other } ?? other }
    if let other = part.conformance { conformance = conformance.map { $0 + other } ?? other }
    setUpCounters.merge(part.setUpCounters, uniquingKeysWith: +)
    deliveryCounters.merge(part.deliveryCounters, uniquingKeysWith: +)
    // What is not the same in all parts is of none of them.
    parameters = parameters.filter { part.parameters[$0.key] == $0.value }
    addFigures(of: part)
  }

  /// Leaves out what has no sum.
  fileprivate mutating func becomeSum(of parts: Int) {
    parameters["parts"] = "\(parts)"
    (digest, processorCounters, stages, curve) = (nil, nil, nil, nil)
    launchCurves = nil
  }
}

extension RunRecord.LedgerRecord {
  fileprivate static func + (a: Self, b: Self) -> Self {
    .init(
      offered: a.offered + b.offered, delivered: a.delivered + b.delivered,
      coalesced: a.coalesced + b.coalesced, masked: a.masked + b.masked,
      lost: a.lost.merging(b.lost, uniquingKeysWith: +))
  }
}

extension RunRecord.Conformance {
  fileprivate static func + (a: Self, b: Self) -> Self {
    .init(
      accessesCompared: a.accessesCompared + b.accessesCompared,
      interruptsCompared: a.interruptsCompared + b.interruptsCompared,
      agreedWithReference: a.agreedWithReference && b.agreedWithReference,
      recordedCompared: a.recordedCompared + b.recordedCompared,
      agreedWithRecording: a.agreedWithRecording && b.agreedWithRecording,
      firstDifference: a.firstDifference ?? b.firstDifference)
  }
}
