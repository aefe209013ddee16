import EventModel
import Foundation
import History
import TraceFormat

/// What a trace file holds.
enum TraceContent {
  static func events(_ path: String) throws -> [TraceEvent] {
    var reader = try TraceReader(path: path)
    var events: [TraceEvent] = []
    var batch = [TraceEvent](repeating: TraceEvent(time: 0, kind: .mark), count: 4_096)
    while true {
      // Safety: the pointer is used during the call only.
      let count = unsafe try batch.withUnsafeMutableBufferPointer {
        unsafe try reader.decode(into: $0)
      }
      if count == 0 { return events }
      events += batch[0..<count]
    }
  }

  /// SHA-256 of all records as they lie in memory, whatever codec and format version keep them.
  static func digest(_ events: [TraceEvent]) -> String {
    // Safety: a record is 48 bytes without padding (`TraceEvent.swift`); the data is copied.
    SHA256.hex(unsafe events.withUnsafeBytes { unsafe Data($0) })
  }
}
