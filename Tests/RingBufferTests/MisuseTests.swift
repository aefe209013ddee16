import RingBuffer
import Testing

/// What the types cannot rule out traps.
@Suite struct MisuseTests {
  @Test("A capacity outside 1 to 2^24 traps")
  func capacityOutOfRange() async {
    await #expect(processExitsWith: .failure) { _ = SPSCRing<UInt64>(capacity: 0) }
    await #expect(processExitsWith: .failure) { _ = SPSCRing<UInt64>(capacity: -1) }
    await #expect(processExitsWith: .failure) { _ = SPSCRing<UInt64>(capacity: 1 << 24 + 1) }
    await #expect(processExitsWith: .failure) { _ = SPSCRing<UInt64>(capacity: .max) }
  }

  @Test("Publishing more than was claimed traps")
  func publishTooMany() async {
    await #expect(processExitsWith: .failure) {
      let ring = SPSCRing<UInt64>(capacity: 4)
      var producer = ring.producer
      _ = unsafe producer.claim(upTo: 2)
      producer.publish(3)
    }
  }

  @Test("A push ends the claim before it")
  func publishAfterPush() async {
    await #expect(processExitsWith: .failure) {
      let ring = SPSCRing<UInt64>(capacity: 4)
      var producer = ring.producer
      _ = unsafe producer.claim(upTo: 2)
      _ = producer.tryPush(1)
      producer.publish(1)
    }
  }

  @Test("Releasing more than was peeked traps")
  func releaseTooMany() async {
    await #expect(processExitsWith: .failure) {
      let ring = SPSCRing<UInt64>(capacity: 4)
      var producer = ring.producer
      var consumer = ring.consumer
      _ = producer.tryPush(1)
      _ = producer.tryPush(2)
      _ = unsafe consumer.peek(upTo: 1)
      consumer.release(2)
    }
  }

  @Test("A negative count traps")
  func negativeCounts() async {
    await #expect(processExitsWith: .failure) {
      let ring = SPSCRing<UInt64>(capacity: 4)
      var producer = ring.producer
      producer.publish(-1)
    }
    await #expect(processExitsWith: .failure) {
      let ring = SPSCRing<UInt64>(capacity: 4)
      var consumer = ring.consumer
      consumer.release(-1)
    }
  }

  @Test("A claim or peek of nothing, or of less, is empty")
  func emptyRequests() {
    let ring = SPSCRing<UInt64>(capacity: 4)
    var producer = ring.producer
    var consumer = ring.consumer
    _ = producer.tryPush(1)
    for count in [0, -1, .min] {
      #expect(unsafe producer.claim(upTo: count).isEmpty)
      #expect(unsafe consumer.peek(upTo: count).isEmpty)
    }
    #expect(unsafe producer.claim(upTo: .max).count == 3)
    #expect(unsafe consumer.peek(upTo: .max).count == 1)
  }

  @Test("A hand-off is taken once")
  func handOffTwice() async {
    await #expect(processExitsWith: .failure) {
      let ring = SPSCRing<UInt64>(capacity: 4)
      let handOff = HandOff(ring.producer)
      _ = handOff.take()
      _ = handOff.take()
    }
  }
}
