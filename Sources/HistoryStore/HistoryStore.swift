// HistoryStore: run records of many nights in one SQLite file.
//
// A history is a database in WAL mode that any number of processes may write at once: each addition is one
// transaction, which is there whole or not at all, whatever is killed. The record is kept
// whole; what is asked often (cells and figures) is copied out of it into columns. Migrations are numbered
// and never change; a file of a newer tool is refused.
//
//   let store = try HistoryStore(path: "nightly.sqlite")
//   try store.add(record, commit: "8a2f0c1")       // .added(12), or .duplicate(12)
//   try store.series()                             // each figure by night
//
// A file that may not be written, or whose folder may not, can be read all the same.
//
// It judges nothing: what a change in a series means is the matter of `Gates`.
// Invariants: a record is stored once, however often it is added; what comes out is the record that went in.
// Threads: a store may be used by any; other processes may write to the same file.

import Foundation
import GRDB
import History

#if canImport(Glibc)
  import Glibc
#endif

/// A history file. Thread-safe; one per file and process is enough.
public struct HistoryStore: Sendable {
  let path: String
  private let pool: any DatabaseWriter

  /// Opens a history; makes it if `creates` and there is none. A file that is not one is left alone.
  ///
  /// - Parameter waitSeconds: how long to wait for another writer.
  public init(path: String, creates: Bool = false, waitSeconds: Double = 30)
    throws(HistoryStoreError)
  {
    self.path = path
    if !creates {
      guard unsafe access(path, R_OK) == 0 else {
        throw .unreadable(path: path, reason: unsafe String(cString: strerror(errno)))
      }
    }
    var configuration = Configuration()
    configuration.busyMode = .timeout(waitSeconds)
    if !creates, !Self.mayBeWritten(path) {
      pool = try Self.readOnly(path, configuration)
      return
    }
    // A transaction that was reported is on the disk, also after a loss of power.
    configuration.prepareDatabase { try $0.execute(sql: "PRAGMA synchronous = FULL") }
    let pool = try Self.reporting(path) {
      try DatabasePool(path: path, configuration: configuration)
    }
    self.pool = pool
    try Self.reporting(path) {
      let migrations = Self.migrations
      if try pool.read(migrations.hasBeenSuperseded) {
        throw HistoryStoreError.newer(path: path)
      }
      do {
        try migrations.migrate(pool)
      } catch {
        // Two processes began one history, and the other was first.
        guard try pool.read(migrations.hasCompletedMigrations) else { throw error }
      }
    }
  }

  /// SQLite keeps its log beside the file: the folder counts, too.
  private static func mayBeWritten(_ path: String) -> Bool {
    let folder = (path as NSString).deletingLastPathComponent
    // Safety: both paths are NUL-terminated copies that live for the call.
    return unsafe access(path, W_OK) == 0 && access(folder.isEmpty ? "." : folder, W_OK) == 0
  }

  /// Without its log, which nobody can make here, SQLite reads a file only if it is told that it does not change.
  private static func readOnly(
    _ path: String, _ configuration: Configuration
  ) throws(HistoryStoreError) -> DatabaseQueue {
    var configuration = configuration
    configuration.readonly = true
    return try reporting(path) {
      func opened(_ name: String) throws -> DatabaseQueue {
        let queue = try DatabaseQueue(path: name, configuration: configuration)
        if try queue.read(migrations.hasBeenSuperseded) {
          throw HistoryStoreError.newer(path: path)
        }
        guard try queue.read(migrations.hasCompletedMigrations) else {
          throw HistoryStoreError.older(path: path)
        }
        return queue
      }
      do {
        return try opened(path)
      } catch let error as DatabaseError
        where [.SQLITE_CANTOPEN, .SQLITE_READONLY].contains(error.resultCode)
      {
        return try opened(URL(fileURLWithPath: path).absoluteString + "?immutable=1")
      }
    }
  }

  private static var migrations: DatabaseMigrator {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("1") { database in
      try database.execute(
        sql: """
          CREATE TABLE run (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            -- SHA-256 of the record: the same measurement is added once.
            digest TEXT NOT NULL UNIQUE,
            started TEXT NOT NULL,
            "commit" TEXT,
            tool TEXT NOT NULL,
            trace TEXT NOT NULL,
            traceHash TEXT NOT NULL,
            -- SHA-256 of the fingerprint: figures of two hosts are never one series.
            host TEXT NOT NULL,
            record BLOB NOT NULL
          );
          CREATE INDEX runByStart ON run (traceHash, host, started);
          CREATE TABLE figure (
            run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
            architecture TEXT NOT NULL,
            design TEXT NOT NULL,
            experiment TEXT NOT NULL,
            mode TEXT NOT NULL,
            name TEXT NOT NULL,
            unit TEXT NOT NULL,
            lowerIsBetter BOOLEAN NOT NULL,
            value REAL NOT NULL,
            PRIMARY KEY (run, architecture, design, experiment, mode, name)
          ) WITHOUT ROWID;
          """)
    }
    return migrator
  }

  static func reporting<Value>(_ path: String, _ body: () throws -> Value)
    throws(HistoryStoreError) -> Value
  {
    do {
      return try body()
    } catch let error as HistoryStoreError {
      throw error
    } catch let error as DatabaseError where error.resultCode == .SQLITE_NOTADB {
      throw .notAHistory(path: path)
    } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY {
      throw .busy(path: path)
    } catch let error as DatabaseError where error.resultCode == .SQLITE_CORRUPT {
      throw .damaged(path: path, reason: error.message ?? "\(error)")
    } catch let error as DatabaseError {
      throw .failed(path: path, reason: error.message ?? "\(error)")
    } catch {
      throw .failed(path: path, reason: "\(error)")
    }
  }

  func write<Value>(_ body: (Database) throws -> Value) throws(HistoryStoreError) -> Value {
    try Self.reporting(path) { try pool.write(body) }
  }

  func vacuum() throws(HistoryStoreError) {
    try Self.reporting(path) { try pool.vacuum() }
  }

  func read<Value>(_ body: (Database) throws -> Value) throws(HistoryStoreError) -> Value {
    try Self.reporting(path) { try pool.read(body) }
  }
}

public enum HistoryStoreError: Error, Hashable, CustomStringConvertible {
  case unreadable(path: String, reason: String)
  case notAHistory(path: String)
  case newer(path: String)
  /// Not brought up to date, and it may not be written.
  case older(path: String)
  case busy(path: String)
  case damaged(path: String, reason: String)
  case failed(path: String, reason: String)
  case noRun(path: String, id: Int64)
  case line(path: String, number: Int, reason: String)

  public var description: String {
    switch self {
    case .unreadable(let path, let reason):
      "\(path): \(reason); name a history, or begin one with 'doorbell history add'"
    case .notAHistory(let path):
      "\(path): not a history: expected an SQLite database; the file was not changed"
    case .newer(let path):
      "\(path): a newer doorbell has changed this history; use that one, or export from there"
    case .older(let path):
      "\(path): an older history, which may not be written here; read a copy of it that may"
    case .busy(let path):
      "\(path): another process has been writing for too long; nothing was changed, try again"
    case .damaged(let path, let reason):
      "\(path): damaged database: \(reason); restore a copy, or save what can be read with "
        + "'sqlite3 FILE .recover'"
    case .failed(let path, let reason): "\(path): \(reason); nothing was changed"
    case .noRun(let path, let id):
      "\(path): no run \(id); 'doorbell history list' shows which there are"
    case .line(let path, let number, let reason):
      "\(path): line \(number): \(reason); nothing was added"
    }
  }
}
