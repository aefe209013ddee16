public import EventModel
import Measurement
public import RingBuffer
import Synchronization

/// The reader thread of a pipeline: source → ring slots, without a copy.
@usableFromInline package final class ReaderEnd<Source: EventSource & ~Copyable>: Sendable
where Source: Sendable, Source: SendableMetatype {
  @usableFromInline package struct Outcome: Sendable {
    /// Times that the ring was full, and how long that lasted.
    @usableFromInline package var waits: UInt64 = 0
    @usableFromInline package var waitTicks: UInt64 = 0
    @usableFromInline package var error: (any Error)?
  }

  private let producer: HandOff<RingProducer<TraceEvent>>
  private let source: HandOff<Source>
  private let batch: Int
  private let result = Mutex<Outcome>(Outcome())

  @usableFromInline package init(
    _ producer: HandOff<RingProducer<TraceEvent>>, _ source: HandOff<Source>, batch: Int
  ) {
    self.producer = producer
    self.source = source
    self.batch = batch
  }

  @usableFromInline package func run() {
    var producer = producer.take()
    var source = source.take()
    let clock = CycleClock.shared
    var outcome = Outcome()
    do {
      while true {
        // Safety: the slots belong to this side until they are published.
        var slots = unsafe producer.claim(upTo: batch)
        if slots.isEmpty {
          let start = clock.now()
          unsafe slots = producer.claim(upTo: batch, waiting: SpinThenYieldWait())
          outcome.waits += 1
          outcome.waitTicks &+= clock.now() &- start
          if slots.isEmpty { break }
        }
        let count = unsafe try source.fill(slots)
        if count == 0 { break }
        producer.publish(count)
      }
    } catch {
      outcome.error = error
    }
    producer.close()
    let final = outcome
    result.withLock { $0 = final }
  }

  @usableFromInline package func outcome() -> Outcome { result.withLock { $0 } }
}
