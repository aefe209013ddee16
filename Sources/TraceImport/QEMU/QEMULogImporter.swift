package import EventModel
import Glibc

/// Reads the log of QEMU's trace events ('-msg timestamp=on -d trace:… -D file') into events.
///
/// It needs no particular list of traced events, but every fact needs its line; the recordings'
/// list (smmu*, gicv3_its_*, gicv3_redist_write, gicv3_ic[cv]_*iar*/eoir, memory_region_ops_write,
/// pci_cfg_write, pci_update_mappings_*, msix_write_config and the devices' raise lines) gives all.
///
/// What it decides, where a log leaves a choice:
/// - An access takes its place in the order at its translate line; an MSI without an SMMU at its
///   write to the ITS.
/// - `map` is given for a leaf that is new or differs from what was known; a repeated walk of a known
///   leaf gives nothing. The table of known leaves is bounded (`KnownMappings`).
/// - `unmap` is inferred: from a range invalidation, which Linux issues after it cleared the
///   descriptors; from a translation fault on a known page; and for a whole address space when its
///   ASID comes back with another table base.
/// - A line whose time is before an earlier line's gets that line's time; a step back of more than a
///   second (a clock that was set) shifts what follows instead.
/// - A last line without its line end is not used: a number in it may be cut.
package struct QEMULogImporter {
  /// A longer line is counted as damage and skipped without being stored.
  package static var lineLimitBytes: Int { 64 << 10 }
  /// Bytes asked for at a time: enough that a read costs nothing beside its bytes, and small enough
  /// for the second-level cache.
  private let blockBytes: Int
  /// Lines after which a capture without one trace line is refused.
  private static var foreignLineLimit: UInt64 { 10_000 }

  /// - Parameter blockBytes: bytes read at a time; tests make it small.
  package init(blockBytes: Int = 1 << 20) { self.blockBytes = max(1, blockBytes) }

  /// Imports a whole log. Memory is bounded and independent of its length.
  ///
  /// - Parameters:
  ///   - sink: gets the events in order, some thousand at a time. What it throws ends the import.
  ///   - progress: called after each block with bytes read of the medium and its size if known.
  /// - Throws: `ImportError`, or what `sink` throws.
  package func run<Source: ByteSource & ~Copyable>(
    source: inout Source,
    sink: (Span<TraceEvent>) throws -> Void,
    progress: (_ bytesRead: UInt64, _ totalBytes: UInt64?) -> Void = { _, _ in }
  ) throws -> ImportReport {
    var interpreter = LogInterpreter()
    var lines = LineBlock(
      blockBytes: blockBytes, lineLimitBytes: Self.lineLimitBytes)
    var isAtEnd = false
    while !isAtEnd {
      let count = try lines.fill(from: &source)
      isAtEnd = count == 0
      interpreter.textBytes += UInt64(count)
      while let line = lines.next(isAtEnd: isAtEnd) {
        switch line {
        case .whole(let text): interpreter.read(text)
        case .damaged(let damage): interpreter.count(damage)
        }
        if interpreter.queue.count >= LogInterpreter.drainCount {
          try interpreter.drain(sink)
        }
      }
      if !interpreter.hasTraceLine, isAtEnd || interpreter.lineCount >= Self.foreignLineLimit {
        if interpreter.textBytes == 0 { throw ImportError.empty(name: source.name) }
        throw ImportError.notAQEMULog(
          lines: interpreter.lineCount, bytes: interpreter.textBytes)
      }
      progress(source.bytesRead, source.totalBytes)
    }
    try interpreter.finish(sink)
    return interpreter.report()
  }
}
