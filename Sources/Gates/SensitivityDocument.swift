/// What two identical arms showed on this host: printed, and written as JSON.
package struct SensitivityDocument: Codable, Sendable {
  package var version = 1
  package var arm: String
  package var policy: Policy
  package var seed: UInt64
  package var budgetSeconds: Double
  package var elapsedSeconds: Double
  package var blocks: Int
  package var launches: Int
  package var cells: [Sensitivity]
  package var warnings: [String]

  /// - Parameters:
  ///   - evidence: differences of identical arms, by cell.
  ///   - seconds: that its blocks took.
  package init(
    arm: String, policy: Policy, seed: UInt64, budgetSeconds: Double, elapsedSeconds: Double,
    launches: Int, evidence: [CellKey: Evidence], seconds: Double, warnings: [String]
  ) {
    self.arm = arm
    self.policy = policy
    self.seed = seed
    self.budgetSeconds = budgetSeconds
    self.elapsedSeconds = elapsedSeconds
    self.launches = launches
    self.warnings = warnings
    let blocks = evidence.values.map(\.count).min() ?? 0
    self.blocks = blocks
    let gateBlocks = GateSession.confirmationBlocks(
      budgetSeconds: budgetSeconds, blockSeconds: seconds / Double(max(1, blocks)))
    cells = evidence.keys.sorted().compactMap { cell in
      evidence[cell].flatMap {
        Sensitivity(
          cell, $0, policy: policy, gateBlocks: gateBlocks, cells: evidence.count)
      }
    }
  }

  /// Cells in which a slowdown by `share` would be missed too often.
  package func cells(blindTo share: Double) -> [Sensitivity] {
    cells.filter { ($0.minimumDetectable ?? .infinity) > share }
  }
}
