import Foundation
import Reports
import TraceFormat
import TraceImport

/// What `record` says when it is done: every record of the rings by what became of it, and what the
/// rings lost.
struct RecordText {
  var report: RecordReport
  var output: String

  private func count(_ value: UInt64) -> String { Format.count(value) }

  /// For the trace: what is known at the end only.
  var notes: [String] {
    var notes = report.records.notes
    if report.unknownGaps > 0 {
      notes.append("\(report.unknownGaps) gaps are of unknown size; their loss events say 0")
    }
    if report.records.backwardTimes > 0 {
      notes.append(
        "\(report.records.backwardTimes) events came late and have the time of the one before")
    }
    for loss in report.losses {
      notes.append(
        "CPU \(loss.cpu) lost \(loss.overrun) unread and \(loss.dropped) unwritten events")
    }
    return notes
  }

  func table(_ summary: TraceSummary) -> String {
    let records = report.records
    let events = summary.totals.events
    let perEvent = events == 0 ? 0 : Double(summary.sizeBytes) / Double(events)
    var text = """
      wrote    \(output): \(count(events)) events, \(count(summary.sizeBytes)) bytes, \
      \(Format.number(perEvent)) bytes/event\(summary.keyFrameText)
      records  \(count(records.lineCount)): \(count(records.usedLines)) used, \
      \(count(records.ignoredLines)) ignored, \(count(records.notUnderstoodLines)) not understood, \
      \(count(records.damagedLines)) damaged
      lost     \(count(report.lostEvents)) events\(lossDetail)

      """
    if events == 0 { text += "no event came: try other events, or a busier time\n" }
    var kinds = Table([.word("event"), .number("count")])
    for tally in records.events { kinds.add(["\(tally.kind)", count(tally.count)]) }
    if !kinds.isEmpty { text += "\nEvents\n" + kinds.text() }
    var names = Table([
      .word("recorded event"), .number("used"), .number("ignored"), .number("not understood"),
      .word("ignored because"),
    ])
    for tally in records.names {
      names.add([
        tally.name, count(tally.used), count(tally.ignored), count(tally.notUnderstood),
        tally.ignored > 0 ? tally.reason.rawValue : "",
      ])
    }
    if !names.isEmpty { text += "\nRecords\n" + names.text() }
    var losses = Table([.number("CPU"), .number("unread"), .number("unwritten")])
    for loss in report.losses {
      losses.add(["\(loss.cpu)", count(loss.overrun), count(loss.dropped)])
    }
    if !losses.isEmpty {
      text += "\nLosses; a larger --buffer-size makes them fewer\n" + losses.text()
    }
    return text
  }

  private var lossDetail: String {
    guard report.lostEvents > 0 || report.unknownGaps > 0 else { return "" }
    var detail = ": \(count(report.lostInGaps)) in marked gaps"
    if report.unknownGaps > 0 { detail += ", \(count(report.unknownGaps)) gaps of unknown size" }
    if report.lostElsewhere > 0 { detail += ", \(count(report.lostElsewhere)) without a gap" }
    return detail
  }

  func json(_ summary: TraceSummary) throws -> String {
    struct Record: Encodable {
      var name: String
      var used: UInt64
      var ignored: UInt64
      var notUnderstood: UInt64
      var ignoredBecause: String
    }
    struct Loss: Encodable {
      var cpu: UInt16
      var overrun: UInt64
      var dropped: UInt64
    }
    struct Document: Encodable {
      var version = 1
      var output: String
      var events: UInt64
      var keyFrames: UInt64
      var bytes: UInt64
      var eventsByKind: [String: UInt64]
      var records: [Record]
      var damagedPages: UInt64
      var lateEvents: UInt64
      var lostEvents: UInt64
      var lostInGaps: UInt64
      var unknownGaps: UInt64
      var losses: [Loss]
    }
    let records = report.records
    let document = Document(
      output: output, events: summary.totals.events, keyFrames: summary.keyFrames,
      bytes: summary.sizeBytes,
      eventsByKind: Dictionary(
        uniqueKeysWithValues: records.events.map { ("\($0.kind)", $0.count) }),
      records: records.names.map {
        Record(
          name: $0.name, used: $0.used, ignored: $0.ignored, notUnderstood: $0.notUnderstood,
          ignoredBecause: $0.reason.rawValue)
      },
      damagedPages: records.damagedLines, lateEvents: records.backwardTimes,
      lostEvents: report.lostEvents, lostInGaps: report.lostInGaps,
      unknownGaps: report.unknownGaps,
      losses: report.losses.map { Loss(cpu: $0.cpu, overrun: $0.overrun, dropped: $0.dropped) })
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(document), as: UTF8.self)
  }
}
