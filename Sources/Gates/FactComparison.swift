package import History

/// The exact part of a comparison: equality, ledger, work counters. No statistics: one launch of each arm
/// tells all.
package struct FactComparison: Codable, Hashable, Sendable {
  package struct Cell: Codable, Hashable, Sendable {
    package var key: CellKey
    /// What is wrong with the candidate's outcomes, or how they differ from the baseline's.
    package var equality: [String] = []
    package var ledger: [String] = []
    package var work: [CounterChange] = []
    package var verdict = Verdict.pass
  }

  package struct CounterChange: Codable, Hashable, Sendable {
    package var counter: String
    /// "set-up" or "delivery".
    package var part: String
    package var baseline: UInt64
    package var candidate: UInt64
    /// Hits save work; everything else that is counted is work.
    package var isWorse: Bool { counter.hasSuffix("-hits") ? false : candidate > baseline }
    package var isNeutral: Bool { counter.hasSuffix("-hits") }
  }

  package var cells: [Cell] = []
  /// Why the arms cannot be compared at all; empty if they can.
  package var obstacles: [String] = []

  /// - Parameters: records of the same traces; each holds the proof of its designs.
  package init(baseline: [RunRecord], candidate: [RunRecord], policy: Policy) {
    for mine in candidate {
      let same = baseline.filter { $0.trace.contentHash == mine.trace.contentHash }
      // A history may hold a trace from several hosts.
      guard let theirs = same.first(where: { $0.host == mine.host }) ?? same.first else {
        obstacles.append(
          "\(mine.trace.name) (sha256 \(mine.trace.contentHash.prefix(16))): the baseline holds no "
            + "run of this trace")
        continue
      }
      let differences = theirs.host.differences(from: mine.host)
      if !differences.isEmpty {
        obstacles.append(
          "\(mine.trace.name): baseline and candidate ran on different hosts: "
            + differences.joined(separator: "; ")
            + "; measure both on one host, nothing is normalised away")
        continue
      }
      for cell in mine.cells { compare(cell, theirs, mine.trace.name, policy) }
      for cell in theirs.cells where !mine.cells.contains(where: { $0.isSame(as: cell) }) {
        // A design that does not conform is not measured: that is said already.
        let isRefused = mine.cells.contains {
          $0.design == cell.design && $0.conformance?.firstDifference != nil
        }
        let isProofOnly =
          cell.experiment == "equality" && mine.cells.contains { $0.design == cell.design }
        if !isRefused, !isProofOnly {
          obstacles.append("\(CellKey(mine.trace.name, cell)): the candidate did not measure this")
        }
      }
    }
  }

  private mutating func compare(
    _ mine: RunRecord.Cell, _ record: RunRecord, _ trace: String, _ policy: Policy
  ) {
    let key = CellKey(trace, mine)
    guard let theirs = record.cells.first(where: { $0.isSame(as: mine) }) else {
      obstacles.append("\(key): the baseline did not measure this")
      return
    }
    if let difference = theirs.conformance?.firstDifference {
      obstacles.append("\(key): the baseline does not conform:\n\(difference)")
    }
    var cell = Cell(key: key)
    if let difference = mine.conformance?.firstDifference {
      cell.equality.append("the candidate does not conform:\n\(difference)")
    } else if let a = theirs.digest, let b = mine.digest, a != b {
      cell.equality.append("outcomes differ: digest \(a) against \(b)")
    }
    cell.ledger = Self.ledgerFindings(theirs.ledger, mine.ledger)
    cell.work =
      Self.changes("set-up", theirs.setUpCounters, mine.setUpCounters)
      + Self.changes("delivery", theirs.deliveryCounters, mine.deliveryCounters)
    if !cell.equality.isEmpty || !cell.ledger.isEmpty {
      cell.verdict = .regressed
    } else if cell.work.contains(where: \.isWorse), !policy.acceptsWork {
      cell.verdict = .regressed
    } else if cell.work.contains(where: { !$0.isNeutral }) {
      cell.verdict = cell.work.contains(where: \.isWorse) ? .pass : .improved
    }
    cells.append(cell)
  }

  private static func ledgerFindings(
    _ theirs: RunRecord.LedgerRecord?, _ mine: RunRecord.LedgerRecord?
  ) -> [String] {
    guard let mine else { return [] }
    var findings: [String] = []
    if !mine.isConserved {
      findings.append(
        "the candidate's ledger does not hold: offered \(mine.offered), accounted for "
          + "\(mine.delivered + mine.coalesced + mine.masked + mine.lostTotal)")
    }
    guard let theirs else { return findings }
    let accounts = [
      ("offered", theirs.offered, mine.offered), ("delivered", theirs.delivered, mine.delivered),
      ("coalesced", theirs.coalesced, mine.coalesced), ("masked", theirs.masked, mine.masked),
    ]
    for (name, a, b) in accounts where a != b { findings.append("\(name): \(a) against \(b)") }
    for name in Set(theirs.lost.keys).union(mine.lost.keys).sorted() {
      let (a, b) = (theirs.lost[name] ?? 0, mine.lost[name] ?? 0)
      if a != b { findings.append("\(name): \(a) against \(b)") }
    }
    return findings
  }

  private static func changes(
    _ part: String, _ theirs: [String: UInt64], _ mine: [String: UInt64]
  ) -> [CounterChange] {
    // A build that does not know a counter yet did none of that work.
    Set(theirs.keys).union(mine.keys).sorted().compactMap { name in
      let (a, b) = (theirs[name] ?? 0, mine[name] ?? 0)
      return a == b ? nil : CounterChange(counter: name, part: part, baseline: a, candidate: b)
    }
  }

  package var isRegression: Bool { cells.contains { $0.verdict == .regressed } }
  package var isImprovement: Bool { cells.contains { $0.verdict == .improved } }
}

extension CellKey {
  package init(_ trace: String, _ cell: RunRecord.Cell) {
    self.init(
      trace: trace, architecture: cell.architectureName, design: cell.design,
      experiment: cell.experiment, mode: cell.mode, variant: cell.variant)
  }
}
