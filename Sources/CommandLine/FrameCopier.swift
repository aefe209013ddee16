import EventModel
import TraceFormat

/// Copies what a scan finds into a new trace: events as they are, the parts of a snapshot as one.
/// Notes stay behind, because the provenance of the new trace says what is true of it.
struct FrameCopier {
  /// The writer makes key frames of its own: of the trace's, only what it starts with is copied.
  private let replacesKeyFrames: Bool
  /// Parts of a snapshot whose last part has not come yet.
  private var parts: [TraceEvent] = []
  private var nextPart: UInt32 = 0

  init(replacesKeyFrames: Bool = false) { self.replacesKeyFrames = replacesKeyFrames }

  /// The copier stands before a frame that follows the last one directly.
  ///
  /// - Parameter transform: what becomes of the events of a frame, or the records of a snapshot.
  mutating func copy(
    _ frame: FrameHeader, of scanner: inout TraceScanner, to writer: inout TraceWriter,
    transform: ([TraceEvent]) throws -> [TraceEvent] = { $0 }
  ) throws {
    switch frame.kind {
    case .events: try writer.append(contentsOf: transform(scanner.events()))
    case .snapshot:
      if replacesKeyFrames, frame.firstOrdinal > 0 { return }
      if frame.part == 0 { forgetParts() }
      guard frame.part == nextPart else { return }
      parts += try transform(scanner.events())
      nextPart += 1
      if frame.isLastPart {
        try writer.appendSnapshot(parts)
        forgetParts()
      }
    case .note, .index: break
    }
  }

  /// After damage: a snapshot that lost a part is of no use.
  mutating func forgetParts() {
    parts.removeAll()
    nextPart = 0
  }
}
