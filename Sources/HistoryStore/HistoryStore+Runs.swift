import Foundation
import GRDB
public import History

/// What became of an addition.
public enum Addition: Hashable, Sendable {
  case added(Int64)
  /// The very same record is there already.
  case duplicate(Int64)
}

extension HistoryStore {
  /// Adds a record in one transaction.
  ///
  /// - Parameter commit: the revision that was measured, in whatever words the project has for it.
  @discardableResult
  public func add(_ record: RunRecord, commit: String? = nil) throws(HistoryStoreError) -> Addition
  {
    try write { try Self.insert(record, commit, $0) }
  }

  static func insert(_ record: RunRecord, _ commit: String?, _ database: Database) throws
    -> Addition
  {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let document = try encoder.encode(record)
    let digest = SHA256.hex(document)
    if let id = try Int64.fetchOne(
      database, sql: "SELECT id FROM run WHERE digest = ?", arguments: [digest])
    {
      return .duplicate(id)
    }
    try database.execute(
      sql: """
        INSERT INTO run (digest, started, "commit", tool, trace, traceHash, host, record)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        """,
      arguments: [
        digest, record.started, commit, record.tool.version, record.trace.name,
        record.trace.contentHash, SHA256.hex(try encoder.encode(record.host)), document,
      ])
    let id = database.lastInsertedRowID
    let insertion = try database.makeStatement(
      sql: """
        INSERT OR IGNORE INTO figure
          (run, architecture, design, experiment, mode, name, unit, lowerIsBetter, value)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
        """)
    for cell in record.cells where cell.voidReason == nil {
      for figure in cell.figures where figure.value.isFinite {
        try insertion.execute(arguments: [
          id, cell.architectureName, cell.design, cell.experimentColumn, cell.mode, figure.name,
          figure.unit, figure.lowerIsBetter, figure.value,
        ])
      }
    }
    return .added(id)
  }

  /// Oldest first.
  ///
  /// - Parameter trace: only runs of this trace, by name.
  public func runs(trace: String? = nil) throws(HistoryStoreError) -> [StoredRun] {
    try read { database in
      try Row.fetchAll(
        database,
        sql: """
          SELECT id, started, "commit", tool, trace, traceHash, host,
            (SELECT COUNT(*) FROM
              (SELECT DISTINCT architecture, design, experiment, mode FROM figure WHERE run = run.id)
            ) AS cells
          FROM run WHERE ? IS NULL OR trace = ? ORDER BY started, id
          """, arguments: [trace, trace]
      ).map(StoredRun.init)
    }
  }

  /// The record as it was added.
  public func record(_ id: Int64) throws(HistoryStoreError) -> RunRecord {
    let document = try document(id)
    return try Self.reporting(path) { try JSONDecoder().decode(RunRecord.self, from: document) }
  }

  private func document(_ id: Int64) throws(HistoryStoreError) -> Data {
    let found = try read {
      try Data.fetchOne($0, sql: "SELECT record FROM run WHERE id = ?", arguments: [id])
    }
    guard let found else { throw .noRun(path: path, id: id) }
    return found
  }

  /// Removes runs, and gives their space back to the file system.
  ///
  /// - Parameters:
  ///   - before: those that started earlier (ISO 8601).
  ///   - keeping: but never the newest so many of a trace on a host.
  /// - Returns: which.
  public func prune(before: String, keeping: Int) throws(HistoryStoreError) -> [Int64] {
    let pruned = try write { database in
      let found = try Int64.fetchAll(
        database,
        sql: """
          SELECT id FROM (
            SELECT id, started,
              ROW_NUMBER() OVER (PARTITION BY traceHash, host ORDER BY started DESC, id DESC) AS age
            FROM run)
          WHERE started < ? AND age > ? ORDER BY id
          """, arguments: [before, keeping])
      for id in found {
        try database.execute(sql: "DELETE FROM run WHERE id = ?", arguments: [id])
      }
      return found
    }
    if !pruned.isEmpty { try vacuum() }
    return pruned
  }
}

extension StoredRun {
  init(_ row: Row) {
    self.init(
      id: row["id"], started: row["started"], commit: row["commit"], tool: row["tool"],
      trace: row["trace"], traceHash: row["traceHash"], host: row["host"], cells: row["cells"])
  }
}

/// One number of a cell.
struct CellFigure {
  var name: String
  var unit: String
  var lowerIsBetter: Bool
  var value: Double
}

extension RunRecord.Cell {
  /// The experiment and, behind a blank, the variant: a series of its own, also for an older doorbell.
  var experimentColumn: String { experiment + (variant.map { " " + $0 } ?? "") }

  static let percentiles: [Double] = [50, 99]

  /// Its metrics, and the median and 99th percentile of its distributions, which are times.
  var figures: [CellFigure] {
    metrics.map {
      CellFigure(name: $0.name, unit: $0.unit, lowerIsBetter: $0.lowerIsBetter, value: $0.value)
    }
      + distributions.filter { $0.total > 0 }.flatMap { distribution in
        Self.percentiles.map {
          CellFigure(
            name: "\(distribution.name)-p\(Int($0))", unit: distribution.unit, lowerIsBetter: true,
            value: Double(distribution.percentile($0)))
        }
      }
  }
}
