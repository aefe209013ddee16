package import EventModel
import TraceFormat

/// Reads perf.data: samples of tracepoints ('perf record -e irq:…'), in either byte order, plain or
/// compressed ('-z'), as a file or as perf writes it to a pipe ('-o -').
///
/// A sample's raw data is the tracepoint's record, and is read by the event formats that the file
/// carries, as in a trace.dat. Samples are sorted by time as far as perf's rounds need
/// (`PerfOrder`). Memory: one block of the file, the formats, and the samples of two rounds.
package struct PerfDataImporter {
  private let origin: EventOrigin

  /// - Parameter origin: whose tracepoints they were: `.guest` or `.host`. perf.data does not say.
  package init(origin: EventOrigin) { self.origin = origin }

  /// Imports a file.
  ///
  /// - Throws: `ImportError`, or what `sink` throws.
  package func run(
    path: String,
    sink: (Span<TraceEvent>) throws -> Void,
    progress: (_ bytesRead: UInt64, _ totalBytes: UInt64?) -> Void = { _, _ in }
  ) throws -> ImportReport {
    var file = try CaptureFile(path: path)
    let head = try file.read(min(file.size, 16), at: 0, "head of a perf.data")
    guard let isBigEndian = PerfLayout.isBigEndian(head.bytes) else {
      throw file.malformed("magic", at: 0, expected: "'PERFILE2'", found: "other bytes")
    }
    file.isBigEndian = isBigEndian
    let size = file.size
    if try file.number(8, at: 8, "head of a perf.data") == PerfLayout.pipeHeadSize {
      var source = SectionSource(file, 0..<size)
      return try run(source: &source, sink: sink, progress: progress)
    }
    let layout = try PerfLayout(file)
    let data = layout.data
    var source = SectionSource(file, data)
    var records = PerfRecordStream(isBigEndian: isBigEndian, layout, origin: origin)
    try records.readAll(from: &source, sink, progress)
    return records.report(bytes: size)
  }

  /// Imports what 'perf record -o -' wrote, also from a pipe.
  ///
  /// - Throws: `ImportError`, or what `sink` throws.
  package func run<Source: ByteSource & ~Copyable>(
    source: inout Source,
    sink: (Span<TraceEvent>) throws -> Void,
    progress: (_ bytesRead: UInt64, _ totalBytes: UInt64?) -> Void = { _, _ in }
  ) throws -> ImportReport {
    var records = PerfRecordStream(isBigEndian: false, PerfLayout(), origin: origin)
    try records.readPipeHead(from: &source)
    try records.readAll(from: &source, sink, progress)
    return records.report(bytes: source.bytesRead)
  }
}
