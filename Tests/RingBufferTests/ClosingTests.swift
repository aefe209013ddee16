import RingBuffer
import Testing

@Suite struct ClosingTests {
  @Test("The consumer drains a closed ring before it sees the end", arguments: 0...4)
  func drainsThenEnds(count: Int) {
    let ring = SPSCRing<UInt64>(capacity: 4)
    var producer = ring.producer
    var consumer = ring.consumer
    for index in 0..<count { #expect(producer.tryPush(UInt64(index)) == true) }
    #expect(consumer.isAtEnd == false)
    producer.close()
    for index in 0..<count {
      #expect(consumer.isAtEnd == false)
      #expect(consumer.pop(waiting: SpinWait()) == UInt64(index))
    }
    #expect(consumer.isAtEnd == true)
    #expect(consumer.tryPop() == nil)
    #expect(consumer.pop(waiting: SpinWait()) == nil)
    #expect(unsafe consumer.peek(upTo: 4, waiting: SpinWait()).isEmpty)
    #expect(consumer.isAtEnd == true)
  }

  @Test("An empty ring that is open is not at its end")
  func openIsNotAtEnd() {
    let ring = SPSCRing<UInt64>(capacity: 2)
    var producer = ring.producer
    var consumer = ring.consumer
    #expect(consumer.tryPop() == nil)
    #expect(consumer.isAtEnd == false)
    #expect(producer.tryPush(1) == true)
    #expect(consumer.isAtEnd == false)
    #expect(consumer.tryPop() == 1)
  }

  @Test("A claim that was not published is not seen after the close")
  func unpublishedClaimIsDropped() {
    let ring = SPSCRing<UInt64>(capacity: 4)
    var producer = ring.producer
    var consumer = ring.consumer
    _ = unsafe producer.claim(upTo: 4)
    producer.publish(1)
    producer.close()
    #expect(consumer.tryPop() == 0)
    #expect(consumer.isAtEnd == true)
  }

  @Test("Destroying the producer closes the ring")
  func destroyedProducerCloses() {
    var consumer = consumerOfLostProducer()
    #expect(consumer.pop(waiting: SpinWait()) == 42)
    #expect(consumer.pop(waiting: SpinWait()) == nil)
  }

  private func consumerOfLostProducer() -> RingConsumer<UInt64> {
    let ring = SPSCRing<UInt64>(capacity: 4)
    var producer = ring.producer
    _ = producer.tryPush(42)
    return ring.consumer
  }

  @Test("A producer does not wait for a consumer that is gone")
  func abandonedRing() {
    let ring = SPSCRing<UInt64>(capacity: 2)
    var producer = ring.producer
    let consumer = ring.consumer
    #expect(producer.push(1, waiting: SpinWait()) == true)
    #expect(producer.isAbandoned == false)
    _ = consume consumer
    #expect(producer.isAbandoned == true)
    #expect(producer.push(2, waiting: SpinWait()) == true)
    #expect(producer.push(3, waiting: SpinWait()) == false)
    #expect(unsafe producer.claim(upTo: 2, waiting: SpinWait()).isEmpty)
  }
}
