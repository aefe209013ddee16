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

  /// - Parameter origin: whose tracefs it was: `.guest` or `.host`. A trace.dat does not say.
  package init(path: String, origin: EventOrigin) {
    self.path = path
    self.origin = origin
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
    let layout = try DatLayout(&file)
    var merge = try DatMerge(layout, file)
    var reader = TracefsRecordReader(origin: origin)
    reader.use(layout.formats)
    while let next = merge.next {
      Self.read(merge.streams[next], layout, &reader)
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
    if layout.hasTimeShift {
      report.notes.append("the guest's time shift is not applied: times are the guest's own")
    }
    if merge.damagedPages > 0 {
      report.damage.append(.init(damage: .page, count: merge.damagedPages, firstLine: 0))
    }
    if layout.formats.unreadableCount > 0 {
      report.notes.append("\(layout.formats.unreadableCount) event formats could not be read")
    }
    return report
  }

  /// The event that the stream stands at, and the loss before it.
  private static func read(
    _ stream: borrowing DatStream, _ layout: borrowing DatLayout,
    _ reader: inout TracefsRecordReader
  ) {
    guard let page = stream.entries.page, let entry = stream.entries.head else { return }
    let time = layout.nanoseconds(entry.time)
    if let lost = stream.entries.lostBeforeHead { reader.lose(lost, time: time, cpu: stream.cpu) }
    reader.read(page.bytes, at: entry.offset, size: entry.size, time: time, cpu: stream.cpu)
  }
}

/// All CPUs and buffers of a file on one time line.
private struct DatMerge {
  private(set) var streams: [DatStream] = []
  private var order = RingOrder()

  init(_ layout: DatLayout, _ file: borrowing CaptureFile) throws(ImportError) {
    for stream in layout.streams { streams.append(try DatStream(stream, layout, file)) }
    choose()
  }

  var bytesRead: UInt64 { streams.reduce(0) { $0 + $1.bytesRead } }
  var damagedPages: UInt64 { streams.reduce(0) { $0 + $1.entries.damagedPages } }

  /// The stream whose head comes next; nil at the end.
  var next: Int? { order.next }

  mutating func advance(_ file: borrowing CaptureFile) throws(ImportError) {
    guard let next = order.next else { return }
    try streams[next].advance(file)
    if !order.holds(streams[next].entries.head?.time) { choose() }
  }

  private mutating func choose() {
    order.choose(streams.count) { streams[$0].entries.head?.time }
  }
}
