package import EventModel
import TraceFormat

/// The way into all importers: takes a capture for what it is, or is said to be.
package struct CaptureImporter: Sendable {
  /// Nil: the content tells.
  package var format: CaptureFormat?
  /// Whose tracefs it was, for the formats that do not say: `.guest` or `.host`.
  package var origin: EventOrigin
  /// simpletrace: QEMU's `trace-events-all`. Nil: as `SimpleTraceImporter` looks for it.
  package var declarations: String?
  /// trace.dat of a guest: give its events the times of the host.
  package var usesHostClock: Bool

  package init(
    format: CaptureFormat? = nil, origin: EventOrigin = .guest, declarations: String? = nil,
    usesHostClock: Bool = false
  ) {
    self.format = format
    self.origin = origin
    self.declarations = declarations
    self.usesHostClock = usesHostClock
  }

  /// - Parameter path: a file; "-" is standard input.
  /// - Throws: `ImportError`, or what `sink` throws.
  package func run(
    path: String,
    sink: (Span<TraceEvent>) throws -> Void,
    progress: (_ bytesRead: UInt64, _ totalBytes: UInt64?) -> Void = { _, _ in }
  ) throws -> ImportReport {
    var input = try CaptureInput(path: path)
    guard let format = try format ?? CaptureFormat(head: input.peek(CaptureFormat.headBytes)) else {
      throw ImportError.unknownFormat(name: input.name)
    }
    let isFile = path != "-" && !input.isCompressed
    switch format {
    case .qemuLog:
      return try QEMULogImporter().run(source: &input, sink: sink, progress: progress)
    case .simpleTrace:
      return try SimpleTraceImporter(declarations: declarations)
        .run(source: &input, sink: sink, progress: progress)
    case .ftraceText, .perfScript:
      return try FtraceTextImporter(origin: origin)
        .run(source: &input, sink: sink, progress: progress)
    case .csv: return try TableImporter(.csv).run(source: &input, sink: sink, progress: progress)
    case .jsonLines:
      return try TableImporter(.jsonLines).run(source: &input, sink: sink, progress: progress)
    case .traceDat:
      guard isFile else {
        throw ImportError.needsFile(name: input.name, format: format)
      }
      return try TraceDatImporter(path: path, origin: origin, usesHostClock: usesHostClock)
        .run(sink: sink, progress: progress)
    case .perfData:
      let importer = PerfDataImporter(origin: origin)
      guard isFile else {
        return try importer.run(source: &input, sink: sink, progress: progress)
      }
      return try importer.run(path: path, sink: sink, progress: progress)
    }
  }
}
