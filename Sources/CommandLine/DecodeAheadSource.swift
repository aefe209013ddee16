import EventModel
import Measurement
import Replay
import TraceFormat

/// A trace file as a source of events that threads of its own decode ahead, off the CPU on which the
/// device thread is measured.
struct DecodeAheadSource: EventSource, ~Copyable, @unchecked Sendable {
  // Safety of `@unchecked Sendable`: it cannot be copied, so whoever it was moved to is alone with it.
  private var reader: ParallelTraceReader
  /// What a replay plays before the first event.
  private var opening: ArraySource

  init(path: String, threads: Int) throws {
    var reader = try TraceReader(path: path)
    let records = try reader.openingRecords()
    // `PipelineExperiment` pins the device thread to the first CPU.
    let ahead = try ParallelTraceReader(
      reader, threads: threads, onCPUs: Array(ThreadPlacement.allowedCPUs.dropFirst()))
    self.reader = ahead
    opening = ArraySource(records)
  }

  mutating func fill(_ buffer: UnsafeMutableBufferPointer<TraceEvent>) throws -> Int {
    // Safety: the buffer is the caller's for the time of the call.
    let count = unsafe opening.fill(buffer)
    if count > 0 { return count }
    return unsafe try reader.decode(into: buffer)
  }

  mutating func rewind() throws {
    opening.rewind()
    try reader.rewind()
  }
}
