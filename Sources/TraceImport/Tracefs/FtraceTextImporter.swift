package import EventModel
import TraceFormat

/// Reads the text that tracefs prints (`trace`, `trace_pipe`), 'trace-cmd report' and 'perf script'.
///
/// The text is what a print format made of the fields, so it can hold less than a trace.dat:
/// kvm_msi_set_irq shows no raw message, and such lines are counted as not understood. Lines come in
/// the order of the recording and are read in bounded memory, also from a pipe.
package struct FtraceTextImporter {
  private static var lineLimitBytes: Int { 64 << 10 }
  private static var foreignLineLimit: UInt64 { 10_000 }
  private let origin: EventOrigin

  /// - Parameter origin: whose tracefs it was: `.guest` or `.host`. The text does not say.
  package init(origin: EventOrigin) { self.origin = origin }

  /// - Throws: `ImportError`, or what `sink` throws.
  package func run<Source: ByteSource & ~Copyable>(
    source: inout Source,
    sink: (Span<TraceEvent>) throws -> Void,
    progress: (_ bytesRead: UInt64, _ totalBytes: UInt64?) -> Void = { _, _ in }
  ) throws -> ImportReport {
    var reader = FtraceTextReader(origin: origin)
    var lines = LineBlock(blockBytes: 1 << 18, lineLimitBytes: Self.lineLimitBytes)
    var bytes: UInt64 = 0
    var isAtEnd = false
    while !isAtEnd {
      let count = try lines.fill(from: &source)
      isAtEnd = count == 0
      bytes += UInt64(count)
      while let line = lines.next(isAtEnd: isAtEnd) {
        switch line {
        case .whole(let text): reader.read(text)
        case .damaged(let damage): reader.count(damage)
        }
      }
      if !reader.hasTraceLine, isAtEnd || reader.lineCount >= Self.foreignLineLimit {
        if bytes == 0 { throw ImportError.empty(name: source.name) }
        throw ImportError.malformed(
          name: source.name, byte: 0, subject: "first \(reader.lineCount) lines",
          expected:
            "'TASK-PID [CPU] FLAGS SECONDS: EVENT: …' or 'TASK PID [CPU] SECONDS: EVENT: …'",
          found: "no such line")
      }
      try reader.drain(sink)
      progress(source.bytesRead, source.totalBytes)
    }
    var report = reader.report()
    report.textBytes = bytes
    return report
  }
}
