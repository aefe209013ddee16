import EventModel
import TraceFormat

/// From rows to events, and what became of each row.
struct TableReader: ~Copyable {
  private let form: TableImporter.Form
  private var queue = EventQueue(capacity: 8192)
  private var tally = RecordTally()
  private var columns: [String]?
  private var damage: [LineDamage: (count: UInt64, firstLine: UInt64)] = [:]
  private var headLines: UInt64 = 0
  private var firstTime: UInt64?
  private var latestTime: UInt64 = 0
  private var backwardTimes: UInt64 = 0
  private var highestPE: UInt16 = 0
  private var origins: Set<UInt8> = []
  /// Fields by the raw value of their kind.
  private static let fields: [[String: EventField]] = (0...UInt8.max).map { value in
    let list = EventField.fields(of: EventKind(rawValue: value))
    return Dictionary(list.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
  }

  init(_ form: TableImporter.Form) { self.form = form }

  mutating func count(_ kind: LineDamage) {
    tally.recordCount += 1
    let old = damage[kind] ?? (0, tally.recordCount)
    damage[kind] = (old.count + 1, old.firstLine)
  }

  mutating func read(_ line: LineText, of name: String) throws(ImportError) {
    if line.count == 0 { return count(.empty) }
    let text = line.string
    if form == .csv, columns == nil { return try readHeading(text, name) }
    guard let row = row(text) else { return count(.torn) }
    tally.recordCount += 1
    let label = row.first { $0.name == "kind" }?.value
    guard let label, let kind = EventKind(label: label) else {
      return tally.count(.notUnderstood, tally.row("an unknown kind"))
    }
    guard let event = event(kind, row) else {
      return tally.count(.notUnderstood, tally.row(label))
    }
    queue.append(event)
    tally.count(.used, tally.row(label))
  }

  private static let knownColumns = Set(
    EventText.leadingColumns + EventText.trailingColumns
      + EventKind.all.flatMap { EventField.fields(of: $0).map(\.name) })

  private mutating func readHeading(_ text: String, _ name: String) throws(ImportError) {
    guard let names = DelimitedText.fields(text), names.contains("time"), names.contains("kind")
    else {
      throw .malformed(
        name: name, byte: 0, subject: "first line", expected: "column names with 'time' and 'kind'",
        found: "'\(text.prefix(60))'")
    }
    // A column that no event has would be dropped silently.
    if let unknown = names.first(where: { !Self.knownColumns.contains($0) }) {
      throw .malformed(
        name: name, byte: 0, subject: "column '\(unknown)'",
        expected: "a name that 'doorbell cat --format csv' writes", found: "another name")
    }
    columns = names
    tally.recordCount += 1
    headLines = 1
  }

  private func row(_ text: String) -> [(name: String, value: String)]? {
    switch form {
    case .jsonLines: return FlatJSON.members(text)
    case .csv:
      guard let columns, let values = DelimitedText.fields(text), values.count == columns.count
      else { return nil }
      return zip(columns, values).filter { !$0.1.isEmpty }.map { (name: $0.0, value: $0.1) }
    }
  }

  private mutating func event(
    _ kind: EventKind, _ row: [(name: String, value: String)]
  ) -> TraceEvent? {
    var event = TraceEvent(time: 0, kind: kind)
    var time: UInt64?
    for (name, value) in row {
      switch name {
      case "ordinal", "kind": continue
      case "time":
        guard let number = Self.number(value) else { return nil }
        time = number
      case "origin":
        guard let origin = EventOrigin(label: value) else { return nil }
        event.origin = origin
      case "target":
        guard let target = InterruptTarget(label: value) else { return nil }
        event.target = target
      case "vector":
        guard
          let vector = value == "unknown"
            ? TraceEvent.unknownVector : Self.number(value).flatMap({ UInt16(exactly: $0) })
        else { return nil }
        event.vector = vector
      case "flags":
        guard let flags = EventFlags(label: value) else { return nil }
        event.flags = flags
      case "outcome":
        guard let outcome = OutcomeClass(label: value) else { return nil }
        event.outcome = outcome
      default:
        guard let field = Self.fields[Int(kind.rawValue)][name], let number = Self.number(value),
          field.holds(number)
        else { return nil }
        field.set(number, in: &event)
      }
    }
    guard let time else { return nil }
    event.time = monotonic(time)
    if !event.target.isVPE { highestPE = max(highestPE, event.target.number) }
    origins.insert(event.origin.rawValue)
    return event
  }

  private mutating func monotonic(_ time: UInt64) -> UInt64 {
    if firstTime == nil { firstTime = time }
    if time < latestTime { backwardTimes += 1 }
    latestTime = max(latestTime, time)
    return latestTime
  }

  private static func number(_ text: String) -> UInt64? {
    text.hasPrefix("0x") ? UInt64(text.dropFirst(2), radix: 16) : UInt64(text)
  }

  mutating func drain(_ sink: (Span<TraceEvent>) throws -> Void) rethrows {
    let end = queue.firstOrdinal + UInt64(queue.count)
    try queue.drain(before: end) { events in
      tally.count(events)
      try sink(events)
    }
  }

  func report() -> ImportReport {
    var report = tally.report()
    report.durationNanoseconds = latestTime - (firstTime ?? latestTime)
    report.backwardTimes = backwardTimes
    report.geometry.peCount = highestPE + 1
    if origins.count == 1, let only = origins.first { report.origin = EventOrigin(rawValue: only) }
    report.clockDomain =
      switch report.origin {
      case .emulator: .emulator
      case .guest: .guest
      case .host: .host
      default: .synthetic
      }
    report.clockResolutionNanoseconds = 1
    if headLines > 0 { report.messages = [.init(firstWord: "heading", count: 1, firstLine: 1)] }
    report.damage = LineDamage.allCases.compactMap { kind in
      damage[kind].map { .init(damage: kind, count: $0.count, firstLine: $0.firstLine) }
    }
    report.notes = ["table sizes and doorbell address are defaults: rows do not hold them"]
    return report
  }
}
