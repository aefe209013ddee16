internal import Statistics

/// What two identical arms show of one cell on this host: the floor, and the smallest slowdown that a
/// gate would catch.
package struct Sensitivity: Codable, Hashable, Sendable {
  package var cell: CellKey
  package var blocks: Int
  /// Difference that the identical arms showed, and its interval: 0.004 is 0.4 %.
  package var floor: Double
  package var lower: Double
  package var upper: Double
  /// Scatter of one block's difference, from the interval's width: what a heavy tail adds is in it as far
  /// as it matters to the test.
  package var blockDeviation: Double
  /// The slowdown that a gate with `gateBlocks` blocks of confirmation catches in 95 of 100 tries; nil if
  /// so few blocks cannot fail a gate at all.
  package var minimumDetectable: Double?
  package var gateBlocks: Int

  /// Nil with fewer blocks than an interval needs.
  ///
  /// - Parameters:
  ///   - gateBlocks: blocks that confirmation has time for.
  ///   - cells: over which the budget of false alarms is spread at worst.
  package init?(
    _ cell: CellKey, _ evidence: Evidence, policy: Policy, gateBlocks: Int, cells: Int
  ) {
    let finding = evidence.finding(confidence: 0.95)
    guard let interval = finding.interval, gateBlocks > 0 else { return nil }
    self.cell = cell
    blocks = evidence.count
    floor = Exponential.change(finding.estimate)
    lower = Exponential.change(interval.lower)
    upper = Exponential.change(interval.upper)
    let one = Normal.quantile(0.975)
    let deviation = interval.halfWidth / one * Double(evidence.count).squareRoot()
    blockDeviation = deviation
    let error = deviation / Double(gateBlocks).squareRoot()
    // The estimate must pass the threshold, and the test must reject, each in 95 of 100 tries.
    let level = policy.falseAlarm / Double(GateSession.looks.count * max(1, cells))
    let power = Normal.quantile(0.95)
    let forThreshold = Exponential.logarithm(1 + policy.threshold) + power * error
    let forTest = (Normal.quantile(1 - level) + power) * error
    // Fewer blocks than this cannot reject whatever they show: 2⁻ⁿ is above the level.
    let canReject = gateBlocks > 60 || 1 / Double(1 << gateBlocks) <= level
    minimumDetectable = canReject ? Exponential.change(max(forThreshold, forTest)) : nil
    self.gateBlocks = gateBlocks
  }
}
