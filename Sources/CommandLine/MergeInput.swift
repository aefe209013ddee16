import EventModel
import TraceFormat

/// One input of a merge: its next event, with the offset added, and some thousand behind it.
final class MergeInput {
  let header: TraceHeader
  private(set) var head: TraceEvent?
  private let path: String
  private let offset: Int64
  private var source: TraceFileSource
  private var batch: [TraceEvent]
  private var position = 0
  private var filled = 0

  init(path: String, offset: Int64) throws {
    self.path = path
    self.offset = offset
    // A trace that starts with a snapshot brings its tables along as events.
    source = try TraceFileSource(path: path, forReplay: true)
    header = source.header
    batch = [TraceEvent](repeating: TraceEvent(time: 0, kind: .mark), count: 8_192)
    try advance()
  }

  /// The head's time; after the end later than any.
  var headTime: UInt64 { head?.time ?? .max }

  func advance() throws {
    if position == filled {
      position = 0
      // Safety: the pointer is used during the call only.
      filled = unsafe try batch.withUnsafeMutableBufferPointer { unsafe try source.fill($0) }
      if filled == 0 {
        head = nil
        return
      }
    }
    var event = batch[position]
    position += 1
    let magnitude = offset.magnitude
    let (time, overflow) =
      offset < 0
      ? event.time.subtractingReportingOverflow(magnitude)
      : event.time.addingReportingOverflow(magnitude)
    guard !overflow else {
      throw Failure(
        "\(path): offset \(offset) ns moves an event at \(event.time) ns out of the time line; "
          + "give the other inputs larger offsets instead")
    }
    event.time = time
    head = event
  }
}
