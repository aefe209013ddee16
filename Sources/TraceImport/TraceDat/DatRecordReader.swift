import EventModel

/// From the bytes of one record to the interpreter, by the layouts that the file declares.
struct DatRecordReader: ~Copyable {
  /// What is done with an event of one number.
  private struct Plan {
    var row: Int
    var meaning: TracefsMeaning?
    var reason: IgnoredReason?
    var fields: [EventFormat.Field] = []
    /// irq_handler_entry: its name, which the report shows.
    var nameField: EventFormat.Field?
  }

  var interpreter: TracefsInterpreter
  private var tally = TracefsTally()
  private var plans: [Int: Plan] = [:]
  private let typeField: EventFormat.Field
  private let processField: EventFormat.Field?
  private let workers: Set<Int32>
  private let layout: DatLayout

  init(_ layout: DatLayout, origin: EventOrigin) {
    self.layout = layout
    interpreter = TracefsInterpreter(origin: origin)
    // The common fields are the same in all formats of a kernel.
    let any = layout.formats.values.first { $0["common_type"] != nil }
    typeField =
      any?["common_type"] ?? EventFormat.Field(name: "common_type", offset: 0, size: 2)
    processField = any?["common_pid"]
    workers = Set(layout.commands.filter { $0.value.hasPrefix("kworker") }.keys)
  }

  /// Takes the event that the stream stands at.
  mutating func read(_ stream: borrowing DatStream) {
    guard let page = stream.page, let entry = stream.head else { return }
    let time = nanoseconds(entry.time)
    if let lost = stream.lostBeforeHead { interpreter.lose(lost, time: time, cpu: stream.cpu) }
    tally.recordCount += 1
    let bytes = page.bytes
    guard typeField.offset + typeField.size <= entry.size,
      let type = bytes.number(at: entry.offset + typeField.offset, size: typeField.size)
    else { return tally.count(.notUnderstood, tally.row("a record without a type")) }
    let plan = plan(Int(type))
    guard let meaning = plan.meaning else {
      return tally.count(plan.reason.map { .ignored($0) } ?? .notUnderstood, plan.row)
    }
    var record = TracefsRecord(meaning: meaning, time: time, cpu: stream.cpu, pid: 0)
    if let processField,
      let process = bytes.number(at: entry.offset + processField.offset, size: processField.size)
    {
      record.pid = Int32(truncatingIfNeeded: process)
    }
    for (index, field) in plan.fields.enumerated() {
      guard let value = value(of: field, entry, bytes) else {
        return tally.count(.notUnderstood, plan.row)
      }
      record.values[index] = value
    }
    if let field = plan.nameField, !tally.knows(interrupt: record.values[0]),
      let name = text(of: field, entry, bytes)
    {
      tally.name(interrupt: record.values[0], name)
    }
    let disposition = interpreter.read(
      record, isKernelWorker: workers.contains(record.pid))
    tally.count(disposition, plan.row)
  }

  private mutating func plan(_ type: Int) -> Plan {
    if let plan = plans[type] { return plan }
    let plan = makePlan(type)
    plans[type] = plan
    return plan
  }

  private mutating func makePlan(_ type: Int) -> Plan {
    guard let format = layout.formats[type] else {
      return Plan(row: tally.row("event number \(type) without a format"))
    }
    var plan = Plan(row: tally.row(format.name))
    let names = format.fields.map(\.name).filter { !$0.hasPrefix("common_") }
    if let meaning = TracefsMeaning(name: format.name, fields: Set(names)) {
      plan.meaning = meaning
      plan.fields = meaning.fieldNames.compactMap { format[$0] }
      if meaning == .interruptEntry { plan.nameField = format["name"] }
    } else if TracefsMeaning.names.contains(format.name) {
      // Known by name, but without the fields: not understood.
      plan.reason = nil
    } else {
      plan.reason = TracefsMeaning.reason(ignoring: format.name) ?? .unrelated
    }
    return plan
  }

  private func value(
    of field: EventFormat.Field, _ entry: RingPage.Entry, _ bytes: DatBytes
  ) -> UInt64? {
    if field.name == TracefsMeaning.deviceField {
      return text(of: field, entry, bytes).flatMap { RequesterID(text: $0)?.value }
    }
    guard field.offset + field.size <= entry.size else { return nil }
    return bytes.number(at: entry.offset + field.offset, size: field.size)
  }

  private func text(
    of field: EventFormat.Field, _ entry: RingPage.Entry, _ bytes: DatBytes
  ) -> String? {
    guard field.offset + field.size <= entry.size else { return nil }
    guard field.isDataLocation else {
      return bytes.text(at: entry.offset + field.offset, size: field.size)
    }
    guard let location = bytes.number(at: entry.offset + field.offset, size: 4) else { return nil }
    let base = field.isRelative ? field.offset + field.size : 0
    let start = base + Int(location & 0xFFFF)
    let size = Int(location >> 16)
    guard start + size <= entry.size else { return nil }
    return bytes.text(at: entry.offset + start, size: size)
  }

  /// Option TSC2NSEC, then option OFFSET (trace-cmd, timestamp_calc in trace-input.c).
  private func nanoseconds(_ time: UInt64) -> UInt64 {
    var time = time
    if layout.tickMultiplier != 0, layout.tickShift < 64 {
      let (high, low) = time.multipliedFullWidth(by: UInt64(layout.tickMultiplier))
      let shift = UInt64(layout.tickShift)
      time = shift == 0 ? low : low >> shift | high << (64 - shift)
    }
    return time &+ layout.timeOffset
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
