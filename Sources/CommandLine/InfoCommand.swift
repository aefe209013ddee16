import ArgumentParser
import EventModel
import Foundation
import History
import TraceFormat
import TraceImport

struct InfoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "info",
    abstract: "Say what a trace holds.",
    usage: "doorbell info <trace> [<options>]",
    discussion: """
      Reads the whole trace and prints header, provenance, the rate over time, for each kind of event \
      how many there are and how long from one to the next, and the busiest devices and vectors. Use it \
      before you replay a trace that you did not make yourself, or to find the part that 'slice' shall \
      cut out.

      Try:
        doorbell info Traces/nvme.dbtrace
        doorbell info Traces/boot.dbtrace --columns --format json
      """)

  @Argument(help: "Read this trace.")
  var trace: String

  @Flag(
    help: """
      Also say what each column costs: plain, and compressed on its own by the trace's codec (zstd level \
      3). Encodes the trace again, which takes longer.
      """)
  var columns = false

  @Option(help: "Print in this form.")
  var format: OutputFormat = .table

  @OptionGroup var verbosity: Verbosity

  func run() throws {
    try reportingFailure(verbosity) {
      var tally = InfoTally()
      let document = try read(&tally)
      try format.print(document) { InfoText(document: document, profile: tally.profile).text() }
    }
  }

  private func read(_ tally: inout InfoTally) throws -> InfoDocument {
    var source = try TraceFileSource(path: trace)
    let header = source.header
    var sizes = columns ? try ColumnSizes(header) : nil
    let total = source.totals?.events
    var progress = Progress("info")
    try source.forEachBatch { batch in
      for event in batch { tally.add(event) }
      try sizes?.add(batch)
      progress.update(tally.profile.events, of: total)
      return true
    }
    progress.finish()
    let data = try Data(contentsOf: URL(fileURLWithPath: trace), options: .mappedIfSafe)
    let profile = tally.profile
    return InfoDocument(
      path: trace, bytes: UInt64(data.count), codec: "\(header.codec)",
      formatVersion: header.version, clockDomain: "\(header.description.clockDomain)",
      clockResolutionNanoseconds: header.description.clockResolutionNanoseconds,
      events: profile.events, lostEvents: source.totals?.lostEvents ?? 0,
      durationNanoseconds: profile.durationNanoseconds, sha256: SHA256.hex(data),
      geometry: header.description.geometry,
      provenance: header.description.provenance.map { "\($0.key): \($0.value)" },
      eventsByKind: tally.eventsByKind, devices: tally.devices,
      vectorCount: tally.vectorCount, vectors: tally.vectors,
      keyFrames: try keyFrames(), rate: tally.rate, gapsByKind: tally.gapsByKind,
      columns: try sizes?.finish())
  }

  /// From the index; nil if there are none.
  private func keyFrames() throws -> InfoDocument.KeyFrames? {
    var reader = try TraceReader(path: trace)
    let entries = try reader.index().entries
    let snapshots = entries.filter { $0.kind == .snapshot }
    let ordinals = snapshots.filter(\.isLastPart).map(\.firstOrdinal)
    guard let first = ordinals.first, let end = entries.last?.endOrdinal else { return nil }
    return InfoDocument.KeyFrames(
      count: ordinals.count, firstOrdinal: first,
      mostEventsBetween: zip(ordinals.dropFirst() + [end], ordinals).map { $0 - $1 }.max() ?? 0,
      records: snapshots.reduce(0) { $0 + UInt64($1.count) },
      bytes: snapshots.reduce(0) { $0 + UInt64($1.size) })
  }
}
