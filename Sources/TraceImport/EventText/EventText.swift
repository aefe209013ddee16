package import EventModel

/// Events as lines of text, in three forms: for people, as JSON lines, as CSV.
///
/// All three hold the whole event: what is absent is 0 (or "not recorded", or PE 0). `time` is in
/// nanoseconds. Cost: about a microsecond per event, no allocation but the line's growth.
package struct EventText: Sendable {
  package enum Form: Sendable, Hashable {
    case text, jsonLines, csv
  }

  package let form: Form
  /// Fields by the raw value of their kind.
  private let fields: [[EventField]]
  /// CSV: the payload columns, and for each kind which of its fields stands in each column.
  package let columns: [String]
  private let columnFields: [[Int?]]

  /// - Parameter kinds: the kinds that may occur; CSV has columns for these only.
  package init(_ form: Form, kinds: [EventKind] = EventKind.all) {
    self.form = form
    var fields = [[EventField]](repeating: [], count: 256)
    var columns: [String] = []
    for kind in kinds {
      let list = EventField.fields(of: kind)
      fields[Int(kind.rawValue)] = list
      for field in list where !columns.contains(field.name) { columns.append(field.name) }
    }
    self.fields = fields
    self.columns = columns
    columnFields = fields.map { list in
      columns.map { name in list.firstIndex { $0.name == name } }
    }
  }

  /// The columns of CSV that every kind has, before and behind those of the payload.
  package static let leadingColumns = ["ordinal", "time", "kind", "origin"]
  package static let trailingColumns = ["target", "vector", "flags", "outcome"]

  /// The head line, if the form has one.
  package func appendHeading(to line: inout [UInt8]) {
    guard form == .csv else { return }
    let names = Self.leadingColumns + columns + Self.trailingColumns
    line += Array(names.joined(separator: ",").utf8)
    line.append(UInt8(ascii: "\n"))
  }

  /// Appends one event and its line end.
  package func append(_ event: TraceEvent, ordinal: UInt64, to line: inout [UInt8]) {
    switch form {
    case .text: appendText(event, ordinal, &line)
    case .jsonLines: appendJSON(event, ordinal, &line)
    case .csv: appendCSV(event, ordinal, &line)
    }
    line.append(UInt8(ascii: "\n"))
  }

  private func isShown(_ field: EventField, _ value: UInt64) -> Bool {
    value != 0 || field.isEssential
  }

  private func appendText(_ event: TraceEvent, _ ordinal: UInt64, _ line: inout [UInt8]) {
    line.append(decimal: ordinal, width: 8)
    line.append(decimal: event.time / 1_000_000_000, width: 7)
    line.append(UInt8(ascii: "."))
    line.append(digits: event.time % 1_000_000_000, count: 9)
    line.append(UInt8(ascii: " "))
    line += "\(event.kind)".utf8
    for field in fields[Int(event.kind.rawValue)] {
      let value = field.value(in: event)
      guard isShown(field, value) else { continue }
      line.append(UInt8(ascii: " "))
      line += field.name.utf8
      line.append(UInt8(ascii: "="))
      append(value, field.form, &line)
    }
    for (name, value) in commonFields(event) {
      line.append(UInt8(ascii: " "))
      line += name.utf8
      line.append(UInt8(ascii: "="))
      let isPlain = value.utf8.allSatisfy { $0 != UInt8(ascii: " ") }
      line += (isPlain ? value : "'\(value)'").utf8
    }
  }

  private func appendJSON(_ event: TraceEvent, _ ordinal: UInt64, _ line: inout [UInt8]) {
    line += "{\"ordinal\":".utf8
    line.append(decimal: ordinal)
    line += ",\"time\":".utf8
    line.append(decimal: event.time)
    line += ",\"kind\":\"\(event.kind)\"".utf8
    for field in fields[Int(event.kind.rawValue)] {
      let value = field.value(in: event)
      guard isShown(field, value) else { continue }
      line += ",\"".utf8
      line += field.name.utf8
      line += "\":".utf8
      // JSON has no hexadecimal numbers, and many readers lose bits above 2⁵³.
      let isString = field.form == .hexadecimal
      if isString { line.append(UInt8(ascii: "\"")) }
      append(value, field.form, &line)
      if isString { line.append(UInt8(ascii: "\"")) }
    }
    for (name, value) in commonFields(event) { line += ",\"\(name)\":\"\(value)\"".utf8 }
    line.append(UInt8(ascii: "}"))
  }

  private func appendCSV(_ event: TraceEvent, _ ordinal: UInt64, _ line: inout [UInt8]) {
    line.append(decimal: ordinal)
    line.append(UInt8(ascii: ","))
    line.append(decimal: event.time)
    line += ",\(event.kind),\(event.origin.label)".utf8
    let kind = Int(event.kind.rawValue)
    for index in columnFields[kind] {
      line.append(UInt8(ascii: ","))
      guard let index else { continue }
      let field = fields[kind][index]
      let value = field.value(in: event)
      if isShown(field, value) { append(value, field.form, &line) }
    }
    let common = commonFields(event)
    for name in Self.trailingColumns {
      line.append(UInt8(ascii: ","))
      // No value holds a comma, a quote or a line end.
      if let value = common.first(where: { $0.name == name })?.value { line += value.utf8 }
    }
  }

  private func append(_ value: UInt64, _ form: EventField.Form, _ line: inout [UInt8]) {
    switch form {
    case .decimal: line.append(decimal: value)
    case .hexadecimal: line.append(hexadecimal: value)
    }
  }

  /// What every kind has, where it says something.
  private func commonFields(_ event: TraceEvent) -> [(name: String, value: String)] {
    var list: [(String, String)] = []
    if event.target.rawValue != 0 { list.append(("target", event.target.label)) }
    if event.vector != 0 {
      list.append(
        ("vector", event.vector == TraceEvent.unknownVector ? "unknown" : "\(event.vector)"))
    }
    if !event.flags.isEmpty { list.append(("flags", event.flags.label)) }
    if event.outcome != .notRecorded { list.append(("outcome", "\(event.outcome)")) }
    if form != .csv { list.append(("origin", "\(event.origin.label)")) }
    return list
  }
}

extension [UInt8] {
  fileprivate mutating func append(decimal value: UInt64, width: Int = 0) {
    let text = String(value)
    for _ in 0..<Swift.max(0, width - text.utf8.count) { append(UInt8(ascii: " ")) }
    self += text.utf8
  }

  fileprivate mutating func append(digits value: UInt64, count: Int) {
    let text = String(value)
    for _ in 0..<Swift.max(0, count - text.utf8.count) { append(UInt8(ascii: "0")) }
    self += text.utf8
  }

  fileprivate mutating func append(hexadecimal value: UInt64) {
    self += "0x".utf8
    self += String(value, radix: 16).utf8
  }
}
