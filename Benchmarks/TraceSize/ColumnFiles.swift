import EventModel
import Glibc
import TraceFormat

enum ColumnFiles {
  struct Failure: Error {
    var path: String
  }

  static func read(_ path: String) throws -> [TraceEvent] {
    var reader = try TraceReader(path: path)
    let batch = UnsafeMutableBufferPointer<TraceEvent>.allocate(capacity: 4096)
    defer { unsafe batch.deallocate() }
    var events: [TraceEvent] = []
    while true {
      // Safety: `decode` writes the first `count` records, and only those are copied.
      let count = unsafe try reader.decode(into: batch)
      if count == 0 { return events }
      unsafe events.append(contentsOf: batch[..<count])
    }
  }

  /// Time, kind, StreamID, IOVA, PA, data, permission; everything else is left out.
  static func access(_ event: TraceEvent) -> TraceEvent {
    TraceEvent(
      time: event.time, kind: event.kind, word0: event.iova, word1: event.expectedAddress,
      word2: UInt64(event.streamID), word3: event.kind == .msi ? UInt64(event.data) : 0,
      flags: event.flags.intersection([.readable, .writable]))
  }

  /// Bytes of a trace of these events, and nanoseconds of processor time in which one thread reads it
  /// from the page cache and decodes it: the least of several passes.
  static func traceCost(
    _ events: [TraceEvent], _ codec: TraceCodec, _ level: Int, folder: String
  ) throws -> (bytes: UInt64, nanoseconds: UInt64) {
    let path = folder + "/size.dbtrace"
    var options = TraceWriter.Options()
    options.codec = codec
    options.level = level
    var writer = try TraceWriter(
      path: path, description: TraceDescription(), options: options)
    try writer.append(contentsOf: events)
    let bytes = try writer.finish().sizeBytes
    let batch = UnsafeMutableBufferPointer<TraceEvent>.allocate(capacity: 1024)
    defer { unsafe batch.deallocate() }
    var least = UInt64.max
    for _ in 0..<25 {
      let start = processorTime
      var reader = try TraceReader(path: path)
      var seen = 0
      // Safety: nobody reads the records.
      while case let count = unsafe try reader.decode(into: batch), count > 0 { seen += count }
      least = min(least, processorTime - start)
      precondition(seen == events.count)
    }
    return (bytes, least)
  }

  private static var processorTime: UInt64 {
    var time = timespec()
    // Safety: `time` outlives the call.
    unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }

  static func writeAll(_ events: [TraceEvent], folder: String) throws {
    let set = folder + "/all."
    try write(set + "time.64", events.map(\.time))
    try write(set + "word0.64", events.map(\.word0))
    try write(set + "word1.64", events.map(\.word1))
    try write(set + "word2.64", events.map(\.word2))
    try write(set + "word3.64", events.map(\.word3))
    try write(set + "target.16", events.map(\.target.rawValue))
    try write(set + "vector.16", events.map(\.vector))
    try write(set + "kind.8", events.map(\.kind.rawValue))
    try write(set + "flags.8", events.map(\.flags.rawValue))
    try write(set + "outcome.8", events.map(\.outcome.rawValue))
    try write(set + "origin.8", events.map(\.origin.rawValue))
  }

  static func writeAccess(_ events: [TraceEvent], folder: String) throws {
    let set = folder + "/access."
    try write(set + "time.64", events.map(\.time))
    try write(set + "kind.8", events.map(\.kind.rawValue))
    try write(set + "stream.32", events.map(\.streamID))
    try write(set + "iova.64", events.map(\.word0))
    try write(set + "pa.64", events.map(\.word1))
    try write(set + "data.32", events.map(\.data))
    try write(set + "permission.8", events.map(\.flags.rawValue))
  }

  private static func write<Value: FixedWidthInteger & BitwiseCopyable>(
    _ path: String, _ values: [Value]
  ) throws {
    let little = values.map(\.littleEndian)
    // Safety: the path is a valid C string, and the array stays in place during the writes.
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o666)
    guard descriptor >= 0 else { throw Failure(path: path) }
    defer { close(descriptor) }
    try unsafe little.withUnsafeBytes { bytes in
      var done = 0
      while done < bytes.count {
        let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[done...])
        let put = unsafe Glibc.write(descriptor, rest.baseAddress, rest.count)
        guard put > 0 else { throw Failure(path: path) }
        done += put
      }
    }
  }
}
