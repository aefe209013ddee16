public import Foundation
import GRDB
import History

/// One run as a line of JSON: what a history is made of, for other tools and for the next file.
struct HistoryLine: Codable {
  var commit: String?
  var record: RunRecord
}

extension HistoryStore {
  /// Gives each run as one line of JSON, oldest first, without the line's end. Holds one at a time.
  public func export(_ body: (Data) throws -> Void) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    for run in try runs() {
      try body(encoder.encode(HistoryLine(commit: run.commit, record: try record(run.id))))
    }
  }

  /// Adds every line, or none: the first that is not a run ends it with its number.
  ///
  /// - Returns: how many were new, and how many were there.
  public func importLines(_ text: Data, from name: String) throws(HistoryStoreError)
    -> (added: Int, duplicates: Int)
  {
    var runs: [HistoryLine] = []
    let lines = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    for (index, line) in lines.enumerated() where !line.allSatisfy({ $0 == 0x20 || $0 == 0x0D }) {
      do {
        let run = try JSONDecoder().decode(HistoryLine.self, from: Data(line))
        guard run.record.schema <= RunRecord.currentSchema else {
          throw RunRecordError.newerSchema(
            path: name, found: run.record.schema, supported: RunRecord.currentSchema)
        }
        runs.append(run)
      } catch {
        throw .line(path: name, number: index + 1, reason: "\(error)")
      }
    }
    return try write { database in
      var count = (added: 0, duplicates: 0)
      for run in runs {
        switch try Self.insert(run.record, run.commit, database) {
        case .added: count.added += 1
        case .duplicate: count.duplicates += 1
        }
      }
      return count
    }
  }
}
