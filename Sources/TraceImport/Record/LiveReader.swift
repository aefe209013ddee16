import EventModel

/// From the rings of all CPUs to the events of a trace, in the order of their times.
struct LiveReader: ~Copyable {
  private var merge: LiveMerge
  private var reader: TracefsRecordReader
  private var workers: KernelWorkers
  /// Events lost in gaps whose size is known.
  private(set) var lostInGaps: UInt64 = 0
  private var unknownGaps: UInt64 = 0

  /// - Parameter now: the clock of the rings.
  init(
    _ files: consuming RingFiles, _ formats: TracefsFormats, origin: EventOrigin,
    now: @escaping () -> UInt64
  ) {
    merge = LiveMerge(files, formats.page, now: now)
    reader = TracefsRecordReader(origin: origin)
    reader.use(formats)
    workers = KernelWorkers(areNeeded: formats.needsWorkers)
  }

  var cpus: [UInt16] { merge.cpus }

  /// One call takes so many records, so that a busy recording looks up now and then.
  private static var recordsPerCall: Int { 1 << 16 }

  /// Takes what is due; false if that was all.
  mutating func take(_ sink: (Span<TraceEvent>) throws -> Void) throws -> Bool {
    workers.update(&reader)
    var left = Self.recordsPerCall
    while left > 0, let ring = try merge.next() {
      count(merge.lostBeforeHead(ring))
      merge.readHead(ring, into: &reader)
      try merge.advance(ring)
      if reader.interpreter.queue.count >= 4096 { try reader.drain(sink) }
      left -= 1
    }
    try reader.drain(sink)
    return left == 0
  }

  func wait(milliseconds: Int32) { merge.wait(milliseconds: milliseconds) }

  /// Takes the rest. Nobody may write to the rings any more.
  mutating func finish(_ sink: (Span<TraceEvent>) throws -> Void) throws {
    merge.end()
    while try take(sink) {}
    // A gap at the very end has no record behind it.
    for ring in cpus.indices {
      guard let lost = merge.lostBeforeHead(ring) else { continue }
      count(lost)
      reader.lose(lost, time: reader.interpreter.latestTime, cpu: cpus[ring])
    }
    try reader.drain(sink)
  }

  private mutating func count(_ lost: UInt64?) {
    guard let lost else { return }
    if lost == 0 { unknownGaps += 1 }
    lostInGaps &+= lost
  }

  func report() -> RecordReport {
    var report = RecordReport(records: reader.report())
    report.records.clockResolutionNanoseconds = 1
    if merge.damagedPages > 0 {
      report.records.damage.append(
        .init(damage: .page, count: merge.damagedPages, firstLine: 0))
    }
    report.lostInGaps = lostInGaps
    report.unknownGaps = unknownGaps
    return report
  }
}
