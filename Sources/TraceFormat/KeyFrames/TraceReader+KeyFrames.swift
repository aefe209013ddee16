package import EventModel

/// A place where a replay may start.
package struct KeyFrame: Hashable, Sendable {
  /// The ordinal of the event that follows.
  package var ordinal: UInt64
  /// The time of the event before it; 0 at the start of the trace.
  package var time: UInt64
}

extension TraceReader {
  /// Every place where a replay may start: the beginning, and each key frame. From the index.
  package mutating func keyFrames() throws(TraceError) -> [KeyFrame] {
    var keyFrames = [KeyFrame(ordinal: 0, time: 0)]
    for entry in try index().entries where entry.kind == .snapshot && entry.isLastPart {
      let keyFrame = KeyFrame(ordinal: entry.firstOrdinal, time: entry.latestTime)
      // Two snapshots before one event: the later counts.
      if keyFrames.last?.ordinal == keyFrame.ordinal { keyFrames.removeLast() }
      keyFrames.append(keyFrame)
    }
    return keyFrames
  }

  /// The last place at or before `ordinal` where a replay may start.
  package mutating func keyFrame(before target: UInt64) throws(TraceError) -> KeyFrame {
    try keyFrames().last { $0.ordinal <= target } ?? KeyFrame(ordinal: 0, time: 0)
  }

  /// Continues with the event behind a key frame.
  ///
  /// - Returns: the configuration records to play first; none at the beginning of a trace that does
  ///   not start with a snapshot.
  package mutating func seek(toKeyFrame keyFrame: KeyFrame) throws(TraceError) -> [TraceEvent] {
    let snapshot = try snapshot(before: keyFrame.ordinal)
    guard keyFrame.ordinal == 0 || snapshot?.ordinal == keyFrame.ordinal else {
      throw TraceError(
        .usage, "key frame", expected: "one before event \(keyFrame.ordinal)",
        found: snapshot.map { "the last one before event \($0.ordinal)" } ?? "none"
      ).at(path: path)
    }
    try seek(toOrdinal: keyFrame.ordinal)
    return snapshot?.records ?? []
  }

  /// Continues with the event of this ordinal, and says what a replay from there must know: from the
  /// last key frame before it and the events since. Decodes what lies between the two.
  package mutating func seek(
    withStateToOrdinal target: UInt64
  ) throws(TraceError) -> ConfigurationState {
    var state = ConfigurationState(geometry: header.description.geometry)
    let start = try keyFrame(before: target)
    for record in try seek(toKeyFrame: start) { state.apply(record) }
    let batch = UnsafeMutableBufferPointer<TraceEvent>.allocate(capacity: 1024)
    defer { unsafe batch.deallocate() }
    while ordinal < target {
      let limit = Int(min(UInt64(batch.count), target - ordinal))
      // Safety: a part of `batch`, of which `decode` writes the first `count` records.
      let part = unsafe UnsafeMutableBufferPointer(rebasing: batch[..<limit])
      let count = unsafe try decode(into: part)
      guard count > 0 else {
        throw TraceError(.usage, "ordinal", expected: "0…\(ordinal)", found: "\(target)")
          .at(path: path)
      }
      for index in 0..<count { unsafe state.apply(part[index]) }
    }
    return state
  }
}
