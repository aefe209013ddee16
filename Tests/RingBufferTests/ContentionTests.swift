import Foundation
import RingBuffer
import RingRaces
import Testing

/// Two threads, order and completeness. `RingRaces` runs the same under ThreadSanitizer.
@Suite(.serialized) struct ContentionTests {
  @Test(
    "Nothing is lost, torn, repeated or reordered between two threads",
    arguments: [1, 2, 3, 8, 31, 64, 1000])
  func orderUnderContention(capacity: Int) {
    #expect(Contention.arrivals(of: 30_000, capacity: capacity, seed: UInt64(capacity)) == 30_000)
  }

  @Test("The end comes after the last element, however early the consumer asks")
  func closeUnderContention() {
    for round in 0..<200 as Range<UInt64> {
      #expect(Contention.arrivals(of: round % 7, capacity: 4, seed: round) == round % 7)
    }
  }

  @Test("A producer stops when its consumer leaves")
  func abandonUnderContention() {
    let ring = SPSCRing<Record>(capacity: 4)
    let stopped = SPSCRing<UInt8>(capacity: 1)
    let handOff = HandOff(ring.producer)
    let stoppedHandOff = HandOff(stopped.producer)
    Thread.detachNewThread {
      let signal = stoppedHandOff.take()
      Contention.produce(.max >> 1, into: handOff.take(), seed: 1)
      signal.close()
    }
    leaveAfterOne(ring.consumer)
    var consumer = stopped.consumer
    #expect(consumer.pop(waiting: Contention.waiting) == nil)
  }

  private func leaveAfterOne(_ consumer: consuming RingConsumer<Record>) {
    #expect(consumer.pop(waiting: Contention.waiting)?.isWhole(at: 0) == true)
  }
}
