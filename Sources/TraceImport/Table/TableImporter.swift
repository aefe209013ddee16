package import EventModel
import TraceFormat

/// Reads events as CSV or JSON lines: what `doorbell cat` writes, and what any script can.
///
/// A row is an event. `time` (nanoseconds) and `kind` (`dma`, `msi`, `map`, … as `doorbell info`
/// names them) must be there. Everything else may be left out or, in CSV, empty, and is 0 then:
///
///     origin    synthetic, emulator, guest or host
///     target    pe3 or vpe17: where the interrupt goes, or the CPU concerned
///     vector    MSI-X table entry of an msi, or "unknown"
///     flags     read|write|readable|writable|address-recorded|interrupt-recorded|substream|inferred
///     outcome   delivered, translated, "lost: unmapped device", …: what the recording says
///     ordinal   is not looked at
///
/// and the fields of the kind, by the names in `EventField`: for an msi stream, device, address, pa,
/// data, intid; for a dma stream, iova, pa, size; for an its-command dw0…dw3; and so on. Numbers are
/// decimal or hexadecimal with 0x; in JSON they may be strings.
///
/// CSV starts with a line of column names. Values may stand in double quotes, but hold no line end.
/// Rows are read one by one in bounded memory. A row that is not understood is counted, not guessed.
package struct TableImporter {
  package enum Form: Sendable {
    case csv, jsonLines
  }

  private static var lineLimitBytes: Int { 64 << 10 }
  private let form: Form

  package init(_ form: Form) { self.form = form }

  /// - Throws: `ImportError`, or what `sink` throws.
  package func run<Source: ByteSource & ~Copyable>(
    source: inout Source,
    sink: (Span<TraceEvent>) throws -> Void,
    progress: (_ bytesRead: UInt64, _ totalBytes: UInt64?) -> Void = { _, _ in }
  ) throws -> ImportReport {
    var reader = TableReader(form)
    var lines = LineBlock(blockBytes: 1 << 18, lineLimitBytes: Self.lineLimitBytes)
    var bytes: UInt64 = 0
    var isAtEnd = false
    while !isAtEnd {
      let count = try lines.fill(from: &source)
      isAtEnd = count == 0
      bytes += UInt64(count)
      while let line = lines.next(isAtEnd: isAtEnd) {
        switch line {
        case .whole(let text): try reader.read(text, of: source.name)
        case .damaged(let damage): reader.count(damage)
        }
      }
      try reader.drain(sink)
      progress(source.bytesRead, source.totalBytes)
    }
    if bytes == 0 { throw ImportError.empty(name: source.name) }
    var report = reader.report()
    report.textBytes = bytes
    return report
  }
}
