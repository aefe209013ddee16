import Foundation
import RingBuffer
import Testing

@Suite struct WaitStrategyTests {
  /// One element at a time through a ring of one, so that both sides wait.
  private func elementsInOrder(_ strategy: some WaitStrategy, count: UInt64) -> UInt64 {
    let ring = SPSCRing<UInt64>(capacity: 1)
    let handOff = HandOff(ring.producer)
    Thread.detachNewThread {
      var producer = handOff.take()
      for index in 0..<count { _ = producer.push(index, waiting: strategy) }
    }
    var consumer = ring.consumer
    var inOrder: UInt64 = 0
    while let element = consumer.pop(waiting: strategy) {
      if element == inOrder { inOrder += 1 }
    }
    return inOrder
  }

  @Test("Yielding at once makes progress")
  func yielding() { #expect(elementsInOrder(SpinThenYieldWait(spins: 0), count: 200) == 200) }

  @Test("Sleeping at once makes progress")
  func sleeping() {
    let strategy = SpinThenSleepWait(spins: 0, yields: 0, sleepNanoseconds: 1_000)
    #expect(elementsInOrder(strategy, count: 20) == 20)
  }

  @Test("Spinning, yielding and then sleeping makes progress")
  func allThree() {
    let strategy = SpinThenSleepWait(spins: 2, yields: 2, sleepNanoseconds: 1_000)
    #expect(elementsInOrder(strategy, count: 50) == 50)
  }

  @Test("A sleep of a second or more traps")
  func longSleep() async {
    await #expect(processExitsWith: .failure) {
      _ = SpinThenSleepWait(sleepNanoseconds: 1_000_000_000)
    }
  }
}
