package import EventModel
import TraceFormat

/// Reads trace-cmd's trace.dat, versions 6 and 7, in either byte order, plain or zstd.
///
/// Event layouts come from the file's own formats. The CPUs are merged by time; at the same time the
/// lower CPU goes first. Memory: one page or chunk per CPU and buffer, and the formats. It needs a
/// file: what describes the data stands behind it.
package struct TraceDatImporter {
  private let path: String
  private let origin: EventOrigin
  private let usesHostClock: Bool

  /// - Parameters:
  ///   - origin: whose tracefs it was: `.guest` or `.host`. A trace.dat does not say.
  ///   - usesHostClock: give a guest's events the times of its host, where trace-cmd measured how the
  ///     clocks stand (option TIME_SHIFT).
  package init(path: String, origin: EventOrigin, usesHostClock: Bool = false) {
    self.path = path
    self.origin = origin
    self.usesHostClock = usesHostClock
  }

  /// - Parameters:
  ///   - sink: gets the events in order of time, some thousand at a time.
  ///   - progress: called now and then with the bytes used and the size of the file.
  /// - Throws: `ImportError`, or what `sink` throws.
  package func run(
    sink: (Span<TraceEvent>) throws -> Void,
    progress: (_ bytesRead: UInt64, _ totalBytes: UInt64?) -> Void = { _, _ in }
  ) throws -> ImportReport {
    var file = try CaptureFile(path: path)
    var layout = try DatLayout(&file)
    if usesHostClock, layout.times.guestClock == nil {
      throw file.malformed(
        "clock of the host", at: 0,
        expected: "an option TIME_SHIFT, which 'trace-cmd record -A' writes "
          + "into a guest's file", found: "none")
    }
    layout.times.usesHostClock = usesHostClock
    var merge = try DatMerge(layout, file)
    var reader = TracefsRecordReader(origin: origin)
    reader.use(layout.formats)
    while merge.read(into: &reader) {
      try merge.advance(file)
      if reader.interpreter.queue.count >= 4096 {
        try reader.drain(sink)
        progress(merge.bytesRead, file.size)
      }
    }
    try reader.drain(sink)
    progress(file.size, file.size)
    var report = reader.report()
    report.textBytes = file.size
    report.clockResolutionNanoseconds = 1
    report.notes.append("clock \(layout.clock.isEmpty ? "unknown" : layout.clock)")
    if let clock = layout.times.guestClock {
      report.notes.append(
        usesHostClock
          ? "times are those of the host with trace \(clock.peer)"
          : "times are the guest's own; those of its host, with trace \(clock.peer), are known")
    }
    if usesHostClock { report.clockDomain = .host }
    for guest in layout.guests {
      report.notes.append(
        "guest \(guest.name) of \(guest.tasks.count) CPUs was recorded too, as trace \(guest.trace)"
      )
    }
    if merge.damagedPages > 0 {
      report.damage.append(.init(damage: .page, count: merge.damagedPages, firstLine: 0))
    }
    if layout.formats.unreadableCount > 0 {
      report.notes.append("\(layout.formats.unreadableCount) event formats could not be read")
    }
    return report
  }
}

/// All CPUs and buffers of a file on one time line.
private struct DatMerge {
  private var streams: [DatStream] = []
  private var order = RingOrder()

  init(_ layout: DatLayout, _ file: borrowing CaptureFile) throws(ImportError) {
    for stream in layout.streams { streams.append(try DatStream(stream, layout, file)) }
    choose()
  }

  var bytesRead: UInt64 { streams.reduce(0) { $0 + $1.bytesRead } }
  var damagedPages: UInt64 { streams.reduce(0) { $0 + $1.entries.damagedPages } }

  /// Hands over the event that comes next; returns false at the end.
  func read(into reader: inout TracefsRecordReader) -> Bool {
    guard let next = order.next else { return false }
    streams[next].readHead(into: &reader)
    return true
  }

  mutating func advance(_ file: borrowing CaptureFile) throws(ImportError) {
    guard let next = order.next else { return }
    try streams[next].advance(file)
    if !order.holds(streams[next].headTime) { choose() }
  }

  private mutating func choose() { order.choose(streams.count) { streams[$0].headTime } }
}
