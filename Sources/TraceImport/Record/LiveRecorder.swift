package import EventModel

/// Records tracepoints of the running kernel as the events of a trace.
///
///   var recorder = try LiveRecorder(options)
///   let report = try recorder.run(until: { … }, sink: { events in … }, pause: { … })
///
/// It has a trace instance of its own, which is gone when the recorder is. The CPUs are merged by
/// time; at the same time the lower CPU goes first. Memory: one page per CPU, some thousand events, and
/// the kernel's rings.
///
/// Threads: it belongs to one thread at a time, and calls back on that.
package struct LiveRecorder: ~Copyable {
  package struct Options: Sendable {
    /// Empty: those of `TracepointCatalogue.defaults`.
    package var events: [TracepointName] = []
    /// The name of the trace instance, which must not exist.
    package var instance: String
    package var clock = TraceClock.mono
    package var origin = EventOrigin.host
    /// Of each CPU's ring; nil: `LiveRecorder.bufferKiBPerCPU`.
    package var bufferKiBPerCPU: Int?

    package init(instance: String) { self.instance = instance }
  }

  // The order matters: the files of the rings are closed before their instance is removed.
  private var merge: LiveMerge
  private let instance: TraceInstance
  private var reader: TracefsRecordReader
  private var workers: KernelWorkers
  package let options: Options
  /// What is recorded.
  package let events: [TracepointName]
  package let cpuCount: Int
  private var lostInGaps: UInt64 = 0
  private var unknownGaps: UInt64 = 0

  /// Rings of 4 MiB take the bursts of a busy CPU for a tenth of a second; all together stay below
  /// 256 MiB on a large machine.
  package static func bufferKiBPerCPU(cpuCount: Int) -> Int {
    min(4_096, max(256, 262_144 / max(1, cpuCount)))
  }

  /// Makes the instance, with everything set and nothing recorded yet.
  package init(
    _ options: Options, tracefs: TracefsFolder
  ) throws(RecordError) {
    let events = try Self.choose(options.events, tracefs)
    let cpuCount = tracefs.names("per_cpu").count
    let instance = try TraceInstance(options.instance, in: tracefs)
    try instance.setUp(
      clock: options.clock,
      bufferKiBPerCPU: options.bufferKiBPerCPU ?? Self.bufferKiBPerCPU(cpuCount: cpuCount),
      events: events)
    let formats = try TracefsFormats(live: instance.folder, tracefs, events)
    let files = try RingFiles(
      instance.folder, pageSizeBytes: formats.page.dataOffset + formats.page.dataSize)
    let clock = options.clock
    self.cpuCount = cpuCount
    self.options = options
    self.events = events
    merge = LiveMerge(files, formats.page) { clock.nanoseconds }
    reader = TracefsRecordReader(origin: options.origin)
    reader.use(formats)
    workers = KernelWorkers(areNeeded: formats.needsWorkers)
    self.instance = instance
  }

  private static func choose(
    _ wanted: [TracepointName], _ tracefs: TracefsFolder
  ) throws(RecordError) -> [TracepointName] {
    guard wanted.isEmpty else {
      let missing = wanted.filter { !tracefs.has("\($0.folder)/format") }
      guard missing.isEmpty else { throw .missingEvents(missing, tracefs: tracefs.path) }
      return wanted
    }
    let catalogue = TracepointCatalogue(tracefs)
    guard !catalogue.defaults.isEmpty else {
      throw .noEvents(lookedFor: TracepointCatalogue.wanted, tracefs: tracefs.path)
    }
    return catalogue.defaults
  }

  /// How long a quiet recording sleeps before it looks at the rings again.
  private static var pauseMilliseconds: Int32 { 50 }
  /// A busy recording looks up after so many records.
  private static var recordsBetweenPauses: Int { 1 << 16 }

  /// Records until told to stop.
  ///
  /// - Parameters:
  ///   - isStopped: asked some times a second.
  ///   - sink: gets the events in order of time, some thousand at a time.
  ///   - pause: called some times a second, with the events lost so far.
  /// - Throws: `RecordError`, or what `sink` and `pause` throw.
  package mutating func run(
    until isStopped: () -> Bool,
    sink: (Span<TraceEvent>) throws -> Void,
    pause: (_ lostEvents: UInt64) throws -> Void
  ) throws -> RecordReport {
    try instance.start()
    while !isStopped() {
      workers.update(&reader)
      let isBusy = try take(sink)
      try pause(lostInGaps)
      if !isBusy { merge.wait(milliseconds: Self.pauseMilliseconds) }
    }
    try instance.stop()
    // What was being written when the rings were stopped.
    merge.wait(milliseconds: Int32(LiveMerge.slackNanoseconds / 1_000_000))
    merge.end()
    while try take(sink) {}
    return try report()
  }

  /// Takes what is due; false if that was all.
  private mutating func take(_ sink: (Span<TraceEvent>) throws -> Void) throws -> Bool {
    var left = Self.recordsBetweenPauses
    while left > 0, let ring = try merge.next() {
      read(merge.entries(ring), cpu: merge.cpu(ring))
      try merge.advance(ring)
      if reader.interpreter.queue.count >= 4096 { try reader.drain(sink) }
      left -= 1
    }
    try reader.drain(sink)
    return left == 0
  }

  private mutating func read(_ entries: borrowing RingEntries, cpu: UInt16) {
    guard let page = entries.page, let entry = entries.head else { return }
    if let lost = entries.lostBeforeHead {
      if lost == 0 { unknownGaps += 1 }
      lostInGaps &+= lost
      reader.lose(lost, time: entry.time, cpu: cpu)
    }
    reader.read(page.bytes, at: entry.offset, size: entry.size, time: entry.time, cpu: cpu)
  }

  private func report() throws(RecordError) -> RecordReport {
    var report = RecordReport(records: reader.report())
    report.records.clockResolutionNanoseconds = 1
    report.records.geometry.peCount = UInt16(clamping: cpuCount)
    if merge.damagedPages > 0 {
      report.records.damage.append(
        .init(damage: .page, count: merge.damagedPages, firstLine: 0))
    }
    report.lostInGaps = lostInGaps
    report.unknownGaps = unknownGaps
    for ring in 0..<merge.count {
      let cpu = merge.cpu(ring)
      let loss = RingLoss(cpu: cpu, stats: try instance.folder.text("per_cpu/cpu\(cpu)/stats"))
      if loss.total > 0 { report.losses.append(loss) }
    }
    let counted = report.losses.reduce(0) { $0 &+ $1.total }
    report.lostElsewhere = counted - min(counted, lostInGaps)
    return report
  }
}
