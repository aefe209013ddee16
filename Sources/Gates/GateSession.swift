internal import Statistics

/// A gate on time as a state machine: says what to measure next, takes what was measured, and knows when
/// enough is known.
///
/// 1. *Screening* measures all cells, block by block, until each is cleared (the interval rules out a
///    slowdown of the threshold), or until `screeningShare` of the budget is gone, or until what is left
///    over is plainly different. Looking often costs nothing here: a look can only clear.
/// 2. *Confirmation* measures the cells that were not cleared anew, with fresh launches, and judges them
///    on these alone. Only it can fail a gate, or flag an improvement. It looks at three times that were
///    fixed before, each time with a third of the budget of false alarms, Holm's procedure over the
///    cells within. So the chance that two equal arms
///    end as a regression is at most that budget, whatever screening did to select cells.
///
/// The test asks for one thing only: that within a block the arms took their places by lot.
package struct GateSession: Sendable {
  package enum Phase: String, Codable, Sendable { case screening, confirmation }

  package struct Step: Hashable, Sendable {
    package var phase: Phase
    package var cells: [CellKey]
  }

  package struct Result: Codable, Hashable, Sendable {
    package var cell: CellKey
    package var effect: Effect
    /// The phase whose launches alone the effect rests on.
    package var phase: Phase
    /// What screening saw of a cell that was measured anew.
    package var screened: Effect?
  }

  /// Blocks before the first look: 8 give an interval of 99 %.
  package static let leastBlocks = 8
  static let screeningShare = 0.45
  /// When confirmation looks, as shares of its time: early for what is plain, late for what is not.
  static let looks = [0.15, 0.45, 1.0]

  /// Blocks that confirmation has time for at least: as many as it measures if no cell was cleared.
  package static func confirmationBlocks(budgetSeconds: Double, blockSeconds: Double) -> Int {
    guard blockSeconds > 0 else { return 0 }
    return Int(budgetSeconds * (1 - screeningShare) / blockSeconds)
  }

  private let policy: Policy
  private let budgetSeconds: Double
  private let judge: TimeJudge
  private let beforehand: [CellKey: Evidence]
  private var phase = Phase.screening
  private var screening: [CellKey: Evidence]
  private var confirmation: [CellKey: Evidence] = [:]
  private var judged: [CellKey: Result] = [:]
  /// Cells that the phase still measures.
  private var open: [CellKey]
  private var looksTaken = 0
  private var confirmationStart = 0.0
  private var lastStart: Double?
  private var longestBlock = 0.0
  package private(set) var isFinished = false

  /// - Parameters:
  ///   - cells: each with what is known before the first block: `.paired([])`, or the launches of a
  ///     stored baseline.
  ///   - budgetSeconds: for all blocks together.
  package init(cells: [CellKey: Evidence], policy: Policy, budgetSeconds: Double) {
    self.policy = policy
    self.budgetSeconds = budgetSeconds
    judge = TimeJudge(policy)
    open = cells.keys.sorted()
    beforehand = cells
    screening = cells
  }

  package var results: [Result] { judged.values.sorted { $0.cell < $1.cell } }

  /// What to measure now; nil when the gate has ended.
  ///
  /// - Parameter elapsed: seconds since the first call.
  package mutating func next(elapsed: Double) -> Step? {
    if let lastStart { longestBlock = max(longestBlock, elapsed - lastStart) }
    if !isFinished { look(elapsed) }
    guard !isFinished else { return nil }
    lastStart = elapsed
    return Step(phase: phase, cells: open)
  }

  /// Takes one block's evidence of the cells that were asked for.
  package mutating func add(_ block: [CellKey: Evidence]) {
    for cell in open {
      guard let evidence = block[cell] else { continue }
      switch phase {
      case .screening: screening[cell]?.add(evidence)
      case .confirmation: confirmation[cell]?.add(evidence)
      }
    }
  }

  private mutating func look(_ elapsed: Double) {
    switch phase {
    case .screening: screen(elapsed)
    case .confirmation: confirm(elapsed)
    }
  }

  private mutating func screen(_ elapsed: Double) {
    guard !open.isEmpty else {
      isFinished = true
      return
    }
    let isOver = longestBlock > 0 && elapsed + longestBlock > budgetSeconds * Self.screeningShare
    let count = open.compactMap { screening[$0]?.count }.min() ?? 0
    let isDue = count >= Self.leastBlocks && count % (count < 32 ? 4 : 16) == 0
    guard isOver || isDue else { return }
    let effects = judge.effects(open.compactMap { screening[$0] }, level: policy.falseAlarm)
    guard isOver || effects.allSatisfy(isSettled) else { return }
    for (cell, effect) in zip(open, effects) {
      judged[cell] = Result(cell: cell, effect: effect, phase: .screening)
    }
    open = open.filter { cell in judged[cell].map { !isCleared($0.effect) } ?? true }
    guard !open.isEmpty else {
      isFinished = true
      return
    }
    phase = .confirmation
    confirmationStart = elapsed
    for cell in open { confirmation[cell] = beforehand[cell] }
    // A block of fewer cells is shorter; the first one will tell.
    longestBlock = 0
    lastStart = nil
  }

  /// Neither slower nor, as it seems, faster by enough to matter.
  private func isCleared(_ effect: Effect) -> Bool {
    effect.verdict == .pass && effect.change > -policy.threshold
  }

  private func isSettled(_ effect: Effect) -> Bool {
    [.improved, .regressed].contains(effect.verdict) || isCleared(effect)
  }

  private mutating func confirm(_ elapsed: Double) {
    guard longestBlock > 0 else { return }
    let time = max(0, budgetSeconds - confirmationStart)
    let isLast = elapsed + longestBlock > budgetSeconds
    let isDue = elapsed - confirmationStart >= time * Self.looks[looksTaken]
    guard isLast || isDue else { return }
    looksTaken += 1
    let cells = confirmation.keys.sorted()
    // Every look judges the whole family, those that are closed included, so that leaving early helps
    // nobody.
    let effects = judge.effects(
      cells.compactMap { confirmation[$0] }, level: policy.falseAlarm / Double(Self.looks.count))
    for (cell, effect) in zip(cells, effects) where open.contains(cell) {
      let screened = judged[cell]?.screened ?? judged[cell]?.effect
      judged[cell] = Result(cell: cell, effect: effect, phase: .confirmation, screened: screened)
    }
    open = open.filter { cell in judged[cell].map { !isSettled($0.effect) } ?? true }
    isFinished = isLast || open.isEmpty || looksTaken == Self.looks.count
  }
}
