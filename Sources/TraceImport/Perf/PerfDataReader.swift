import EventModel

/// From the records of a perf.data to the interpreter.
struct PerfDataReader: ~Copyable {
  private(set) var reader: TracefsRecordReader
  private(set) var layout: PerfLayout
  private var order = PerfOrder()

  init(_ layout: PerfLayout, origin: EventOrigin) {
    self.layout = layout
    reader = TracefsRecordReader(origin: origin)
    if let formats = layout.formats { reader.use(formats) }
  }

  /// Takes a record that stands for itself: everything but what a pipe puts behind a record, and
  /// compressed records.
  mutating func read(_ record: PerfRecord, _ bytes: OrderedBytes) {
    switch record.type {
    case .sample: readSample(record.content, bytes)
    case .lost: readLost(record.content, bytes, countOffset: 8)
    case .lostSamples: readLost(record.content, bytes, countOffset: 0)
    case .command: readCommand(record.content, bytes)
    case .finishedRound:
      order.finishRound()
      count(record.type)
    default: count(record.type)
    }
    hand(isAtEnd: false)
  }

  /// A record that says nothing of interrupts, by its type.
  mutating func count(_ type: PerfRecord.Kind) {
    reader.count(
      type.name == nil ? .notUnderstood : .ignored(.recorderInternal),
      type.name ?? "record of type \(type.rawValue)")
  }

  mutating func finish() { hand(isAtEnd: true) }

  private mutating func hand(isAtEnd: Bool) {
    while let entry = order.next(isAtEnd: isAtEnd) {
      switch entry.step {
      case .record(let decoded): reader.take(decoded)
      case .loss(let count, let cpu): reader.lose(count, time: entry.time, cpu: cpu)
      case .command(let process, let name): reader.rename(process, name)
      }
    }
  }

  // MARK: Records

  private mutating func readSample(_ content: Range<Int>, _ bytes: OrderedBytes) {
    guard let attribute = attribute(content, bytes) else {
      return reader.count(.notUnderstood, "a sample of an unknown event")
    }
    guard let sample = PerfSample(bytes, content, attribute) else {
      return reader.count(.notUnderstood, "a sample that is cut")
    }
    guard let raw = sample.raw else {
      return reader.count(.ignored(.unrelated), "a sample of no tracepoint")
    }
    guard let time = sample.time else {
      return reader.count(.notUnderstood, "a sample without a time")
    }
    let decoded = reader.decode(
      bytes, at: raw.lowerBound, size: raw.count, time: time, cpu: sample.cpu)
    // What is left out needs no place in the order.
    if case .left = decoded.content { return reader.take(decoded) }
    order.insert(.record(decoded), time: time)
  }

  private func attribute(_ content: Range<Int>, _ bytes: OrderedBytes) -> PerfAttribute? {
    guard let first = layout.attributes.first else { return nil }
    guard layout.attributes.count > 1, let offset = PerfSample.idOffset(first) else { return first }
    guard offset + 8 <= content.count,
      let id = bytes.number(at: content.lowerBound + offset, size: 8)
    else { return nil }
    return layout.identifiers[id].map { layout.attributes[$0] }
  }

  /// LOST: u64 id, u64 count; LOST_SAMPLES: u64 count; then the identity of a sample.
  private mutating func readLost(
    _ content: Range<Int>, _ bytes: OrderedBytes, countOffset: Int
  ) {
    let name = PerfRecord.Kind.lost.name ?? ""
    guard countOffset + 8 <= content.count,
      let count = bytes.number(at: content.lowerBound + countOffset, size: 8)
    else { return reader.count(.notUnderstood, name) }
    reader.count(.used, name)
    let identity = identity(content, bytes)
    let time = identity?.time ?? reader.interpreter.latestTime
    order.insert(.loss(count: count, cpu: identity?.cpu ?? 0), time: time)
  }

  /// COMM: u32 process, u32 thread, then the name of the thread.
  private mutating func readCommand(_ content: Range<Int>, _ bytes: OrderedBytes) {
    count(.command)
    guard content.count > 8, let thread = bytes.number(at: content.lowerBound + 4, size: 4),
      let name = bytes.text(at: content.lowerBound + 8, size: min(16, content.count - 8))
    else { return }
    order.insert(
      .command(process: Int32(truncatingIfNeeded: thread), name: name),
      time: identity(content, bytes)?.time ?? 0)
  }

  private func identity(_ content: Range<Int>, _ bytes: OrderedBytes) -> PerfSample? {
    layout.attributes.first.flatMap { PerfSample(identityOf: bytes, content, $0) }
  }

  // MARK: What only a pipe has

  /// HEADER_ATTR: an attribute, whose size stands in it, then its ids.
  mutating func readAttribute(_ content: Range<Int>, _ bytes: OrderedBytes) {
    guard content.count >= PerfAttribute.leastSize,
      let size = bytes.number(at: content.lowerBound + 4, size: 4), size <= UInt64(content.count),
      let attribute = PerfAttribute(bytes, at: content.lowerBound, size: Int(size))
    else { return reader.count(.notUnderstood, "an attribute that is cut") }
    layout.add(attribute, bytes, in: content.lowerBound + Int(size)..<content.upperBound)
    count(.headerAttribute)
  }

  /// HEADER_TRACING_DATA: the formats. - Returns: whether they could be read.
  mutating func readFormats(_ bytes: OrderedBytes) -> Bool {
    guard layout.readTracingData(bytes), let formats = layout.formats else { return false }
    reader.use(formats)
    count(.headerTracingData)
    return true
  }

  mutating func drain(_ sink: (Span<TraceEvent>) throws -> Void) rethrows { try reader.drain(sink) }
}
