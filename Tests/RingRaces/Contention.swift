import Foundation
package import RingBuffer
import TestSupport

/// As large as a trace event. All words follow from the position in the stream, so a torn, lost,
/// repeated or early record shows.
package struct Record: BitwiseCopyable, Sendable {
  private var words: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64)

  package init(_ sequence: UInt64) {
    let value = sequence &* 0x9E37_79B9_7F4A_7C15 | 1
    words = (value, ~value, value &+ 1, value &+ 2, value &+ 3, value &+ 4)
  }

  package func isWhole(at sequence: UInt64) -> Bool { words == Record(sequence).words }
}

/// One producer thread and one consumer thread, each mixing single operations with batches of
/// random size.
package enum Contention {
  package static var waiting: SpinThenYieldWait { SpinThenYieldWait(spins: 64) }
  private static var longestBatch: Int { 40 }

  /// Sends `count` records through a ring of `capacity` and closes it; returns how many arrived in
  /// order and whole before the first that did not, or before the end.
  package static func arrivals(of count: UInt64, capacity: Int, seed: UInt64) -> UInt64 {
    let ring = SPSCRing<Record>(capacity: capacity)
    let handOff = HandOff(ring.producer)
    Thread.detachNewThread { produce(count, into: handOff.take(), seed: seed) }
    return consume(ring.consumer, seed: ~seed)
  }

  /// Pushes `count` records, or fewer when the consumer leaves.
  package static func produce(
    _ count: UInt64, into producer: consuming RingProducer<Record>, seed: UInt64
  ) {
    var generator = SeededGenerator(seed: seed)
    var next: UInt64 = 0
    while next < count {
      if Bool.random(using: &generator) {
        guard producer.push(Record(next), waiting: waiting) else { return }
        next += 1
      } else {
        let longest = min(longestBatch, Int(count - next))
        let wanted = Int.random(in: 1...longest, using: &generator)
        let slots = unsafe producer.claim(upTo: wanted, waiting: waiting)
        if slots.isEmpty { return }
        // Safety: the indices are below the claim's count, and it is published afterwards.
        for index in 0..<slots.count { unsafe slots[index] = Record(next + UInt64(index)) }
        producer.publish(slots.count)
        next += UInt64(slots.count)
      }
    }
  }

  /// Takes everything, or stops at the first wrong record.
  package static func consume(
    _ consumer: consuming RingConsumer<Record>, seed: UInt64
  ) -> UInt64 {
    var generator = SeededGenerator(seed: seed)
    var next: UInt64 = 0
    while true {
      if Bool.random(using: &generator) {
        guard let record = consumer.pop(waiting: waiting), record.isWhole(at: next) else {
          return next
        }
        next += 1
      } else {
        let wanted = Int.random(in: 1...longestBatch, using: &generator)
        let records = unsafe consumer.peek(upTo: wanted, waiting: waiting)
        if records.isEmpty { return next }
        // Safety: the indices are below the peek's count, and it is released afterwards.
        for index in 0..<records.count {
          guard unsafe records[index].isWhole(at: next) else { return next }
          next += 1
        }
        consumer.release(records.count)
      }
    }
  }
}
