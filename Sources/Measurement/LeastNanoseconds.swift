/// The shortest of several runs, in nanoseconds per operation: an interruption can only make a run longer.
///
/// - Parameter operations: what one run of `body` counts as; at least 1.
package func leastNanoseconds(runs: Int, operations: Int, _ body: () -> Void) -> Double {
  let clock = CycleClock.shared
  var least = UInt64.max
  for _ in 0..<max(1, runs) {
    let start = clock.now()
    body()
    least = min(least, clock.now() &- start)
  }
  return Double(clock.nanoseconds(from: 0, to: least)) / Double(max(1, operations))
}
