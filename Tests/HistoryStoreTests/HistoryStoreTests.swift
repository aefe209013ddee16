import Foundation
import GRDB
import History
import HistoryStore
import Testing

@Suite struct HistoryStoreTests {
  /// A folder of its own, removed afterwards.
  static func inFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
    let folder = NSTemporaryDirectory() + "doorbell-history-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return try body(folder)
  }

  static func record(
    night: Int, _ value: Double, trace: String = "nvme", host: String = "x", void: Bool = false
  ) -> RunRecord {
    var cell = RunRecord.Cell(
      design: "direct", setUp: "owned", delivery: "vlpi", experiment: "core")
    cell.metrics = [
      .init(
        name: "delivery-ns-per-event", unit: "ns", lowerIsBetter: true, value: value,
        samples: [value])
    ]
    cell.distributions = [
      .init(
        name: "total", unit: "ns",
        counts: [.init(value: 100, count: 98), .init(value: 900, count: 2)])
    ]
    if void { cell.voidReason = "send lag" }
    return RunRecord(
      tool: .init(name: "doorbell", version: "0.1.0"), command: ["replay"],
      started: String(format: "2026-01-%02dT02:00:00Z", night),
      trace: .init(
        name: trace, contentHash: trace + "-hash", events: 1, eventsByKind: [:], lostEvents: 0),
      host: HostFingerprint(facts: ["cpu-model": host]), cells: [cell])
  }

  @Test func whatIsAddedComesBackAndOnlyOnce() throws {
    try Self.inFolder { folder in
      let store = try HistoryStore(path: folder + "/h.sqlite", creates: true)
      let record = Self.record(night: 1, 6)
      #expect(try store.add(record, commit: "8a2f") == .added(1))
      #expect(try store.add(record, commit: "other") == .duplicate(1))
      #expect(try store.record(1) == record)
      let runs = try store.runs()
      #expect(runs.map(\.commit) == ["8a2f"] && runs.map(\.cells) == [1])
      #expect(throws: HistoryStoreError.noRun(path: folder + "/h.sqlite", id: 7)) {
        try store.record(7)
      }
    }
  }

  @Test func seriesAreByNightAndNeverMixHostsOrTraces() throws {
    try Self.inFolder { folder in
      let store = try HistoryStore(path: folder + "/h.sqlite", creates: true)
      for night in [3, 1, 2] { try store.add(Self.record(night: night, Double(night))) }
      try store.add(Self.record(night: 4, 4, host: "y"))
      try store.add(Self.record(night: 5, 5, trace: "boot"))
      try store.add(Self.record(night: 6, 6, void: true))
      let series = try store.series()
      // A metric, and two percentiles of the distribution, of three pairs of trace and host.
      #expect(series.count == 9)
      let figures = series.filter { $0.name == "delivery-ns-per-event" }
      #expect(Set(figures.map { $0.points.map(\.value) }) == [[1, 2, 3], [4], [5]])
      #expect(series.first { $0.name == "total-p50" }?.points.first?.value == 100)
      #expect(series.first { $0.name == "total-p99" }?.points.first?.value == 900)
      #expect(try store.series(trace: "boot").count == 3)
    }
  }

  @Test func pruneKeepsTheNewestOfEachTraceOnEachHost() throws {
    try Self.inFolder { folder in
      let store = try HistoryStore(path: folder + "/h.sqlite", creates: true)
      for night in 1...5 { try store.add(Self.record(night: night, 6)) }
      try store.add(Self.record(night: 1, 6, trace: "boot"))
      #expect(try store.prune(before: "2026-01-05", keeping: 2) == [1, 2, 3])
      #expect(try store.runs().map(\.id) == [6, 4, 5])
      #expect(try store.series().allSatisfy { $0.points.allSatisfy { $0.run > 3 } })
      #expect(try store.prune(before: "2026-01-05", keeping: 2).isEmpty)
    }
  }

  @Test func linesGoOutAndComeBackAllOrNone() throws {
    try Self.inFolder { folder in
      let store = try HistoryStore(path: folder + "/h.sqlite", creates: true)
      for night in 1...3 { try store.add(Self.record(night: night, 6), commit: "c\(night)") }
      var text = Data()
      try store.export { text += $0 + Data("\n".utf8) }
      let copy = try HistoryStore(path: folder + "/copy.sqlite", creates: true)
      #expect(throws: HistoryStoreError.self) {
        _ = try copy.importLines(text + Data("{\"no\": 1}\n".utf8), from: "lines")
      }
      do {
        _ = try copy.importLines(text + Data("{\"no\": 1}\n".utf8), from: "lines")
      } catch {
        #expect("\(error)".hasPrefix("lines: line 4: "), "\(error)")
      }
      #expect(try copy.runs().isEmpty)
      #expect(try copy.importLines(text, from: "lines") == (3, 0))
      #expect(try copy.importLines(text, from: "lines") == (0, 3))
      #expect(try copy.runs() == store.runs())
      #expect(try copy.record(2) == store.record(2))
    }
  }

  @Test func whatIsNoHistoryIsRefusedAndLeftAlone() throws {
    try Self.inFolder { folder in
      let path = folder + "/notes.txt"
      let text = Data(String(repeating: "not a database\n", count: 100).utf8)
      try text.write(to: URL(fileURLWithPath: path))
      #expect(throws: HistoryStoreError.notAHistory(path: path)) {
        _ = try HistoryStore(path: path, creates: true)
      }
      #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == text)
      let missing = folder + "/none.sqlite"
      #expect {
        _ = try HistoryStore(path: missing)
      } throws: { "\($0)".contains("No such file") }
      #expect(!FileManager.default.fileExists(atPath: missing))
    }
  }

  @Test func aHistoryOfANewerToolIsRefused() throws {
    try Self.inFolder { folder in
      let path = folder + "/h.sqlite"
      do { _ = try HistoryStore(path: path, creates: true) }
      let queue = try DatabaseQueue(path: path)
      try queue.write {
        try $0.execute(sql: "INSERT INTO grdb_migrations (identifier) VALUES ('of a later tool')")
      }
      #expect(throws: HistoryStoreError.newer(path: path)) { _ = try HistoryStore(path: path) }
    }
  }

  @Test func aCutFileIsDamagedByName() throws {
    try Self.inFolder { folder in
      let path = folder + "/h.sqlite"
      do {
        let store = try HistoryStore(path: path, creates: true)
        for night in 1...28 { try store.add(Self.record(night: night, 6)) }
        _ = try store.prune(before: "2026-01-02", keeping: 0)
      }
      for extra in ["-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + extra) }
      let handle = try #require(FileHandle(forUpdatingAtPath: path))
      try handle.truncate(atOffset: 8_192)
      try handle.close()
      #expect {
        let store = try HistoryStore(path: path)
        _ = try store.series()
      } throws: { error in
        guard case HistoryStoreError.damaged = error else { return false }
        return "\(error)".contains(path)
      }
    }
  }

  /// All find no tables, and one makes them.
  @Test func manyMayBeginTheSameHistory() throws {
    try Self.inFolder { folder in
      for round in 1...10 {
        let path = folder + "/\(round).sqlite"
        DispatchQueue.concurrentPerform(iterations: 4) { writer in
          do {
            let store = try HistoryStore(path: path, creates: true)
            try store.add(Self.record(night: 1, 6, trace: "writer-\(writer)"))
          } catch {
            Issue.record("\(error)")
          }
        }
        let runs = try HistoryStore(path: path).runs()
        #expect(runs.count == 4)
      }
    }
  }

  /// Threads with connections of their own, as processes have.
  @Test func manyWritersLoseNothing() throws {
    try Self.inFolder { folder in
      let path = folder + "/h.sqlite"
      _ = try HistoryStore(path: path, creates: true)
      DispatchQueue.concurrentPerform(iterations: 4) { writer in
        do {
          let store = try HistoryStore(path: path)
          for night in 1...6 {
            try store.add(Self.record(night: night, 6, trace: "writer-\(writer)"))
          }
        } catch {
          Issue.record("\(error)")
        }
      }
      let store = try HistoryStore(path: path)
      #expect(try store.runs().count == 24)
      #expect(try store.series().count == 12)
    }
  }
}
