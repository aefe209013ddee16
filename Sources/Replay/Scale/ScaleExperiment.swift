public import EventModel

/// The experiment `scale`: what do more device threads give? The stream of events is cut by StreamID into
/// shards, one device thread each; the interrupts that they make pending go to the vCPU threads.
///
///   reader ─┬─ ring ─ device thread 0 ─┬─ ring ─┬─ vCPU thread 0
///           └─ ring ─ device thread 1 ─┴─ ring ─┴─ vCPU thread 1       a ring for every pair
///
/// Order. All traffic of one StreamID goes to one shard, in order, so an interrupt never passes the DMA
/// that it announces. Set-up, maintenance and acknowledges concern tables that streams share: each shard
/// has tables of its own and is given all of these events at their places, so that each stream meets the
/// tables as one thread would have shown them. That work is repeated on every shard, which bounds what
/// more threads can give; a trace in which one device has most of the traffic gains nothing.
///
/// No vCPU is waited for: recorded acknowledges clear what was pending, as in `core`.
@usableFromInline
package struct ScaleExperiment: Sendable {
  @usableFromInline package struct Options: Sendable {
    @usableFromInline package var deviceThreads = 1
    @usableFromInline package var vCPUs = 1
    /// Times that the events are played.
    @usableFromInline package var passes = 20
    @usableFromInline package var ringCapacity = 8_192
    @usableFromInline package var batch = 1_024
    /// Keep what each vCPU saw, for a check of the order. Allocates.
    @usableFromInline package var keepsNotes = false
    @usableFromInline package init() {}

    /// Device threads, vCPU threads and the reader.
    package var threads: Int { deviceThreads + vCPUs + 1 }
  }

  /// One delivered interrupt, as a vCPU thread sees it.
  @usableFromInline package struct Note: BitwiseCopyable, Hashable, Sendable {
    @usableFromInline package var streamID: UInt32
    @usableFromInline package var intid: UInt32
    @usableFromInline package var target: InterruptTarget
    /// DMA accesses of the stream that its device thread had translated.
    @usableFromInline package var accessesBefore: UInt64

    @usableFromInline
    package init(streamID: UInt32, intid: UInt32, target: InterruptTarget, accessesBefore: UInt64) {
      self.streamID = streamID
      self.intid = intid
      self.target = target
      self.accessesBefore = accessesBefore
    }
  }

  @usableFromInline package struct Result: Sendable {
    /// Events read, each counted once.
    @usableFromInline package var events: UInt64 = 0
    /// All shards together; the digest is the sum of theirs.
    @usableFromInline package var tally = PassTally()
    /// Interrupts that arrived at vCPU threads.
    @usableFromInline package var taken: UInt64 = 0
    @usableFromInline package var nanoseconds: UInt64 = 0
    /// By vCPU thread, in the order of arrival; empty unless asked for.
    @usableFromInline package var notes: [[Note]] = []
    @usableFromInline package var placement: [String] = []
    @usableFromInline init() {}

    /// Nothing was lost between the threads, and the account holds.
    package var isConserved: Bool { tally.isConserved && taken == tally.delivered }
  }

  @usableFromInline let events: [TraceEvent]
  @usableFromInline let options: Options

  /// Traps unless there are between 1 and 1,024 threads of each kind.
  @usableFromInline package init(_ events: [TraceEvent], _ options: Options) {
    precondition((1...1_024).contains(options.deviceThreads) && (1...1_024).contains(options.vCPUs))
    self.events = events
    self.options = options
  }

  /// The shard of a stream.
  @inlinable package static func shard(of streamID: UInt32, of count: Int) -> Int {
    // Fibonacci hashing: neighbouring StreamIDs go to different shards whatever the count.
    Int(truncatingIfNeeded: (UInt64(streamID) &* 0x9E37_79B9_7F4A_7C15) >> 40) % count
  }

  @inlinable
  package func run<Backend: TranslationBackend & ~Copyable>(
    makeBackend: @escaping @Sendable () -> Backend
  ) throws(WorkerThreadError) -> Result {
    let session = ScaleSession(options)
    let options = options
    return try session.perform(events, options) { shard in
      var backend = makeBackend()
      session.serve(shard, &backend, batch: options.batch)
    }
  }
}
