import EventModel

/// From lines of text to the interpreter.
struct FtraceTextReader: ~Copyable {
  private(set) var hasTraceLine = false
  /// perf puts a call chain behind an event, a blank line behind that, if it was told to.
  private var isOfPerf = false
  private var interpreter: TracefsInterpreter
  private var tally = RecordTally()
  private var comments: (count: UInt64, firstLine: UInt64) = (0, 0)
  private var damage: [LineDamage: (count: UInt64, firstLine: UInt64)] = [:]

  init(origin: EventOrigin) { interpreter = TracefsInterpreter(origin: origin) }

  var lineCount: UInt64 { tally.recordCount }

  mutating func count(_ kind: LineDamage) {
    tally.recordCount += 1
    let old = damage[kind] ?? (0, tally.recordCount)
    damage[kind] = (old.count + 1, old.firstLine)
  }

  mutating func read(_ text: LineText) {
    if text.count == 0 { return isOfPerf ? comment() : count(.empty) }
    let string = text.string
    if isOfPerf, string.utf8.first == UInt8(ascii: "\t") { return comment() }
    if string.utf8.starts(with: "CPU:".utf8), let lost = Self.lostEvents(string) {
      tally.recordCount += 1
      interpreter.lose(lost.count, time: interpreter.latestTime, cpu: lost.cpu)
      return tally.count(.used, tally.row("LOST EVENTS"))
    }
    if string.utf8.first == UInt8(ascii: "#") || string.utf8.starts(with: "cpus=".utf8) {
      return comment()
    }
    guard let line = FtraceLine(string[...].utf8) else { return count(.torn) }
    hasTraceLine = true
    isOfPerf = line.isOfPerf
    tally.recordCount += 1
    let name = String(Substring(line.event))
    let row = tally.row(name)
    tally.count(disposition(line, name), row)
  }

  private mutating func comment() {
    tally.recordCount += 1
    if comments.count == 0 { comments.firstLine = tally.recordCount }
    comments.count += 1
  }

  /// "CPU:2 [LOST 17 EVENTS]", or without a number.
  private static func lostEvents(_ line: String) -> (cpu: UInt16, count: UInt64)? {
    let words = line.split(whereSeparator: { " []:".contains($0) })
    guard words.count >= 4, words[0] == "CPU", let cpu = UInt16(words[1]), words[2] == "LOST"
    else { return nil }
    return (cpu, UInt64(words[3]) ?? 0)
  }

  private mutating func disposition(
    _ line: FtraceLine, _ name: String
  ) -> TracefsInterpreter.Disposition {
    if line.isOfPerf, name.hasPrefix(FtraceLine.perfRecordPrefix) {
      return readPerfRecord(line, name)
    }
    guard let meaning = Self.meaning(line, name) else {
      if TracefsMeaning.names.contains(name) { return .notUnderstood }
      return .ignored(TracefsMeaning.reason(ignoring: name) ?? .unrelated)
    }
    var record = TracefsRecord(
      meaning: meaning, time: line.nanoseconds, cpu: line.cpu, pid: line.pid)
    for (index, field) in meaning.fieldNames.enumerated() {
      guard let value = Self.value(field, line) else { return .notUnderstood }
      record.values[index] = value
    }
    if meaning == .interruptEntry, !tally.knows(interrupt: record.values[0]),
      let label = line.value("name")
    {
      tally.name(interrupt: record.values[0], String(Substring(label)))
    }
    return interpreter.read(record, isKernelWorker: line.task.starts(with: "kworker".utf8))
  }

  /// "PERF_RECORD_LOST lost 17" ('perf script --show-lost-events'); others are of no use.
  private mutating func readPerfRecord(
    _ line: FtraceLine, _ name: String
  ) -> TracefsInterpreter.Disposition {
    guard name.hasSuffix("_LOST") || name.hasSuffix("_LOST_SAMPLES") else {
      return .ignored(.recorderInternal)
    }
    let words = Substring(line.text).split(separator: " ")
    guard words.count >= 2, let count = UInt64(words[1]) else { return .notUnderstood }
    interpreter.lose(count, time: line.nanoseconds, cpu: line.cpu)
    return .used
  }

  private static func meaning(_ line: FtraceLine, _ name: String) -> TracefsMeaning? {
    // A probe prints its place in brackets first; of the rest only the known names are looked at.
    guard line.text.first == UInt8(ascii: "(") || TracefsMeaning.names.contains(name) else {
      return nil
    }
    var fields: Set<String> = []
    for field in TracefsMeaning.allFields where line.value(field) != nil { fields.insert(field) }
    return TracefsMeaning(name: name, fields: fields)
  }

  /// iommu:map prints "iova=0x… - 0x… paddr=0x… size=…"; numbers stand behind their names.
  private static func value(
    _ field: String, _ line: FtraceLine
  ) -> UInt64? {
    if field == TracefsMeaning.deviceField {
      return line.value(field).flatMap { RequesterID(text: Substring($0))?.value }
    }
    return line.number(field)
  }

  mutating func drain(_ sink: (Span<TraceEvent>) throws -> Void) rethrows {
    let end = interpreter.queue.firstOrdinal + UInt64(interpreter.queue.count)
    try interpreter.queue.drain(before: end) { events in
      tally.count(events)
      try sink(events)
    }
  }

  func report() -> ImportReport {
    var report = tally.report(interpreter)
    if comments.count > 0 {
      report.messages = [
        .init(firstWord: "#", count: comments.count, firstLine: comments.firstLine)
      ]
    }
    report.damage = LineDamage.allCases.compactMap { kind in
      damage[kind].map { .init(damage: kind, count: $0.count, firstLine: $0.firstLine) }
    }
    return report
  }
}
