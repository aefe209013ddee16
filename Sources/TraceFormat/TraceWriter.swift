package import EventModel

/// Writes a trace. Use it from one thread, and call `finish`: without it the file stays partial.
///
/// Memory: one frame of events (3 MiB at most), its payload, and 56 bytes of index per frame.
package struct TraceWriter: ~Copyable {
  package struct Options: Hashable, Sendable {
    package var codec: TraceCodec = .zstd
    /// zstd −7…22; LZ4 1, and 3…12 for its slower, denser search.
    package var level = 3
    /// 1…`TraceLimits.eventsPerFrame`. Fewer make a seek and a snapshot finer, and the file larger.
    package var eventsPerFrame = TraceLimits.eventsPerFrame
    /// A key frame after so many events, or never. It holds the live configuration and what is pending,
    /// so that a replay can start there. Needs memory in proportion to the live configuration.
    package var eventsBetweenKeyFrames: Int?
    /// Also compress each column on its own, to say what each costs. Doubles the codec's time.
    package var measuresColumns = false
    package init() {}
  }

  private var output: OutputFile
  let options: Options
  private let encoder: FrameEncoder
  private var header: TraceHeader
  private var totals = TraceTotals()
  private var index: [IndexEntry] = []
  private var batch: [TraceEvent] = []
  private var columnSizes: [String: UInt64] = [:]
  /// The state before the next event, where key frames are asked for.
  var keyFrames: KeyFrameSchedule?
  /// Events that the author knows to be lost without a loss record.
  package var unrecordedLostEvents: UInt64 = 0

  /// Starts `<path>.partial`; `finish` gives it its name.
  package init(
    path: String, description: TraceDescription, options: Options = Options()
  ) throws(TraceError) {
    try self.init(OutputFile(path: path), description, options)
  }

  /// Writes to a pipe: the header cannot be completed later, so totals stand in the trailer only.
  package init(
    descriptor: Int32, name: String, description: TraceDescription, options: Options = Options()
  ) throws(TraceError) {
    try self.init(OutputFile(descriptor: descriptor, name: name), description, options)
  }

  private init(
    _ output: consuming OutputFile, _ description: TraceDescription, _ options: Options
  ) throws(TraceError) {
    precondition((1...TraceLimits.eventsPerFrame).contains(options.eventsPerFrame))
    self.output = output
    self.options = options
    encoder = FrameEncoder(codec: options.codec, level: options.level)
    keyFrames = options.eventsBetweenKeyFrames.map {
      KeyFrameSchedule(interval: $0, geometry: description.geometry)
    }
    header = TraceHeader(codec: options.codec, description: description)
    batch.reserveCapacity(options.eventsPerFrame)
    let bytes = try header.encoded()
    header.fileID = try TraceHeader.decodeFixed(Array(bytes.prefix(TraceHeader.fixedSize)))
      .header.fileID
    try self.output.write(bytes)
  }

  /// Events so far.
  package var eventCount: UInt64 { totals.events + UInt64(batch.count) }

  package mutating func append(_ event: TraceEvent) throws(TraceError) {
    if keyFrames != nil {
      if let records = keyFrames?.dueRecords() { try writeSnapshot(records) }
      keyFrames?.follow(event)
    }
    batch.append(event)
    if batch.count == options.eventsPerFrame { try flush() }
  }

  package mutating func append(contentsOf events: some Sequence<TraceEvent>) throws(TraceError) {
    for event in events { try append(event) }
  }

  /// Ends the current frame, so that everything so far can be read. A live recorder calls it in
  /// quiet periods.
  package mutating func flush() throws(TraceError) {
    guard !batch.isEmpty else { return }
    var frame = newFrame(.events, count: batch.count)
    let payload = try encode(batch, &frame)
    for event in batch where event.kind == .loss {
      totals.lossGaps += 1
      totals.lostEvents &+= event.word0
    }
    let isFirst = totals.events == 0
    totals.earliestTime =
      isFirst ? frame.earliestTime : min(totals.earliestTime, frame.earliestTime)
    totals.latestTime = max(totals.latestTime, frame.latestTime)
    totals.events += UInt64(batch.count)
    batch.removeAll(keepingCapacity: true)
    try write(&frame, payload)
  }

  /// Writes a snapshot: the configuration records that rebuild, from nothing, the state before the
  /// next event. It ends the current frame. No records: no snapshot. Key frames that the writer makes
  /// itself go on from it.
  package mutating func appendSnapshot(_ records: [TraceEvent]) throws(TraceError) {
    if !records.isEmpty { keyFrames?.restart(from: records) }
    try writeSnapshot(records)
  }

  private mutating func writeSnapshot(_ records: [TraceEvent]) throws(TraceError) {
    guard records.count <= TraceLimits.snapshotEvents else {
      throw TraceError(
        .usage, "snapshot", expected: "at most \(TraceLimits.snapshotEvents) records",
        found: "\(records.count)"
      ).at(path: output.path)
    }
    try flush()
    let step = TraceLimits.eventsPerFrame
    for start in stride(from: 0, to: records.count, by: step) {
      let end = min(start + step, records.count)
      var frame = newFrame(.snapshot, count: end - start)
      frame.part = UInt32(start / step)
      frame.isLastPart = end == records.count
      try write(&frame, encode(Array(records[start..<end]), &frame))
    }
  }

  /// Writes text for people and tools that pass on what a recorder said. It ends the current frame.
  package mutating func appendNote(_ entries: [ProvenanceEntry]) throws(TraceError) {
    guard !entries.isEmpty else { return }
    try flush()
    var frame = newFrame(.note, count: entries.count)
    try write(&frame, FrameEncoder.Payload(bytes: ProvenanceEntry.encode(entries)))
  }

  /// Completes the trace and makes it durable under its name.
  ///
  /// - Returns: the totals, and, if asked for, bytes by column name.
  package consuming func finish() throws(TraceError) -> TraceSummary {
    try flush()
    totals.lostEvents &+= unrecordedLostEvents
    totals.frames = UInt64(index.count)
    let indexOffset = output.size
    let indexFrames = try writeIndex()
    let trailer = TraceTrailer(
      indexOffset: indexOffset, indexFrames: indexFrames, totals: totals, fileID: header.fileID,
      fileSize: output.size + UInt64(TraceTrailer.size))
    try output.write(trailer.encoded())
    if !output.isStream {
      header.totals = totals
      try output.patch(Array(header.encoded().prefix(TraceHeader.fixedSize)))
    }
    try output.commit()
    return TraceSummary(totals: totals, sizeBytes: output.size, columnSizes: columnSizes)
  }

  private mutating func writeIndex() throws(TraceError) -> UInt64 {
    var frames: UInt64 = 0
    for start in stride(from: 0, to: index.count, by: TraceLimits.entriesPerIndexFrame) {
      let end = min(start + TraceLimits.entriesPerIndexFrame, index.count)
      var plain: [UInt8] = []
      for entry in index[start..<end] { entry.encode(to: &plain) }
      var frame = FrameHeader(
        kind: .index, count: end - start, firstOrdinal: UInt64(start),
        number: totals.frames + frames, fileID: header.fileID)
      try store(&frame, FrameEncoder.Payload(bytes: plain))
      frames += 1
    }
    return frames
  }

  private func newFrame(_ kind: FrameKind, count: Int) -> FrameHeader {
    FrameHeader(
      kind: kind, count: count, firstOrdinal: totals.events, number: UInt64(index.count),
      fileID: header.fileID)
  }

  private mutating func encode(
    _ events: [TraceEvent], _ frame: inout FrameHeader
  ) throws(TraceError) -> FrameEncoder.Payload {
    var counts = [UInt32](repeating: 0, count: 256)
    frame.earliestTime = events[0].time
    frame.latestTime = events[0].time
    for event in events {
      counts[Int(event.kind.rawValue)] += 1
      frame.earliestTime = min(frame.earliestTime, event.time)
      frame.latestTime = max(frame.latestTime, event.time)
    }
    for (value, count) in counts.enumerated() where count > 0 {
      let kind = EventKind(rawValue: UInt8(value))
      guard EventKind.all.contains(kind) else {
        throw TraceError(
          .unknownKind, "event kind", expected: "a kind of format version \(traceFormatVersion)",
          found: "\(kind)"
        ).at(path: output.path, frame: frame.number)
      }
      frame.kinds.append(FrameHeader.KindCount(kind: kind, count: count))
    }
    let payload = encoder.encode(events)
    for column in payload.columns where options.measuresColumns {
      let bytes = Array(payload.bytes[column.bytes])
      columnSizes[column.name, default: 0] += UInt64(
        encoder.columns.compressor.compress(bytes).bytes.count)
    }
    return payload
  }

  private mutating func write(
    _ frame: inout FrameHeader, _ payload: FrameEncoder.Payload
  ) throws(TraceError) {
    let offset = output.size
    try store(&frame, payload)
    index.append(IndexEntry(frame, offset: offset))
  }

  private mutating func store(
    _ frame: inout FrameHeader, _ payload: FrameEncoder.Payload
  ) throws(TraceError) {
    let plain = payload.bytes
    guard plain.count <= TraceLimits.payloadSizeBytes else {
      throw TraceError(
        .usage, "payload", expected: "at most \(TraceLimits.payloadSizeBytes) bytes",
        found: "\(plain.count)"
      ).at(path: output.path, frame: frame.number)
    }
    let stored = encoder.columns.compressor.compress(plain, cuts: payload.cuts)
    frame.plainSize = UInt32(plain.count)
    frame.plainHash = XXH64.hash(plain)
    frame.storedSize = UInt32(stored.bytes.count)
    frame.codec = stored.codec
    try output.write(frame.encoded() + stored.bytes)
  }
}

/// What a writer can say when it is done.
package struct TraceSummary: Hashable, Sendable {
  package var totals: TraceTotals
  package var sizeBytes: UInt64
  package var columnSizes: [String: UInt64]
}
