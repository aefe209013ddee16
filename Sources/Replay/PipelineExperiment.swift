public import EventModel
public import Measurement
public import RingBuffer

/// The whole way of a trace, end to end: a reader thread decodes straight into ring slots, the device
/// thread drains them through the backend. Says how many events per second the two sustain together,
/// and who waited for whom. Memory is that of the ring and the source, whatever the trace's length.
@usableFromInline package struct PipelineExperiment: Sendable {
  @usableFromInline package struct Options: Sendable {
    /// Slots of the ring: 8,192 × 48 bytes stay in the second-level caches of the two cores.
    @usableFromInline package var ringCapacity = 8_192
    /// Events that the reader decodes at a time, and that the device thread takes at a time.
    @usableFromInline package var batch = 2_048
    @usableFromInline package init() {}
  }

  @usableFromInline package struct Result: Sendable {
    @usableFromInline package var events: UInt64 = 0
    @usableFromInline package var tally = PassTally()
    @usableFromInline package var nanoseconds: UInt64 = 0
    /// Times that a thread found the ring full, or empty, and how long it then waited.
    @usableFromInline package var readerWaits: UInt64 = 0
    @usableFromInline package var readerWaitNanoseconds: UInt64 = 0
    @usableFromInline package var deviceWaits: UInt64 = 0
    @usableFromInline package var deviceWaitNanoseconds: UInt64 = 0
    /// Why a thread does not have a CPU of its own; empty if both have.
    @usableFromInline package var placement: [String] = []
    @usableFromInline package var residentBytes: UInt64 = 0
    /// What ended the reader early.
    @usableFromInline package var sourceError: (any Error)?
    @usableFromInline package init() {}
  }

  @usableFromInline package let options: Options
  @usableFromInline package init(_ options: Options = Options()) { self.options = options }

  /// - Parameter source: consumed by the reader thread.
  @inlinable
  package func run<Backend: TranslationBackend & ~Copyable, Source: EventSource & ~Copyable>(
    _ source: consuming Source, through backend: inout Backend
  ) throws(WorkerThreadError) -> Result where Source: Sendable, Source: SendableMetatype {
    let ring = SPSCRing<TraceEvent>(capacity: options.ringCapacity)
    let ends = ReaderEnd(HandOff(ring.producer), HandOff(source), batch: options.batch)
    var consumer = ring.consumer
    let clock = CycleClock.shared
    var result = Result()
    if let reason = ThreadPlacement.pin(toAllowed: 0) {
      result.placement.append("device thread not on a CPU of its own: \(reason)")
    }
    defer { ThreadPlacement.unpin() }
    let reader = try WorkerThread("reader", onCPU: 1) { ends.run() }
    var waitTicks: UInt64 = 0
    let start = clock.now()
    while true {
      // Safety: the slots belong to this side until they are released.
      var batch = unsafe consumer.peek(upTo: options.batch)
      if batch.isEmpty {
        let begin = clock.now()
        unsafe batch = consumer.peek(upTo: options.batch, waiting: SpinThenYieldWait())
        result.deviceWaits += 1
        waitTicks &+= clock.now() &- begin
        if batch.isEmpty { break }
      }
      unsafe replay(batch, through: &backend, &result.tally)
      result.events += UInt64(batch.count)
      consumer.release(batch.count)
    }
    result.nanoseconds = clock.nanoseconds(from: start, to: clock.now())
    if let reason = reader.join() { result.placement.append(reason) }
    let ended = ends.outcome()
    result.readerWaits = ended.waits
    result.readerWaitNanoseconds = clock.nanoseconds(from: 0, to: ended.waitTicks)
    result.deviceWaitNanoseconds = clock.nanoseconds(from: 0, to: waitTicks)
    result.sourceError = ended.error
    result.residentBytes = ThreadPlacement.residentBytes
    return result
  }
}
