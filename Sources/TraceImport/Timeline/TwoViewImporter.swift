package import EventModel
import TraceFormat

/// Imports two captures of one machine, taken at the same time, as one stream: say what the guest's
/// kernel saw (`moved`) beside what its emulator or host did (`fixed`).
///
/// Both are imported first, each into a trace of its own beside the output, because the clocks can be
/// compared only when all interrupts are known. Memory is that of the imports, and of the sightings.
package struct TwoViewImporter {
  package enum Clocks: Hashable, Sendable {
    /// By the interrupts that both views show.
    case matched
    /// Nanoseconds that are added to the times of the moved view.
    case declared(Int64)
  }

  package struct View: Sendable {
    package var path: String
    package var importer: CaptureImporter

    package init(path: String, importer: CaptureImporter) {
      self.path = path
      self.importer = importer
    }

    /// Without its folder.
    var name: String { path.split(separator: "/").last.map { String($0) } ?? path }
  }

  private let fixed: View
  private let moved: View
  private let clocks: Clocks
  private let output: String

  /// - Parameter output: the file beside which there is room for both traces.
  package init(fixed: View, moved: View, clocks: Clocks, beside output: String) {
    self.fixed = fixed
    self.moved = moved
    self.clocks = clocks
    self.output = output
  }

  /// - Throws: `ImportError`, `AlignmentError`, `TraceError`, or what `sink` throws.
  package func run(
    sink: (Span<TraceEvent>) throws -> Void,
    progress: (_ bytesRead: UInt64, _ totalBytes: UInt64?) -> Void = { _, _ in }
  ) throws -> ImportReport {
    let fixedSpool = try TraceSpool(beside: output)
    let (fixedReport, fixedSightings) = try read(fixed, into: fixedSpool, progress)
    let movedSpool = try TraceSpool(beside: output)
    let (movedReport, movedSightings) = try read(moved, into: movedSpool, progress)
    let alignment: TimelineAlignment
    var notes: [String] = []
    switch clocks {
    case .declared(let offset):
      alignment = TimelineAlignment(offsetNanoseconds: offset)
      notes.append("\(moved.name): declared \(alignment)")
    case .matched:
      let match = try TimelineMatch(moved: movedSightings, to: fixedSightings)
      alignment = match.alignment
      notes.append("\(moved.name): \(alignment)")
      notes.append("\(moved.name): \(match.residual)")
    }
    var merge = TimelineMerge(alignment)
    try merge.run(
      fixed: Self.view(of: fixedSpool), moved: Self.view(of: movedSpool), sink: sink)
    if merge.shift > 0 {
      notes.append(
        "all times are \(merge.shift) ns later: \(moved.name) starts before \(fixed.name)")
    }
    return Self.report(fixedReport, movedReport, merge, notes)
  }

  private func read(
    _ view: View, into spool: borrowing TraceSpool,
    _ progress: (_ bytesRead: UInt64, _ totalBytes: UInt64?) -> Void
  ) throws -> (ImportReport, InterruptSightings) {
    var sightings = InterruptSightings()
    var writer = try spool.writer()
    let report = try view.importer.run(
      path: view.path,
      sink: { events in
        sightings.note(events)
        for index in events.indices { try writer.append(events[index]) }
      }, progress: progress)
    _ = try writer.finish()
    return (report, sightings)
  }

  private static func view(of spool: borrowing TraceSpool) throws -> TimelineMerge.View {
    let reader = SpoolReader(try spool.reader())
    return { output in try reader.read(&output) }
  }

  /// The machine is that of the fixed view; events, names and damage are those of both.
  private static func report(
    _ fixed: ImportReport, _ moved: ImportReport, _ merge: TimelineMerge, _ notes: [String]
  ) -> ImportReport {
    var report = fixed
    report.textBytes += moved.textBytes
    report.lineCount += moved.lineCount
    report.eventCount += moved.eventCount
    report.events = EventKind.all.compactMap { kind in
      let count = fixed.count(kind) + moved.count(kind)
      return count == 0 ? nil : .init(kind: kind, count: count)
    }
    report.names += moved.names
    report.messages += moved.messages
    report.damage += moved.damage
    report.threadCount += moved.threadCount
    report.backwardTimes += moved.backwardTimes + merge.backwardTimes
    report.inferredMappings += moved.inferredMappings
    report.forcedAccesses += moved.forcedAccesses
    report.otherOrigins |= moved.origins
    report.notes += moved.notes + notes
    return report
  }
}

/// A trace's events batch by batch.
private final class SpoolReader {
  private var reader: TraceReader
  private let batchCount = 4096

  init(_ reader: consuming TraceReader) { self.reader = reader }

  func read(_ output: inout [TraceEvent]) throws {
    output = [TraceEvent](repeating: TraceEvent(time: 0, kind: .mark), count: batchCount)
    // Safety: the pointer is used during the call only.
    let count = unsafe try output.withUnsafeMutableBufferPointer { buffer in
      unsafe try reader.decode(into: buffer)
    }
    output.removeLast(batchCount - count)
  }
}
