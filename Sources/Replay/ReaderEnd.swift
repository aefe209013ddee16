package import EventModel
import Measurement
package import RingBuffer
import Synchronization

/// The reader thread of a pipeline: source → ring slots, without a copy.
package final class ReaderEnd<Source: EventSource & ~Copyable>: Sendable
where Source: Sendable, Source: SendableMetatype {
  private let producer: HandOff<RingProducer<TraceEvent>>
  private let source: HandOff<Source>
  private let batch: Int
  private let result = Mutex<(waits: UInt64, error: (any Error)?)>((0, nil))

  package init(_ producer: HandOff<RingProducer<TraceEvent>>, _ source: HandOff<Source>, batch: Int)
  {
    self.producer = producer
    self.source = source
    self.batch = batch
  }

  package func run() {
    _ = ThreadPlacement.pin(toAllowed: 1)
    var producer = producer.take()
    var source = source.take()
    var waits: UInt64 = 0
    var failure: (any Error)?
    do {
      while true {
        // Safety: the slots belong to this side until they are published.
        var slots = unsafe producer.claim(upTo: batch)
        if slots.isEmpty {
          waits += 1
          unsafe slots = producer.claim(upTo: batch, waiting: SpinThenYieldWait())
          if slots.isEmpty { break }
        }
        let count = unsafe try source.fill(slots)
        if count == 0 { break }
        producer.publish(count)
      }
    } catch {
      failure = error
    }
    producer.close()
    result.withLock { $0 = (waits, failure) }
  }

  package func outcome() -> (UInt64, (any Error)?) { result.withLock { ($0.waits, $0.error) } }
}
