import EventModel
import TraceFormat

/// Where a trace can be cut so that its parts, added up, are the whole.
enum ShardCuts {
  static func events(of path: String) throws -> UInt64 {
    var source = try TraceFileSource(path: path)
    if source.totals == nil { try source.forEachBatch { _ in true } }
    guard let events = source.totals?.events, events > 0 else {
      throw Failure("\(path): holds no event; leave it out")
    }
    return events
  }

  /// First ordinals of parts of at least `size` events each. What is left at the end is a part as well, if it is
  /// an eighth of that.
  ///
  /// Cuts are made where nothing waits for its invalidation: there a part needs no events from before it, and
  /// none is counted twice. Of those places, a key frame is taken, from which a part is read at once; if none
  /// comes within half a size more, any.
  static func find(_ path: String, size: UInt64) throws -> [UInt64] {
    var source = try TraceFileSource(path: path)
    let keyFrames = source.keyFrameOrdinals()
    var state = try source.stateAtStart()
    var (ordinal, cuts): (UInt64, [UInt64]) = (0, [0])
    var progress = Progress("plan")
    let total = try source.totals?.events ?? events(of: path)
    guard total > size else { return [0] }
    try source.forEachBatch { batch in
      for event in batch {
        let length = ordinal - cuts[cuts.count - 1]
        if length >= size, total - ordinal >= size / 8, state.isSettled,
          length >= size + size / 2 || keyFrames.isEmpty || keyFrames.contains(ordinal)
        {
          cuts.append(ordinal)
        }
        state.apply(event)
        ordinal += 1
      }
      progress.update(ordinal, of: total)
      return true
    }
    progress.finish()
    return cuts
  }
}
