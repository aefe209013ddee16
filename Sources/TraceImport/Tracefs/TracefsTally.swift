import EventModel
import TraceFormat

/// Counts what became of the events of a tracefs recording, by name, and fills the report.
struct TracefsTally {
  private(set) var names: [ImportReport.NameTally] = []
  private var rows: [String: Int] = [:]
  /// Names of Linux interrupts by number, for the report.
  private(set) var interrupts: [UInt64: String] = [:]
  var recordCount: UInt64 = 0
  private var kinds = [UInt64](repeating: 0, count: 256)
  private(set) var eventCount: UInt64 = 0

  /// Names and interrupts beyond this are counted together: a forged file must not take memory
  /// without limit.
  private static let rowLimit = 4096

  /// The row of an event name.
  mutating func row(_ name: String) -> Int {
    if let row = rows[name] { return row }
    let isFull = names.count >= Self.rowLimit
    let shown = isFull ? "other names" : name
    if isFull, let row = rows[shown] { return row }
    rows[shown] = names.count
    names.append(
      .init(
        name: shown, used: 0, ignored: 0, notUnderstood: 0, firstLine: 0,
        firstNotUnderstoodLine: 0, reason: .none))
    return names.count - 1
  }

  /// Counts the record that `recordCount` counted last.
  mutating func count(_ disposition: TracefsInterpreter.Disposition, _ row: Int) {
    if names[row].firstLine == 0 { names[row].firstLine = recordCount }
    switch disposition {
    case .used: names[row].used += 1
    case .ignored(let reason):
      names[row].ignored += 1
      names[row].reason = reason
    case .notUnderstood:
      if names[row].notUnderstood == 0 { names[row].firstNotUnderstoodLine = recordCount }
      names[row].notUnderstood += 1
    }
  }

  func knows(interrupt: UInt64) -> Bool {
    interrupts[interrupt] != nil || interrupts.count >= Self.rowLimit
  }

  mutating func name(interrupt: UInt64, _ name: String) { interrupts[interrupt] = name }

  mutating func count(_ events: Span<TraceEvent>) {
    for index in events.indices { kinds[Int(events[index].kind.rawValue)] += 1 }
    eventCount += UInt64(events.count)
  }

  /// The report of a whole recording.
  func report(_ interpreter: borrowing TracefsInterpreter) -> ImportReport {
    var report = ImportReport()
    report.lineCount = recordCount
    report.eventCount = eventCount
    report.events = EventKind.all.compactMap { kind in
      let count = kinds[Int(kind.rawValue)]
      return count == 0 ? nil : .init(kind: kind, count: count)
    }
    report.names = names.filter { $0.firstLine > 0 }.sorted { $0.firstLine < $1.firstLine }
    report.durationNanoseconds = interpreter.durationNanoseconds
    report.backwardTimes = interpreter.backwardTimes
    report.geometry.peCount = interpreter.highestCPU &+ 1
    report.origin = interpreter.origin
    report.clockDomain = interpreter.origin == .guest ? .guest : .host
    report.inferredMappings = kinds[Int(EventKind.map.rawValue)]
    report.notes = interrupts.sorted { $0.key < $1.key }.map {
      "Linux interrupt \($0.key) is \($0.value)"
    }
    return report
  }
}
