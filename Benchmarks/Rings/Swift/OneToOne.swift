import CRingPinning
import Glibc
import RingBuffer
import Synchronization

/// One producer thread, one consumer thread, one ring:
///
///   producer ──▶ [ ring ] ──▶ consumer (calling thread)
///
/// The clock runs from the moment at which the waiting producer may start until the consumer has
/// the last item. Each item carries its number; the consumer checks the order and the sum.
struct OneToOne<Item: RingItem> {
  let items: UInt64
  let capacity: Int
  /// Items per claim and per peek; 1 pushes and pops one by one.
  let batch: Int

  /// Nanoseconds per item, or nil when an item was lost, repeated or reordered.
  func measure() -> Double? {
    let ring = SPSCRing<Item>(capacity: capacity)
    let handOff = HandOff(ring.producer)
    let consumer = ring.consumer
    let (ready, start) = (Gate(), Gate())
    let thread = JoinableThread { [self] in
      CRingPinning_pin(0)
      let producer = handOff.take()
      ready.open()
      start.waitUntilOpen()
      if batch == 1 { pushOneByOne(producer) } else { pushBatches(producer) }
    }
    ready.waitUntilOpen()
    let begin = nanoseconds()
    start.open()
    let (sum, inOrder) = batch == 1 ? popOneByOne(consumer) : popBatches(consumer)
    let elapsed = nanoseconds() - begin
    thread.join()
    guard inOrder, sum == items * (items - 1) / 2 else { return nil }
    return Double(elapsed) / Double(items)
  }

  private func pushOneByOne(_ producer: consuming RingProducer<Item>) {
    for number in 0..<items {
      guard producer.push(Item(number: number), waiting: SpinWait()) else { return }
    }
  }

  private func popOneByOne(_ consumer: consuming RingConsumer<Item>) -> (sum: UInt64, inOrder: Bool)
  {
    var sum: UInt64 = 0
    var misplaced: UInt64 = 0
    for expected in 0..<items {
      guard let item = consumer.pop(waiting: SpinWait()) else { return (sum, false) }
      misplaced |= item.number ^ expected
      sum &+= item.number
    }
    return (sum, misplaced == 0)
  }

  private func pushBatches(_ producer: consuming RingProducer<Item>) {
    var next: UInt64 = 0
    while next < items {
      let wanted = min(batch, Int(items - next))
      let slots = unsafe producer.claim(upTo: wanted, waiting: SpinWait())
      if slots.isEmpty { return }
      // Safety: the indices are below the claim's count, and it is published afterwards.
      for index in 0..<slots.count { unsafe slots[index] = Item(number: next &+ UInt64(index)) }
      producer.publish(slots.count)
      next &+= UInt64(slots.count)
    }
  }

  private func popBatches(_ consumer: consuming RingConsumer<Item>) -> (sum: UInt64, inOrder: Bool)
  {
    var sum: UInt64 = 0
    var misplaced: UInt64 = 0
    var expected: UInt64 = 0
    while expected < items {
      let elements = unsafe consumer.peek(upTo: batch, waiting: SpinWait())
      if elements.isEmpty { return (sum, false) }
      // Safety: the indices are below the peek's count, and it is released afterwards.
      for index in 0..<elements.count {
        let number = unsafe elements[index].number
        misplaced |= number ^ (expected &+ UInt64(index))
        sum &+= number
      }
      consumer.release(elements.count)
      expected &+= UInt64(elements.count)
    }
    return (sum, misplaced == 0)
  }
}

/// Opens once. Pairs its store (release) with the load (acquire) that ends the wait.
private final class Gate: Sendable {
  private let isOpen = Atomic(false)

  func open() { isOpen.store(true, ordering: .releasing) }

  func waitUntilOpen() {
    var strategy = SpinThenYieldWait()
    while !isOpen.load(ordering: .acquiring) { strategy.pause() }
  }
}

private func nanoseconds() -> UInt64 {
  var time = timespec()
  // Safety: the pointer is to a local variable, for the call only.
  _ = unsafe clock_gettime(CLOCK_MONOTONIC, &time)
  return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}
