package import EventModel
package import Measurement

/// The experiment `path`: what does one delivery cost? Closed loop, one interrupt in flight.
///
/// The device thread translates and hands over: through a ring to the vCPU thread, or, in a design
/// that delivers through an eventfd, by writing a real one, on which an injector thread sleeps; that
/// injects and hands over to the vCPU thread. The vCPU thread acknowledges and answers.
///
///   device ── translate ─┬────────────────── ring ──────────────────┬─ seen, acknowledge ─► device
///                        └─ eventfd ─► wake-up ─► inject ─► ring ───┘
///
/// All figures are service times: from the actual start, with nothing else in flight. Nothing is
/// allocated between the first and the last measured interrupt. DMA, maintenance and set-up events are
/// replayed between interrupts, unmeasured; recorded acknowledges are left out, because the vCPU
/// thread takes each interrupt at once.
package struct PathExperiment: Sendable {
  package struct Options: Sendable {
    package var interrupts = 5_000
    package var warmUpInterrupts = 500
    /// Ends the run early; what was measured until then counts.
    package var limitNanoseconds: UInt64 = 5_000_000_000
    package init() {}
  }

  /// The stages of one interrupt in nanoseconds. They add up to its total.
  package struct Stages: Sendable, Hashable {
    package var translate: UInt64 = 0
    package var wakeUp: UInt64 = 0
    package var inject: UInt64 = 0
    package var notify: UInt64 = 0
    package var acknowledge: UInt64 = 0
    package init() {}

    package var total: UInt64 { translate + wakeUp + inject + notify + acknowledge }
    package var values: [UInt64] { [translate, wakeUp, inject, notify, acknowledge] }
    package static var names: [String] {
      ["translate", "wake-up", "inject", "notify", "acknowledge"]
    }
  }

  package struct Result: Sendable {
    package var total = LatencyHistogram()
    /// In the order of `Stages.names`.
    package var stages = Array(repeating: LatencyHistogram(), count: Stages.names.count)
    /// The stages of the very interrupt that stands at this percentile of the total.
    package var atPercentile: [(percent: Double, stages: Stages)] = []
    package var lost: UInt64
    package var coalesced: UInt64
    /// Why a thread does not have a CPU of its own; empty if all have.
    package var placement: [String]

    /// - Parameter samples: one per measured interrupt.
    init(samples: [Stages], lost: UInt64, coalesced: UInt64, placement: [String]) {
      self.lost = lost
      self.coalesced = coalesced
      self.placement = placement
      for sample in samples {
        total.record(sample.total)
        for (index, value) in sample.values.enumerated() { stages[index].record(value) }
      }
      let sorted = samples.sorted { $0.total < $1.total }
      for percent in [50, 90, 99, 99.9] where !sorted.isEmpty {
        let rank = Int((Double(sorted.count) * percent / 100).rounded(.up)) - 1
        atPercentile.append((percent, sorted[max(0, rank)]))
      }
    }
  }

  package enum Failure: Error, CustomStringConvertible {
    case thread(WorkerThreadError)
    case eventfd(code: Int32)
    case noInterrupts

    package var description: String {
      switch self {
      case .thread(let error): error.description
      case .eventfd(let code): "an eventfd could not be made or used (errno \(code))"
      case .noInterrupts:
        "the trace holds no interrupt that is delivered: 'path' has nothing to measure"
      }
    }
  }

  package let events: [TraceEvent]
  package let options: Options

  package init(_ events: [TraceEvent], _ options: Options) {
    self.events = events
    self.options = options
  }

  /// Runs on threads of its own and returns when they have ended.
  @inlinable
  package func run<Backend: TranslationBackend & ~Copyable>(
    through backend: inout Backend
  ) throws(Failure) -> Result {
    let session = try PathSession(usesEventfd: backend.deliversThroughEventfd)
    // Safety: the pointer outlives the threads, which are joined below; whose turn it is to use the
    // backend is decided by the messages, each of which orders what came before it.
    return try unsafe withUnsafeMutablePointer(to: &backend) { pointer throws(Failure) -> Result in
      let shared = unsafe PathSession.Shared(pointer)
      let experiment = self
      let threads: [WorkerThread]
      do throws(WorkerThreadError) {
        threads = [
          try WorkerThread { session.runVCPU(shared) },
          try WorkerThread { session.runInjector(shared) },
          try WorkerThread { session.runDevice(shared, experiment) },
        ]
      } catch {
        session.abandon()
        throw .thread(error)
      }
      for thread in threads { thread.join() }
      return try session.result()
    }
  }
}
