import History
import HistoryStore
import Reports

/// The newest measurement of each cell, and the one before, of each trace on each host: a night may add
/// several records of one trace, each with experiments of its own.
struct NewestCells {
  private(set) var newest: [RunRecord] = []
  private(set) var previous: [RunRecord] = []
  /// Newest runs that stand alone on their host, though the trace was measured before, on another.
  private(set) var obstacles: [String] = []
  /// The newest run of each trace on each host, as it was added.
  private(set) var whole: [HistoryPages.Newest] = []
  /// How far back a cell is looked for.
  private static let depth = 20

  /// - Parameters:
  ///   - trace: only of this trace, by name.
  ///   - hashes: only of these traces, by content.
  init(_ store: HistoryStore, trace: String? = nil, hashes: Set<String>? = nil) throws {
    let wanted = try store.runs(trace: trace).filter { hashes?.contains($0.traceHash) ?? true }
    let groups = Dictionary(grouping: wanted) { [$0.traceHash, $0.host] }
    for (key, runs) in groups.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
      var seen: [RunRecord.Cell] = []
      var pairs: [(newest: RunRecord.Cell, previous: RunRecord.Cell)] = []
      var last: RunRecord?
      for run in runs.suffix(Self.depth).reversed() {
        let record = try store.record(run.id)
        last = last ?? record
        for cell in record.cells where !pairs.contains(where: { $0.newest.isSame(as: cell) }) {
          if let other = seen.first(where: { $0.isSame(as: cell) }) {
            pairs.append((other, cell))
          } else {
            seen.append(cell)
          }
        }
      }
      guard var record = last else { continue }
      whole.append(.init(traceHash: key[0], host: key[1], record: record))
      guard !pairs.isEmpty else {
        obstacles += try Self.otherHost(than: record, store)
        continue
      }
      record.cells = pairs.map(\.newest)
      newest.append(record)
      record.cells = pairs.map(\.previous)
      previous.append(record)
    }
  }

  /// What of the host changed since the trace was measured before; nothing unless the record is the newest.
  ///
  /// - Parameter record: has nothing before it on its host.
  private static func otherHost(than record: RunRecord, _ store: HistoryStore) throws -> [String] {
    let runs = try store.runs(trace: record.trace.name)
      .filter { $0.traceHash == record.trace.contentHash }
    guard runs.allSatisfy({ $0.started <= record.started }) else { return [] }
    for run in runs.reversed() {
      let differences = try store.record(run.id).host.differences(from: record.host)
      guard !differences.isEmpty else { continue }
      return [
        "\(record.trace.name): the newest run and run \(run.id) before it ran on different hosts: "
          + differences.joined(separator: "; ")
          + "; nothing is normalised away: measured here once more, it has a series of its own"
      ]
    }
    return []
  }
}
