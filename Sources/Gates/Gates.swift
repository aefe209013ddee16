// Gates: what a difference between two arms means.
//
// An arm is what is compared: a build, with the launches that were made of it. The order of judgement is
// that of trust: outcomes (equality), the account of interrupts (ledger), exact work counters, and only
// then time. What comes first is exact and needs no statistics; time is judged on launches, with a
// practical threshold *and* an interval, under one budget of false alarms over all cells.
//
//   let facts = FactComparison(baseline: a, candidate: b, policy: policy)
//   var session = GateSession(cells: cells, policy: policy, budgetSeconds: 60)
//   while let step = session.next(elapsed: now()) { session.add(measure(step)) }
//   session.results
//
// Everything is a pure function of run records and of numbers that are handed in: who starts processes
// and reads clocks is `CommandLine`. So a gate can be simulated ten thousand times in a test. It is not a
// statistics library (`Statistics`), and it prints nothing (`Reports`).
//
// Invariants: only launches that were made to confirm can fail a gate by time; between two equal arms it fails
// in at most the stated share of cases, all cells together. Threads: values; any thread.

import Statistics

/// How a gate ends. `CommandLine` makes the exit code of it.
package enum Conclusion: String, Codable, Sendable {
  case pass
  case regression
  case inconclusive
  case couldNotMeasure = "could-not-measure"
}

/// What is said of one cell or one figure in it.
package enum Verdict: String, Codable, CaseIterable, Sendable {
  /// Worse, surely, and by enough to matter.
  case regressed
  /// The floor of this host is too high: a slowdown that matters cannot be ruled out.
  case inconclusive
  /// Better, surely, and by enough to matter: a flag, never a failure.
  case improved
  /// A slowdown that matters is ruled out.
  case pass
  /// Too few launches, or nothing that a verdict could rest on.
  case unjudged
}

/// What counts as a regression.
package struct Policy: Codable, Hashable, Sendable {
  /// Smaller changes of time do not matter: 0.02 is 2 %.
  package var threshold = 0.02
  /// Of the intervals that are shown and of the rule that clears a cell.
  package var confidence = 0.95
  /// The chance that a gate over two equal arms ends as a regression by time, all cells together.
  package var falseAlarm = 0.01
  /// Counters that rose are shown, and not judged.
  package var acceptsWork = false

  package init() {}
}

/// Trace × architecture × design × experiment × mode × variant, and the stage whose time is judged.
package struct CellKey: Codable, Hashable, Comparable, Sendable, CustomStringConvertible {
  package var trace: String
  package var architecture: String
  package var design: String
  package var experiment: String
  package var mode: String
  /// What tells the cell from others of one suite, such as "rate=50k"; absent where there are no others.
  package var variant: String?
  /// "delivery" or "set-up"; absent where the whole cell is meant.
  package var stage: String?

  package init(
    trace: String, architecture: String, design: String, experiment: String, mode: String,
    variant: String? = nil, stage: String? = nil
  ) {
    self.trace = trace
    self.architecture = architecture
    self.design = design
    self.experiment = experiment
    self.mode = mode
    self.variant = variant
    self.stage = stage
  }

  /// The experiment, and what tells it from others of one suite.
  package var question: String { experiment + (variant.map { " \($0)" } ?? "") }

  private var words: [String] {
    [trace, architecture, design, experiment, mode, variant ?? "", stage ?? ""]
  }
  package static func < (a: CellKey, b: CellKey) -> Bool {
    a.words.lexicographicallyPrecedes(b.words)
  }
  package var description: String {
    "\(trace) \(design) \(question)" + (stage.map { " \($0)" } ?? "")
  }
}
