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

  /// What is done with an event of one number. It holds no references: one is taken per record.
  private struct Plan {
    var row: Int
    var meaning: TracefsMeaning?
    var reason: IgnoredReason?
    /// The places of the fields that are read.
    var fields: InlineArray<4, FieldPlace> = .init(repeating: FieldPlace())
    var fieldCount = 0
    /// irq_handler_entry: its name, which the report shows.
    var name: FieldPlace?
  }

  /// Where a field lies in a record, and how it is read.
  private struct FieldPlace: BitwiseCopyable {
    var offset = 0
    var size = 0
    var isDataLocation = false
    var isRelative = false
    /// The text of a device, whose RequesterID is the value.
    var isDevice = false

    init() {}

    init(_ field: EventFormat.Field) {
      offset = field.offset
      size = field.size
      isDataLocation = field.isDataLocation
      isRelative = field.isRelative
      isDevice = field.name == TracefsMeaning.deviceField
    }
  }

  private(set) var interpreter: TracefsInterpreter
  private(set) var tally = RecordTally()
  private var plans: [Plan] = []
  /// The place in `plans` by the event's number; -1 before the first.
  private var planPlaces = [Int32](repeating: -1, count: 1 << 16)
  private var typePlace = FieldPlace(EventFormat.Field(name: "common_type", offset: 0, size: 2))
  private var processPlace: FieldPlace?
  private var workers: Set<Int32> = []
  private var formats = TracefsFormats()
  /// Processes whose command line is remembered.
  private static let workerLimit = 1 << 20

  init(origin: EventOrigin) { interpreter = TracefsInterpreter(origin: origin) }

  /// From here on, records have these layouts.
  mutating func use(_ formats: TracefsFormats) {
    self.formats = formats
    plans = []
    planPlaces = [Int32](repeating: -1, count: planPlaces.count)
    // The common fields are the same in all formats of a kernel.
    if let format = formats.events.values.first(where: { $0["common_type"] != nil }) {
      typePlace = format["common_type"].map { FieldPlace($0) } ?? typePlace
      processPlace = format["common_pid"].map { FieldPlace($0) }
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
    let record = offset..<offset + size
    guard let type = Self.number(typePlace, record, bytes), type < UInt64(planPlaces.count) else {
      return Decoded(
        row: tally.row("a record without a type"), content: .left(.notUnderstood))
    }
    let plan = plan(Int(type))
    guard let meaning = plan.meaning else {
      let disposition = plan.reason.map { TracefsInterpreter.Disposition.ignored($0) }
      return Decoded(row: plan.row, content: .left(disposition ?? .notUnderstood))
    }
    var result = TracefsRecord(meaning: meaning, time: time, cpu: cpu, pid: 0)
    if let processPlace, let process = Self.number(processPlace, record, bytes) {
      result.pid = Int32(truncatingIfNeeded: process)
    }
    for index in 0..<plan.fieldCount {
      guard let value = Self.value(plan.fields[index], record, bytes) else {
        return Decoded(row: plan.row, content: .left(.notUnderstood))
      }
      result.values[index] = value
    }
    if let place = plan.name, !tally.knows(interrupt: result.values[0]),
      let name = Self.text(place, record, bytes)
    {
      tally.name(interrupt: result.values[0], name)
    }
    return Decoded(row: plan.row, content: .record(result))
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
    if planPlaces[type] >= 0 { return plans[Int(planPlaces[type])] }
    let plan = makePlan(type)
    planPlaces[type] = Int32(plans.count)
    plans.append(plan)
    return plan
  }

  private mutating func makePlan(_ type: Int) -> Plan {
    guard let format = formats.events[type] else {
      return Plan(row: tally.row("event number \(type) without a format"))
    }
    var plan = Plan(row: tally.row(format.name))
    if let meaning = format.meaning {
      plan.meaning = meaning
      for name in meaning.fieldNames {
        guard let field = format[name] else { continue }
        plan.fields[plan.fieldCount] = FieldPlace(field)
        plan.fieldCount += 1
      }
      if meaning == .interruptEntry { plan.name = format["name"].map { FieldPlace($0) } }
    } else if !TracefsMeaning.names.contains(format.name) {
      // Known by name, but without the fields: not understood.
      plan.reason = TracefsMeaning.reason(ignoring: format.name) ?? .unrelated
    }
    return plan
  }

  // MARK: Fields

  @inline(__always)
  private static func number(
    _ place: FieldPlace, _ record: Range<Int>, _ bytes: OrderedBytes
  ) -> UInt64? {
    guard place.offset + place.size <= record.count else { return nil }
    return bytes.number(at: record.lowerBound + place.offset, size: place.size)
  }

  /// The number of a field, or the RequesterID that its text names.
  @inline(__always)
  private static func value(
    _ place: FieldPlace, _ record: Range<Int>, _ bytes: OrderedBytes
  ) -> UInt64? {
    guard place.isDevice else { return number(place, record, bytes) }
    return text(place, record, bytes).flatMap { RequesterID(text: $0)?.value }
  }

  private static func text(
    _ place: FieldPlace, _ record: Range<Int>, _ bytes: OrderedBytes
  ) -> String? {
    guard place.offset + place.size <= record.count else { return nil }
    guard place.isDataLocation else {
      return bytes.text(at: record.lowerBound + place.offset, size: place.size)
    }
    guard let location = bytes.number(at: record.lowerBound + place.offset, size: 4)
    else { return nil }
    let base = place.isRelative ? place.offset + place.size : 0
    let start = base + Int(location & 0xFFFF)
    let length = Int(location >> 16)
    guard start + length <= record.count else { return nil }
    return bytes.text(at: record.lowerBound + start, size: length)
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
