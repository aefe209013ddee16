import Foundation
import Reports
import TraceFormat
import TraceImport

/// What `import` says when it is done: every line or record of the capture, by what became of it.
struct ImportText {
  var report: ImportReport
  var summary: TraceSummary
  var output: String

  private func count(_ value: UInt64) -> String { Format.count(value) }

  func table() -> String {
    let perEvent =
      report.eventCount == 0 ? 0 : Double(summary.sizeBytes) / Double(report.eventCount)
    var text = """
      wrote  \(output): \(count(summary.totals.events)) events, \(count(summary.sizeBytes)) bytes, \
      \(Format.number(perEvent)) bytes/event\(summary.keyFrameText)
      lines  \(count(report.lineCount)): \(count(report.usedLines)) used, \
      \(count(report.ignoredLines)) ignored, \(count(report.notUnderstoodLines)) not understood, \
      \(count(report.messageLines)) messages, \(count(report.damagedLines)) damaged

      """
    var events = Table([.word("event"), .number("count")])
    for tally in report.events { events.add(["\(tally.kind)", count(tally.count)]) }
    if !events.isEmpty { text += "\nEvents\n" + events.text() }
    var lines = Table([
      .word("recorded event"), .number("used"), .number("ignored"), .number("not understood"),
      .number("first line"), .word("ignored because"),
    ])
    for tally in report.names {
      lines.add([
        tally.name, count(tally.used), count(tally.ignored), count(tally.notUnderstood),
        count(tally.notUnderstood > 0 ? tally.firstNotUnderstoodLine : tally.firstLine),
        tally.ignored > 0 ? shortened(tally.reason.rawValue) : "",
      ])
    }
    if !lines.isEmpty { text += "\nLines\n" + lines.text() }
    var others = Table([.word("other lines"), .number("count"), .number("first line")])
    for tally in report.messages {
      others.add(["message '\(tally.firstWord)'", count(tally.count), count(tally.firstLine)])
    }
    for tally in report.damage {
      others.add(["damaged: \(tally.damage)", count(tally.count), count(tally.firstLine)])
    }
    if !others.isEmpty { text += "\nOther lines\n" + others.text() }
    if !report.notes.isEmpty {
      text += "\nNotes\n" + report.notes.map { "  \($0)\n" }.joined()
    }
    return text
  }

  /// The reason's first clause: the table is for a 100-column terminal.
  private func shortened(_ reason: String) -> String {
    String(reason.split(separator: ";").first ?? "").prefix(32).description
  }

  func json() throws -> String {
    struct Line: Encodable {
      var name: String
      var used: UInt64
      var ignored: UInt64
      var notUnderstood: UInt64
      var firstLine: UInt64
      var ignoredBecause: String
    }
    struct Other: Encodable {
      var what: String
      var count: UInt64
      var firstLine: UInt64
    }
    struct Document: Encodable {
      var version = 1
      var output: String
      var events: UInt64
      var keyFrames: UInt64
      var bytes: UInt64
      var eventsByKind: [String: UInt64]
      var bytesByColumn: [String: UInt64]
      var lines: [Line]
      var otherLines: [Other]
      var notes: [String]
    }
    let document = Document(
      output: output, events: summary.totals.events, keyFrames: summary.keyFrames,
      bytes: summary.sizeBytes,
      eventsByKind: Dictionary(
        uniqueKeysWithValues: report.events.map { ("\($0.kind)", $0.count) }),
      bytesByColumn: summary.columnSizes,
      lines: report.names.map {
        Line(
          name: $0.name, used: $0.used, ignored: $0.ignored, notUnderstood: $0.notUnderstood,
          firstLine: $0.notUnderstood > 0 ? $0.firstNotUnderstoodLine : $0.firstLine,
          ignoredBecause: $0.reason.rawValue)
      },
      otherLines: report.messages.map {
        Other(what: "message \($0.firstWord)", count: $0.count, firstLine: $0.firstLine)
      }
        + report.damage.map {
          Other(what: "damaged \($0.damage)", count: $0.count, firstLine: $0.firstLine)
        },
      notes: report.notes)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    return String(decoding: try encoder.encode(document), as: UTF8.self)
  }
}
