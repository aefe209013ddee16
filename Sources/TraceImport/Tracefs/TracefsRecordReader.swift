import EventModel

/// From the bytes of one record to the interpreter, by the layouts that the recording declares.
///
/// `decode` looks at the bytes and nothing else, `take` interprets what it gave. A container whose
/// records come in the order of their times calls one after the other (`read`); another one sorts
/// between.
struct TracefsRecordReader: ~Copyable {
  /// What the bytes of one record say.
  struct Decoded {
    /// The name's row of the tally.
    var row: Int
    var content: Content
  }

  enum Content {
    case record(TracefsRecord)
    case left(TracefsInterpreter.Disposition)
  }

  /// What is done with an event of one number.
  private struct Plan {
    var row: Int
    var meaning: TracefsMeaning?
    var reason: IgnoredReason?
    var fields: [EventFormat.Field] = []
    /// irq_handler_entry: its name, which the report shows.
    var nameField: EventFormat.Field?
  }

  private(set) var interpreter: TracefsInterpreter
  private(set) var tally = RecordTally()
  private var plans: [Int: Plan] = [:]
  private var typeField = EventFormat.Field(name: "common_type", offset: 0, size: 2)
  private var processField: EventFormat.Field?
  private var workers: Set<Int32> = []
  private var formats = TracefsFormats()
  /// Processes whose command line is remembered.
  private static let workerLimit = 1 << 20

  init(origin: EventOrigin) { interpreter = TracefsInterpreter(origin: origin) }

  /// From here on, records have these layouts.
  mutating func use(_ formats: TracefsFormats) {
    self.formats = formats
    plans = [:]
    // The common fields are the same in all formats of a kernel.
    if let format = formats.events.values.first(where: { $0["common_type"] != nil }) {
      typeField = format["common_type"] ?? typeField
      processField = format["common_pid"]
    }
    workers = Set(formats.commands.filter { $0.value.hasPrefix("kworker") }.keys)
  }

  /// Takes the record of `size` bytes at `offset`.
  mutating func read(
    _ bytes: OrderedBytes, at offset: Int, size: Int, time: UInt64, cpu: UInt16
  ) {
    take(decode(bytes, at: offset, size: size, time: time, cpu: cpu))
  }

  mutating func decode(
    _ bytes: OrderedBytes, at offset: Int, size: Int, time: UInt64, cpu: UInt16
  ) -> Decoded {
    let entry = Entry(bytes: bytes, offset: offset, size: size)
    guard let type = entry.number(typeField) else {
      return Decoded(
        row: tally.row("a record without a type"), content: .left(.notUnderstood))
    }
    let plan = plan(Int(truncatingIfNeeded: type))
    guard let meaning = plan.meaning else {
      let disposition = plan.reason.map { TracefsInterpreter.Disposition.ignored($0) }
      return Decoded(row: plan.row, content: .left(disposition ?? .notUnderstood))
    }
    var record = TracefsRecord(meaning: meaning, time: time, cpu: cpu, pid: 0)
    if let processField, let process = entry.number(processField) {
      record.pid = Int32(truncatingIfNeeded: process)
    }
    for (index, field) in plan.fields.enumerated() {
      guard let value = entry.value(field) else {
        return Decoded(row: plan.row, content: .left(.notUnderstood))
      }
      record.values[index] = value
    }
    if let field = plan.nameField, !tally.knows(interrupt: record.values[0]),
      let name = entry.text(field)
    {
      tally.name(interrupt: record.values[0], name)
    }
    return Decoded(row: plan.row, content: .record(record))
  }

  mutating func take(_ decoded: Decoded) {
    tally.recordCount += 1
    switch decoded.content {
    case .left(let disposition): tally.count(disposition, decoded.row)
    case .record(let record):
      let disposition = interpreter.read(record, isKernelWorker: workers.contains(record.pid))
      tally.count(disposition, decoded.row)
    }
  }

  /// Counts a record of the container itself.
  mutating func count(_ disposition: TracefsInterpreter.Disposition, _ name: String) {
    take(Decoded(row: tally.row(name), content: .left(disposition)))
  }

  /// Events that the recorder lost. - Parameter count: 0 if it is not known.
  mutating func lose(_ count: UInt64, time: UInt64, cpu: UInt16) {
    interpreter.lose(count, time: time, cpu: cpu)
  }

  /// A process got another command line.
  mutating func rename(_ process: Int32, _ command: String) {
    if !command.hasPrefix("kworker") {
      workers.remove(process)
    } else if workers.count < Self.workerLimit {
      workers.insert(process)
    }
  }

  private mutating func plan(_ type: Int) -> Plan {
    if let plan = plans[type] { return plan }
    let plan = makePlan(type)
    plans[type] = plan
    return plan
  }

  private mutating func makePlan(_ type: Int) -> Plan {
    guard let format = formats.events[type] else {
      return Plan(row: tally.row("event number \(type) without a format"))
    }
    var plan = Plan(row: tally.row(format.name))
    if let meaning = format.meaning {
      plan.meaning = meaning
      plan.fields = meaning.fieldNames.compactMap { format[$0] }
      if meaning == .interruptEntry { plan.nameField = format["name"] }
    } else if !TracefsMeaning.names.contains(format.name) {
      // Known by name, but without the fields: not understood.
      plan.reason = TracefsMeaning.reason(ignoring: format.name) ?? .unrelated
    }
    return plan
  }

  mutating func drain(_ sink: (Span<TraceEvent>) throws -> Void) rethrows {
    let end = interpreter.queue.firstOrdinal + UInt64(interpreter.queue.count)
    try interpreter.queue.drain(before: end) { events in
      tally.count(events)
      try sink(events)
    }
  }

  func report() -> ImportReport { tally.report(interpreter) }
}

/// The bytes of one record, by field.
private struct Entry {
  var bytes: OrderedBytes
  var offset: Int
  var size: Int

  func number(_ field: EventFormat.Field) -> UInt64? {
    guard field.offset + field.size <= size else { return nil }
    return bytes.number(at: offset + field.offset, size: field.size)
  }

  /// The number of a field, or the RequesterID that its text names.
  func value(_ field: EventFormat.Field) -> UInt64? {
    guard field.name == TracefsMeaning.deviceField else { return number(field) }
    return text(field).flatMap { RequesterID(text: $0)?.value }
  }

  func text(_ field: EventFormat.Field) -> String? {
    guard field.offset + field.size <= size else { return nil }
    guard field.isDataLocation else {
      return bytes.text(at: offset + field.offset, size: field.size)
    }
    guard let location = bytes.number(at: offset + field.offset, size: 4) else { return nil }
    let base = field.isRelative ? field.offset + field.size : 0
    let start = base + Int(location & 0xFFFF)
    let length = Int(location >> 16)
    guard start + length <= size else { return nil }
    return bytes.text(at: offset + start, size: length)
  }
}
