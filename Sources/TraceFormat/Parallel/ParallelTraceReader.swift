package import EventModel

/// Reads a trace in order like `TraceReader`, but frames are decoded ahead by threads of their own, so
/// that the caller's core only takes records.
///
///     var reader = try ParallelTraceReader(TraceReader(path: path), threads: 3)
///     while true {
///       let events = unsafe try reader.next()          // a whole frame, in place
///       if events.isEmpty { break }
///     }
///
/// Checks, errors and their order are those of `TraceReader`: everything before a damaged frame comes
/// first, then its error, at every further call. Memory: `2 × threads` frames, each about 5 MiB at
/// the largest frames of recordings. Use it from one thread; when it goes away, its threads are
/// joined.
package struct ParallelTraceReader: ~Copyable {
  package let header: TraceHeader
  /// As `TraceReader.totals`.
  package private(set) var totals: TraceTotals?
  /// The ordinal of the next event.
  package private(set) var ordinal: UInt64
  package let threadCount: Int
  package let isSeekable: Bool
  package let path: String
  private let cpus: [Int32]
  private let pipeline: DecodePipeline
  private var threads: DecodeThreads
  /// What was left of the frame that the reader was in.
  private var head: RawBuffer
  private var headCount: Int
  /// The frame whose records are out, and how many of them `decode` has copied.
  private var frame = 0
  private var position = 0
  private var isHolding = false
  private var isAtEnd = false
  private var deferredError: TraceError?

  /// - Parameters:
  ///   - reader: where it stands, this reader goes on.
  ///   - cpus: where the threads may run, such as all but the measured one; empty: anywhere.
  package init(
    _ reader: consuming TraceReader, threads count: Int, onCPUs cpus: [Int] = []
  ) throws(TraceError) {
    precondition(count >= 1)
    var reader = reader
    header = reader.header
    totals = reader.totals
    ordinal = reader.ordinal
    isSeekable = reader.isSeekable
    path = reader.path
    threadCount = count
    self.cpus = cpus.map { Int32($0) }
    deferredError = reader.deferredError
    headCount = reader.decoder.remaining
    head = RawBuffer(capacity: headCount * MemoryLayout<TraceEvent>.stride)
    // Safety: room for as many records as remain.
    _ = unsafe reader.decoder.decode(
      into: UnsafeMutableBufferPointer(
        start: head.base.bindMemory(to: TraceEvent.self, capacity: headCount), count: headCount))
    pipeline = DecodePipeline(reader, slotCount: count * 2)
    threads = try DecodeThreads(count, onCPUs: self.cpus, pipeline)
  }

  /// The next events, in place: what is left of a frame. Empty at the end. They stay valid until the
  /// next call.
  @unsafe package mutating func next() throws(TraceError) -> UnsafeBufferPointer<TraceEvent> {
    if position < headCount { return unsafe rest(of: head.base, headCount) }
    headCount = 0
    if let deferredError { throw deferredError }
    while !isAtEnd {
      if !isHolding {
        isHolding = true
        position = 0
      }
      // Safety: the slot is this thread's until it is released; its records are `count` long.
      let slot = unsafe pipeline.take(frame)
      switch unsafe slot.pointee.content {
      case .events:
        let count = unsafe slot.pointee.count
        if position < count { return unsafe rest(of: slot.pointee.records.base, count) }
      case .other: break
      case .end(let totals):
        isAtEnd = true
        self.totals = totals ?? self.totals
        continue
      case .error(let error):
        deferredError = error
        throw error
      }
      pipeline.release(frame)
      frame += 1
      isHolding = false
    }
    return unsafe UnsafeBufferPointer(start: nil, count: 0)
  }

  /// The records that were not given out.
  private mutating func rest(
    of records: UnsafeMutableRawPointer, _ count: Int
  ) -> UnsafeBufferPointer<TraceEvent> {
    // Safety: the buffer holds `count` records.
    let base = unsafe records.assumingMemoryBound(to: TraceEvent.self)
    let rest = unsafe UnsafeBufferPointer(start: base + position, count: count - position)
    position = count
    ordinal += UInt64(rest.count)
    return unsafe rest
  }

  /// Fills `output` with the next events, across frames, and says how many; 0 at the end. As
  /// `TraceReader.decode`, at the price of a copy.
  package mutating func decode(
    into output: UnsafeMutableBufferPointer<TraceEvent>
  ) throws(TraceError) -> Int {
    if let deferredError { throw deferredError }
    var filled = 0
    while filled < output.count {
      var events: UnsafeBufferPointer<TraceEvent>
      do throws(TraceError) {
        unsafe events = try next()
      } catch {
        if filled > 0 { break }
        throw error
      }
      guard !events.isEmpty, let base = output.baseAddress else { break }
      let count = min(events.count, output.count - filled)
      // Safety: both regions have `count` records; the slot's records are not moved meanwhile.
      unsafe (base + filled).update(from: events.baseAddress!, count: count)
      giveBack(events.count - count)
      filled += count
    }
    return filled
  }

  /// The last records of `next` come again.
  private mutating func giveBack(_ count: Int) {
    position -= count
    ordinal -= UInt64(count)
  }

  /// Starts again at the first event. Joins the threads and starts them anew.
  package mutating func rewind() throws(TraceError) {
    threads.stop()
    try pipeline.rewind()
    frame = 0
    position = 0
    headCount = 0
    ordinal = 0
    isHolding = false
    isAtEnd = false
    deferredError = nil
    threads = try DecodeThreads(threadCount, onCPUs: cpus, pipeline)
  }
}
