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
  private var reader: LiveReader
  private let instance: TraceInstance
  package let options: Options
  /// What is recorded.
  package let events: [TracepointName]
  package let cpuCount: Int

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
    reader = LiveReader(files, formats, origin: options.origin) { clock.nanoseconds }
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
      let isBusy = try reader.take(sink)
      try pause(reader.lostInGaps)
      if !isBusy { reader.wait(milliseconds: Self.pauseMilliseconds) }
    }
    try instance.stop()
    // What was being written when the rings were stopped.
    reader.wait(milliseconds: Int32(LiveMerge.slackNanoseconds / 1_000_000))
    try reader.finish(sink)
    return try report()
  }

  private func report() throws(RecordError) -> RecordReport {
    var report = reader.report()
    report.records.geometry.peCount = UInt16(clamping: cpuCount)
    for cpu in reader.cpus {
      let loss = RingLoss(cpu: cpu, stats: try instance.folder.text("per_cpu/cpu\(cpu)/stats"))
      if loss.total > 0 { report.losses.append(loss) }
    }
    let counted = report.losses.reduce(0) { $0 &+ $1.total }
    report.lostElsewhere = counted - min(counted, report.lostInGaps)
    return report
  }
}
