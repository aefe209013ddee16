public import EventModel

/// The experiment `paced`: what would this host have seen? An open loop over the interrupts of a trace;
/// `PacedLoop` says what is measured.
///
///   sender ─ ring ─ device thread ─ translate ─┬──────────────── ring ────────────────┬─ seen ─ taken
///   (its vCPU is the same thread)              └─ eventfd ─ (VMM) ─ injector ─ ring ──┘
///       ▲                                                                              │
///       └───────────── the acknowledge goes back to the device thread ◄────────────────┘
///
/// The device thread owns the backend. Ahead of time, while it waits for an interrupt to be sent, it
/// replays the DMA, maintenance and set-up that the trace holds before it; an interrupt is translated
/// only after that, so it cannot pass the DMA that it announces. If the device is behind, that work is
/// part of the ring wait of the interrupts that are sent meanwhile. A recorded acknowledge is left out:
/// the vCPU takes each interrupt when it sees it, which ends its response; the pending bit is cleared by
/// the device thread before the next interrupt. Until then another one of the same vector coalesces, a few
/// dozen nanoseconds longer than hardware would let it (`Tests/Models/pending.pml`).
///
/// A design that delivers through an eventfd has a second thread that uses its tables, the injector. A
/// spin lock keeps the two apart, as the locks of KVM's vgic do, and is part of what is measured.
@usableFromInline
package struct PacedExperiment: Sendable {
  @usableFromInline package struct Options: Sendable {
    package var loop = PacedLoop.Options()
    /// Interrupts that a ring between two threads holds. A full ring makes the sender late.
    @usableFromInline package var ringCapacity = 16_384
    /// As in `PathExperiment.Options`.
    @usableFromInline package var eventfdHops = 1
    @usableFromInline package init() {}
  }

  @usableFromInline let events: [TraceEvent]
  @usableFromInline let options: Options
  let recorded: [UInt64]

  @usableFromInline package init(_ events: [TraceEvent], _ options: Options) {
    self.events = events
    self.options = options
    recorded = events.filter { $0.kind == .msi }.map(\.time)
  }

  /// Runs on threads of its own and returns when they have ended.
  @inlinable
  package func run<Backend: TranslationBackend & ~Copyable>(
    through backend: inout Backend
  ) throws(PathExperiment.Failure) -> PacedResult {
    let hops = backend.deliversThroughEventfd ? max(1, options.eventfdHops) : 0
    let session = try makeSession(hops: hops)
    // Safety: the pointer outlives the threads, which are joined below; the device thread and the
    // injector use the backend under `session.lock`, and without an injector only the former does.
    return try unsafe withUnsafeMutablePointer(to: &backend) {
      pointer throws(PathExperiment.Failure) -> PacedResult in
      let shared = unsafe PathSession.Shared(pointer)
      let events = events
      var bodies: [(name: String, cpu: Int, body: @Sendable () -> Void)] = [
        ("device", 0, { session.runDevice(shared, events) })
      ]
      if hops > 0 { bodies.append(("injector", 2, { session.runInjector(shared) })) }
      for hop in 0..<max(0, hops - 1) {
        bodies.append(("VMM", 3 + hop, { session.runRelay(hop) }))
      }
      return try perform(session, bodies)
    }
  }

  @usableFromInline
  func makeSession(hops: Int) throws(PathExperiment.Failure) -> PacedSession {
    guard !recorded.isEmpty else { throw .noInterrupts }
    return try PacedSession(eventfdHops: hops, ringCapacity: options.ringCapacity)
  }

  /// Starts the threads, and the sender last; waits for all.
  @usableFromInline
  func perform(
    _ session: PacedSession, _ bodies: [(name: String, cpu: Int, body: @Sendable () -> Void)]
  ) throws(PathExperiment.Failure) -> PacedResult {
    var threads: [WorkerThread] = []
    do throws(WorkerThreadError) {
      for (name, cpu, body) in bodies {
        threads.append(try WorkerThread(name, onCPU: cpu, body))
      }
      let schedule = ArrivalSchedule(options.loop.arrivals, recorded: recorded)
      let loop = options.loop
      threads.append(
        try WorkerThread("sender", onCPU: 1) { session.runSender(schedule, loop) })
    } catch {
      session.abandon()
      for thread in threads { thread.join() }
      throw .thread(error)
    }
    let placement = threads.compactMap { $0.join() }
    return try session.result(placement: placement)
  }
}
