import EventModel
import Foundation
import TraceFormat

/// What each column of a trace costs, plain and under the trace's codec: the events are encoded again,
/// twice, into nothing. A frame is compressed as a whole, so that the columns' sizes add up to a little
/// more than the file's.
struct ColumnSizes: ~Copyable {
  private let nothing: FileHandle
  private var plain: TraceWriter
  private var stored: TraceWriter

  init(_ header: TraceHeader) throws {
    let nothing = try FileHandle(forWritingTo: URL(fileURLWithPath: "/dev/null"))
    let plain = try Self.writer(.none, header, nothing)
    let stored = try Self.writer(header.codec, header, nothing)
    self.nothing = nothing
    self.plain = plain
    self.stored = stored
  }

  private static func writer(
    _ codec: TraceCodec, _ header: TraceHeader, _ output: FileHandle
  ) throws -> TraceWriter {
    var options = TraceWriter.Options()
    options.measuresColumns = true
    options.codec = codec
    return try TraceWriter(
      descriptor: output.fileDescriptor, name: "/dev/null", description: header.description,
      options: options)
  }

  mutating func add(_ events: ArraySlice<TraceEvent>) throws {
    try plain.append(contentsOf: events)
    try stored.append(contentsOf: events)
  }

  /// The largest first.
  consuming func finish() throws -> [InfoDocument.Column] {
    let plain = try self.plain.finish().columnSizes
    let stored = try self.stored.finish().columnSizes
    return plain.map {
      InfoDocument.Column(name: $0.key, plainBytes: $0.value, storedBytes: stored[$0.key] ?? 0)
    }.sorted { ($1.storedBytes, $0.name) < ($0.storedBytes, $1.name) }
  }
}
