import Gates
import History
import HistoryStore
import Reports

extension HistoryPages {
  /// All of a history file, or what it holds of the traces with these hashes.
  ///
  /// - Parameter answers: of searches that were made before; afterwards those that this history needs.
  init(
    _ store: HistoryStore, hashes: Set<String>? = nil, policy: Policy, answers: inout StepAnswers
  ) throws {
    let series = try store.series().filter { hashes?.contains($0.traceHash) ?? true }
    let cells = try NewestCells(store, hashes: hashes)
    answers = StepAnswers.to(
      HistoryReview.searches(series: series, policy: policy), known: answers)
    self.init(
      HistoryReview(
        series: series, newest: cells.newest, previous: cells.previous, obstacles: cells.obstacles,
        policy: policy,
        known: answers), newest: cells.whole)
  }
}
