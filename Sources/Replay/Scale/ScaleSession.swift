public import EventModel
import Measurement
public import RingBuffer
import Synchronization

/// The threads of one `scale` run and the rings between them.
@usableFromInline
package final class ScaleSession: Sendable {
  @usableFromInline let requests: [HandOff<RingConsumer<TraceEvent>>]
  /// By device thread, then by vCPU.
  @usableFromInline let raised: [[EndBox<RingProducer<ScaleExperiment.Note>>]]
  private let sources: [EndBox<RingProducer<TraceEvent>>]
  /// By vCPU, then by device thread.
  private let taken: [[EndBox<RingConsumer<ScaleExperiment.Note>>]]
  private let outcome = Mutex(ScaleExperiment.Result())
  private let keepsNotes: Bool
  @usableFromInline let waiting: SpinThenYieldWait

  @usableFromInline init(_ options: ScaleExperiment.Options) {
    let shards = (0..<options.deviceThreads).map { _ in
      Ring(SPSCRing<TraceEvent>(capacity: options.ringCapacity))
    }
    let notes = (0..<options.deviceThreads).map { _ in
      (0..<options.vCPUs).map { _ in
        Ring(SPSCRing<ScaleExperiment.Note>(capacity: options.ringCapacity))
      }
    }
    requests = shards.map { HandOff($0.consumer.take()) }
    sources = shards.map { EndBox($0.producer.take()) }
    raised = notes.map { $0.map { EndBox($0.producer.take()) } }
    taken = (0..<options.vCPUs).map { vCPU in notes.map { EndBox($0[vCPU].consumer.take()) } }
    keepsNotes = options.keepsNotes
    waiting = SpinThenYieldWait(
      spins: options.threads <= ThreadPlacement.allowedCPUs.count ? 1_024 : 32)
  }

  /// A ring whose ends are taken one by one.
  private struct Ring<Element: BitwiseCopyable & Sendable> {
    let producer: HandOff<RingProducer<Element>>
    let consumer: HandOff<RingConsumer<Element>>
    init(_ ring: consuming SPSCRing<Element>) {
      producer = HandOff(ring.producer)
      consumer = HandOff(ring.consumer)
    }
  }

  /// Starts all threads, reads in the calling one, and waits for the rest.
  @usableFromInline
  func perform(
    _ events: [TraceEvent], _ options: ScaleExperiment.Options,
    device: @escaping @Sendable (Int) -> Void
  ) throws(WorkerThreadError) -> ScaleExperiment.Result {
    var threads: [WorkerThread] = []
    do throws(WorkerThreadError) {
      for vCPU in 0..<options.vCPUs {
        threads.append(
          try WorkerThread("vCPU \(vCPU)", onCPU: options.deviceThreads + 1 + vCPU) {
            self.runVCPU(vCPU)
          })
      }
      for shard in 0..<options.deviceThreads {
        threads.append(
          try WorkerThread("device \(shard)", onCPU: 1 + shard) { device(shard) })
      }
    } catch {
      // Those that run find their rings closed; those that do not cannot close theirs.
      for source in sources { source.close() }
      for shard in max(0, threads.count - options.vCPUs)..<options.deviceThreads {
        for end in raised[shard] { end.close() }
      }
      for thread in threads { thread.join() }
      throw error
    }
    if let reason = ThreadPlacement.pin(toAllowed: 0) {
      outcome.withLock { $0.placement.append("reader not on a CPU of its own: \(reason)") }
    }
    defer { ThreadPlacement.unpin() }
    let clock = CycleClock.shared
    let begin = clock.now()
    for _ in 0..<options.passes { dispatch(events) }
    for source in sources { source.close() }
    let placement = threads.compactMap { $0.join() }
    let nanoseconds = clock.nanoseconds(from: begin, to: clock.now())
    var result = outcome.withLock { $0 }
    result.nanoseconds = nanoseconds
    result.events = UInt64(events.count) * UInt64(options.passes)
    result.placement += placement
    return result
  }

  /// Traffic to its shard, everything else to all.
  private func dispatch(_ events: [TraceEvent]) {
    let count = sources.count
    for event in events {
      if event.kind.isAccess {
        let shard = ScaleExperiment.shard(of: event.streamID, of: count)
        _ = sources[shard].end!.push(event, waiting: waiting)
      } else {
        for source in sources { _ = source.end!.push(event, waiting: waiting) }
      }
    }
  }

  /// The loop of one device thread.
  @inlinable
  func serve<Backend: TranslationBackend & ~Copyable>(
    _ shard: Int, _ backend: inout Backend, batch: Int
  ) {
    var consumer = requests[shard].take()
    let ends = raised[shard]
    var tally = PassTally()
    var accesses: [UInt32: UInt64] = [:]
    while true {
      // Safety: the slots belong to this side until they are released.
      let slots = unsafe consumer.peek(upTo: batch, waiting: waiting)
      if slots.isEmpty { break }
      for index in 0..<slots.count {
        // Safety: below the count.
        let event = unsafe slots[index]
        switch event.kind {
        case .dma:
          tally.addAccess(backend.translate(event))
          if keepsCount { accesses[event.streamID, default: 0] += 1 }
        case .msi:
          let outcome = backend.translate(event)
          tally.addInterrupt(outcome)
          guard outcome.outcome == .delivered else { continue }
          let vCPU = Int(outcome.target.rawValue & 0x7FFF) % ends.count
          let note = ScaleExperiment.Note(
            streamID: event.streamID, intid: outcome.intid, target: outcome.target,
            accessesBefore: keepsCount ? accesses[event.streamID] ?? 0 : 0)
          _ = ends[vCPU].end!.push(note, waiting: waiting)
        case .acknowledge: backend.acknowledge(event)
        default:
          if event.kind.isMaintenance {
            backend.maintain(event)
          } else if event.kind.isSetUp || event.kind.isVCPU {
            backend.configure(event)
          }
        }
      }
      consumer.release(slots.count)
    }
    for end in ends { end.close() }
    add(tally)
  }

  @usableFromInline var keepsCount: Bool { keepsNotes }

  @usableFromInline func add(_ tally: PassTally) {
    outcome.withLock { result in
      result.tally.accesses += tally.accesses
      result.tally.interrupts += tally.interrupts
      result.tally.delivered += tally.delivered
      result.tally.coalesced += tally.coalesced
      result.tally.masked += tally.masked
      result.tally.lost += tally.lost
      result.tally.digest &+= tally.digest
    }
  }

  /// Takes from every device thread in turn until all have ended.
  private func runVCPU(_ vCPU: Int) {
    let ends = taken[vCPU]
    var notes: [ScaleExperiment.Note] = []
    var count: UInt64 = 0
    var waiting = waiting
    while true {
      var isIdle = true
      var isOver = true
      for box in ends {
        while let note = box.end!.tryPop() {
          isIdle = false
          count += 1
          if keepsNotes { notes.append(note) }
        }
        if !box.end!.isAtEnd { isOver = false }
      }
      if isOver { break }
      if isIdle { waiting.pause() } else { waiting = self.waiting }
    }
    let (found, sum) = (notes, count)
    outcome.withLock { result in
      result.taken += sum
      if keepsNotes { result.notes.append(found) }
    }
  }
}

/// An end of a ring that lies in an array. One thread uses it, which its owner sees to.
@safe
@usableFromInline
package final class EndBox<End: ~Copyable & Sendable>: @unchecked Sendable {
  /// Nil when it is closed.
  @usableFromInline var end: End?
  init(_ end: consuming End) { self.end = consume end }
  @usableFromInline func close() { end = nil }
}
