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
    /// Frames for which a decision how to code a column holds in the end; at first it is made again after
    /// 1, 2, 4, … frames. Deciding measures each way with the codec, which takes longer than all else.
    package var framesPerDecision = 64
    /// Also compress each column on its own, to say what each costs. Doubles the codec's time.
    package var measuresColumns = false
    package init() {}
  }

  private var output: OutputFile
  let options: Options
  private var encoder: FrameEncoder
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
    encoder = FrameEncoder(
      codec: options.codec, level: options.level, framesPerDecision: options.framesPerDecision)
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

  /// The quick way for many.
  package mutating func append(
    contentsOf events: UnsafeBufferPointer<TraceEvent>
  ) throws(TraceError) {
    guard keyFrames == nil else {
      for index in events.indices { try append(unsafe events[index]) }
      return
    }
    var done = 0
    while done < events.count {
      if batch.isEmpty, events.count - done >= options.eventsPerFrame {
        // A whole frame needs no copy.
        let end = done + options.eventsPerFrame
        // Safety: a part of `events`.
        unsafe try write(frameOf: UnsafeBufferPointer(rebasing: events[done..<end]))
        done = end
        continue
      }
      let count = min(events.count - done, options.eventsPerFrame - batch.count)
      // Safety: a part of `events`.
      unsafe batch.append(contentsOf: UnsafeBufferPointer(rebasing: events[done..<(done + count)]))
      done += count
      if batch.count == options.eventsPerFrame { try flush() }
    }
  }

  /// Ends the current frame, so that everything so far can be read. A live recorder calls it in
  /// quiet periods.
  package mutating func flush() throws(TraceError) {
    guard !batch.isEmpty else { return }
    let events = batch
    batch = []
    // Safety: the pointer is used within the call only.
    try unsafe events.withUnsafeBufferPointer { (events) throws(TraceError) in
      unsafe try write(frameOf: events)
    }
    batch = events
    batch.removeAll(keepingCapacity: true)
  }

  private mutating func write(
    frameOf events: UnsafeBufferPointer<TraceEvent>
  ) throws(TraceError) {
    var frame = newFrame(.events, count: events.count)
    unsafe try encode(events, &frame)
    if encoder.summary.count(of: .loss) > 0 {
      for index in events.indices where unsafe events[index].kind == .loss {
        totals.lossGaps += 1
        unsafe totals.lostEvents &+= events[index].word0
      }
    }
    let isFirst = totals.events == 0
    totals.earliestTime =
      isFirst ? frame.earliestTime : min(totals.earliestTime, frame.earliestTime)
    totals.latestTime = max(totals.latestTime, frame.latestTime)
    totals.events += UInt64(events.count)
    try write(&frame)
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
      // Safety: the pointer is used within the call only.
      try unsafe records[start..<end].withUnsafeBufferPointer { (part) throws(TraceError) in
        unsafe try encode(part, &frame)
      }
      try write(&frame)
    }
  }

  /// Writes text for people and tools that pass on what a recorder said. It ends the current frame.
  package mutating func appendNote(_ entries: [ProvenanceEntry]) throws(TraceError) {
    guard !entries.isEmpty else { return }
    try flush()
    var frame = newFrame(.note, count: entries.count)
    try write(&frame, text: ProvenanceEntry.encode(entries))
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
    let keyFrames = UInt64(index.count { $0.kind == .snapshot && $0.isLastPart })
    return TraceSummary(
      totals: totals, keyFrames: keyFrames, sizeBytes: output.size, columnSizes: columnSizes)
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
      try store(&frame, plain)
      frames += 1
    }
    return frames
  }

  private func newFrame(_ kind: FrameKind, count: Int) -> FrameHeader {
    FrameHeader(
      kind: kind, count: count, firstOrdinal: totals.events, number: UInt64(index.count),
      fileID: header.fileID)
  }

  /// Describes events in a frame's header, and makes them the encoder's payload.
  private mutating func encode(
    _ events: UnsafeBufferPointer<TraceEvent>, _ frame: inout FrameHeader
  ) throws(TraceError) {
    unsafe encoder.encode(events, of: frame.kind)
    frame.earliestTime = encoder.summary.earliestTime
    frame.latestTime = encoder.summary.latestTime
    frame.kinds = encoder.summary.kinds
    if let unknown = frame.kinds.first(where: { !EventKind.all.contains($0.kind) }) {
      throw TraceError(
        .unknownKind, "event kind", expected: "a kind of format version \(traceFormatVersion)",
        found: "\(unknown.kind)"
      ).at(path: output.path, frame: frame.number)
    }
    guard options.measuresColumns else { return }
    for (name, size) in encoder.compressedSizes() {
      columnSizes[name, default: 0] += UInt64(size)
    }
  }

  /// Writes a frame with the encoder's payload, or with a text.
  private mutating func write(
    _ frame: inout FrameHeader, text: [UInt8]? = nil
  ) throws(TraceError) {
    let offset = output.size
    try store(
      &frame, text ?? encoder.payload.bytes, cuts: text == nil ? encoder.payload.cuts : [])
    index.append(IndexEntry(frame, offset: offset))
  }

  private mutating func store(
    _ frame: inout FrameHeader, _ plain: [UInt8], cuts: [Int] = []
  ) throws(TraceError) {
    guard plain.count <= TraceLimits.payloadSizeBytes else {
      throw TraceError(
        .usage, "payload", expected: "at most \(TraceLimits.payloadSizeBytes) bytes",
        found: "\(plain.count)"
      ).at(path: output.path, frame: frame.number)
    }
    frame.plainSize = UInt32(plain.count)
    frame.plainHash = XXH64.hash(plain)
    // Safety: the bytes are written before the call ends.
    unsafe try encoder.withStored(plain, cuts: cuts) { (bytes, codec) throws(TraceError) in
      frame.storedSize = UInt32(bytes.count)
      frame.codec = codec
      try output.write(frame.encoded())
      unsafe try output.write(bytes)
    }
  }
}

/// What a writer can say when it is done.
package struct TraceSummary: Hashable, Sendable {
  package var totals: TraceTotals
  /// Snapshots, one before the first event included.
  package var keyFrames: UInt64
  package var sizeBytes: UInt64
  package var columnSizes: [String: UInt64]
}
