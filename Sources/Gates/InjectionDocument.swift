/// How a gate took a slowdown that was made on purpose.
package struct InjectionDocument: Codable, Sendable {
  package enum Answer: String, Codable, Sendable {
    case caught
    /// The gate said that nothing is slower by as much as its threshold.
    case missed
    /// It could not tell on this host within its budget.
    case inconclusive
    case couldNotMeasure = "could-not-measure"
  }

  package var version = 1
  /// "delivery=3.0% in direct", "tlb-entries=64".
  package var injected: String
  package var answer: Answer
  /// Cells that regressed though nothing was done to them.
  package var falseAlarms: [CellKey]
  package var gate: GateDocument

  /// - Parameter isSlowed: whether something was done to a cell; nil where work was changed, not time.
  package init(injected: String, gate: GateDocument, isSlowed: ((CellKey) -> Bool)?) {
    self.injected = injected
    self.gate = gate
    let regressed = gate.times.filter { $0.effect.verdict == .regressed }.map(\.cell)
    let caught =
      isSlowed.map { regressed.contains(where: $0) } ?? (gate.facts?.isRegression == true)
    falseAlarms = isSlowed.map { isSlowed in regressed.filter { !isSlowed($0) } } ?? regressed
    answer =
      if gate.conclusion == .couldNotMeasure {
        .couldNotMeasure
      } else if caught {
        .caught
      } else if gate.conclusion == .inconclusive {
        .inconclusive
      } else {
        .missed
      }
  }
}
