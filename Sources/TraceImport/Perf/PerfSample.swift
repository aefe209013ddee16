/// What one record of perf.data says of its time and place, and where its raw data lies.
struct PerfSample {
  var time: UInt64?
  var cpu: UInt16 = 0
  /// Of the tracepoint's record; nil if there is none.
  var raw: Range<Int>?

  /// Reads the fields behind the record's head, in the order that the kernel writes them
  /// (perf_output_sample in kernel/events/core.c; the layout is drawn in perf_event.h).
  ///
  /// - Parameter range: the record's bytes behind its head.
  /// - Returns: nil if a field runs over the end of the record.
  init?(_ bytes: OrderedBytes, _ range: Range<Int>, _ attribute: PerfAttribute) {
    var fields = Fields(bytes: bytes, offset: range.lowerBound, end: range.upperBound)
    typealias Sample = PerfAttribute.Sample
    func skip(_ bit: UInt64) -> Bool { !attribute.has(bit) || fields.skip(8) }
    guard skip(Sample.identifier), skip(Sample.ip), skip(Sample.task) else { return nil }
    if attribute.has(Sample.time) {
      guard let time = fields.number(8) else { return nil }
      self.time = time
    }
    guard skip(Sample.address), skip(Sample.id), skip(Sample.stream) else { return nil }
    if attribute.has(Sample.cpu) {
      guard let cpu = fields.number(4), fields.skip(4) else { return nil }
      self.cpu = UInt16(clamping: cpu)
    }
    guard skip(Sample.period) else { return nil }
    if attribute.has(Sample.read), !fields.skipRead(attribute.readFormat) { return nil }
    if attribute.has(Sample.callChain) {
      guard let count = fields.number(8), fields.skip(count, times: 8) else { return nil }
    }
    if attribute.has(Sample.raw) {
      guard let size = fields.number(4), size <= UInt64(fields.end - fields.offset)
      else { return nil }
      raw = fields.offset..<fields.offset + Int(size)
    }
  }

  /// Reads the identity at the end of a record that is no sample: task, time, id, stream, CPU and
  /// identifier, as far as the attribute asks for them.
  init?(identityOf bytes: OrderedBytes, _ range: Range<Int>, _ attribute: PerfAttribute) {
    typealias Sample = PerfAttribute.Sample
    guard attribute.hasSampleIdentity else { return nil }
    let order = [
      Sample.task, Sample.time, Sample.id, Sample.stream, Sample.cpu, Sample.identifier,
    ].filter(attribute.has)
    guard range.count >= 8 * order.count else { return nil }
    let start = range.upperBound - 8 * order.count
    for (index, bit) in order.enumerated() {
      let offset = start + 8 * index
      if bit == Sample.time { time = bytes.number(at: offset, size: 8) }
      if bit == Sample.cpu { cpu = UInt16(clamping: bytes.number(at: offset, size: 4) ?? 0) }
    }
  }

  /// Where the id that tells a sample's event stands behind the record's head: the same place for all
  /// events of a recording.
  static func idOffset(_ attribute: PerfAttribute) -> Int? {
    typealias Sample = PerfAttribute.Sample
    if attribute.has(Sample.identifier) { return 0 }
    guard attribute.has(Sample.id) else { return nil }
    return 8 * [Sample.ip, Sample.task, Sample.time, Sample.address].filter(attribute.has).count
  }
}

/// Takes a record apart from its front.
private struct Fields {
  let bytes: OrderedBytes
  var offset: Int
  let end: Int

  mutating func number(_ size: Int) -> UInt64? {
    guard size <= end - offset, let value = bytes.number(at: offset, size: size) else { return nil }
    offset += size
    return value
  }

  mutating func skip(_ size: Int) -> Bool {
    guard size <= end - offset else { return false }
    offset += size
    return true
  }

  mutating func skip(_ count: UInt64, times size: Int) -> Bool {
    guard count <= UInt64((end - offset) / size) else { return false }
    offset += Int(count) * size
    return true
  }

  /// struct read_format: with PERF_FORMAT_GROUP a count comes first and the times stand once.
  mutating func skipRead(_ format: UInt64) -> Bool {
    let isGroup = format & 1 << 3 != 0
    let timeWords = [UInt64(1) << 0, 1 << 1].filter { format & $0 != 0 }.count
    let valueWords = 1 + [UInt64(1) << 2, 1 << 4].filter { format & $0 != 0 }.count
    guard isGroup else { return skip(8 * (timeWords + valueWords)) }
    guard let count = number(8), skip(8 * timeWords) else { return false }
    return skip(count, times: 8 * valueWords)
  }
}
