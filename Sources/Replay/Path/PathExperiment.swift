public import EventModel
public import Measurement

/// The experiment `path`: what does one delivery cost? Closed loop, one interrupt in flight.
///
/// The device thread translates and hands over: through a ring to the vCPU thread, or, in a design
/// that delivers through an eventfd, by writing a real one, on which an injector thread sleeps; that
/// injects and hands over to the vCPU thread. With a second eventfd a VMM thread stands between the two
/// and passes the signal on (`bounce`). The vCPU thread acknowledges and answers.
///
///   device ── translate ─┬─────────────────────── ring ───────────────────────┬─ seen ─ acknowledge
///                        └─ eventfd ─ (VMM ─ eventfd) ─ wake-up ─ inject ─ ring ┘
///
/// One eventfd serves all routes; the route's number travels in a ring beside it. The kernel's own
/// irqfd injects in the context of the writer and needs no wake-up when its cached route suffices; the
/// injector thread stands for its slow path, the work queue.
///
/// All figures are service times: from the actual start, with nothing else in flight, to the end of
/// the acknowledge on the vCPU thread. `roundTrip` goes on until the device thread has the answer.
/// Nothing is allocated between the first and the last measured interrupt, but by `configure`. DMA,
/// maintenance and set-up events are replayed between interrupts, unmeasured; recorded acknowledges are
/// left out, because the vCPU thread takes each interrupt at once. One that is found pending already
/// (a command made it so) has nobody to take it: it is counted as coalesced and cleared.
@usableFromInline package struct PathExperiment: Sendable {
  @usableFromInline package struct Options: Sendable {
    @usableFromInline package var interrupts = 5_000
    /// Before the first that is measured, but for a quarter of the time at most.
    @usableFromInline package var warmUpInterrupts = 500
    /// Between device and injector, in a design that delivers through an eventfd: 1, or 2 for `bounce`.
    @usableFromInline package var eventfdHops = 1
    /// Ends the run early; what was measured until then counts.
    @usableFromInline package var limitNanoseconds: UInt64 = 5_000_000_000
    @usableFromInline package init() {}
  }

  @usableFromInline package struct Result: Sendable {
    @usableFromInline package var total = LatencyHistogram()
    /// From the same start until the device thread has the answer.
    @usableFromInline package var roundTrip = LatencyHistogram()
    /// The stages of the very interrupt that stands at this percentile of the total.
    @usableFromInline package var atPercentile: [(percent: Double, stages: DeliveryStages)] = []
    /// The stages that the design has.
    @usableFromInline package var stageSet = StageSet()
    @usableFromInline package var account: DeliveryAccount
    /// Why a thread does not have a CPU of its own; empty if all have.
    @usableFromInline package var placement: [String]

    @usableFromInline package var lost: UInt64 { account.lost }
    @usableFromInline package var coalesced: UInt64 { account.coalesced }

    init(_ measured: PathSession.Measured, placement: [String]) {
      account = measured.account
      stageSet = measured.stageSet
      self.placement = placement
      for sample in measured.samples {
        total.record(sample.stages.total)
        roundTrip.record(sample.roundTrip)
      }
      let sorted = measured.samples.map(\.stages).sorted { $0.total < $1.total }
      for percent in PacedLoop.stagePercents where !sorted.isEmpty {
        // One step down, so that rounding cannot lift an exact rank to the next one.
        let rank = (Double(sorted.count) * percent.nextDown / 100).rounded(.up)
        atPercentile.append((percent, sorted[max(0, Int(rank) - 1)]))
      }
    }
  }

  @usableFromInline package enum Failure: Error, CustomStringConvertible {
    case thread(WorkerThreadError)
    case eventfd(code: Int32)
    case noInterrupts

    @usableFromInline package var description: String {
      switch self {
      case .thread(let error): error.description
      case .eventfd(let code): "an eventfd could not be made or used (errno \(code))"
      case .noInterrupts:
        "the trace holds no interrupt that is delivered: 'path' has nothing to measure"
      }
    }
  }

  @usableFromInline package let events: [TraceEvent]
  @usableFromInline package let options: Options

  @usableFromInline package init(_ events: [TraceEvent], _ options: Options) {
    self.events = events
    self.options = options
  }

  /// Runs on threads of its own and returns when they have ended.
  @inlinable
  package func run<Backend: TranslationBackend & ~Copyable>(
    through backend: inout Backend
  ) throws(Failure) -> Result {
    let hops = backend.deliversThroughEventfd ? max(1, options.eventfdHops) : 0
    let session = try PathSession(eventfdHops: hops)
    // Safety: the pointer outlives the threads, which are joined below; whose turn it is to use the
    // backend is decided by the messages, each of which orders what came before it.
    return try unsafe withUnsafeMutablePointer(to: &backend) { pointer throws(Failure) -> Result in
      let shared = unsafe PathSession.Shared(pointer)
      let experiment = self
      var threads: [WorkerThread] = []
      do throws(WorkerThreadError) {
        threads.append(try WorkerThread("vCPU", onCPU: 1) { session.runVCPU(shared) })
        if hops > 0 {
          threads.append(
            try WorkerThread("injector", onCPU: 2) { session.runInjector(shared) })
        }
        for hop in (0..<max(0, hops - 1)).reversed() {
          threads.append(try WorkerThread("VMM", onCPU: 3 + hop) { session.runRelay(hop) })
        }
        threads.append(
          try WorkerThread("device", onCPU: 0) { session.runDevice(shared, experiment) })
      } catch {
        session.abandon(started: threads.count)
        for thread in threads { thread.join() }
        throw .thread(error)
      }
      let placement = threads.compactMap { $0.join() }
      return try session.result(placement: placement)
    }
  }
}
