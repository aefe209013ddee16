import EventModel
import TraceFormat

/// Where a trace can be cut so that its parts, added up, are the whole.
enum ShardCuts {
  /// Cuts where at least `size` events have passed and nothing waits for its invalidation: there a part
  /// needs no events from before it, and none is counted twice.
  /// - Returns: events of the trace, and the first ordinals of its parts.
  static func find(_ path: String, size: UInt64) throws -> (events: UInt64, cuts: [UInt64]) {
    var source = try TraceFileSource(path: path)
    if let events = source.totals?.events, events <= size { return (events, [0]) }
    var state = try source.stateAtStart()
    var (ordinal, cuts): (UInt64, [UInt64]) = (0, [0])
    var progress = Progress("plan")
    let total = source.totals?.events
    try source.forEachBatch { batch in
      for event in batch {
        if ordinal - cuts[cuts.count - 1] >= size, state.isSettled { cuts.append(ordinal) }
        state.apply(event)
        ordinal += 1
      }
      progress.update(ordinal, of: total)
      return true
    }
    progress.finish()
    return (ordinal, cuts)
  }
}
