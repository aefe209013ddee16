extension RingConsumer {
  /// Takes the oldest element, waiting while the ring is empty. Nil only at the end of the stream:
  /// the producer has closed the ring and it is drained.
  @inlinable
  package mutating func pop(waiting strategy: some WaitStrategy) -> Element? {
    guard next != limit || waitForElements(strategy) else { return nil }
    return tryPop()
  }

  /// `peek(upTo:)`, waiting while the ring is empty. Empty only at the end of the stream (or when
  /// `count` is not positive).
  @inlinable
  package mutating func peek(
    upTo count: Int, waiting strategy: some WaitStrategy
  ) -> UnsafeBufferPointer<Element> {
    guard next != limit || waitForElements(strategy) else {
      return unsafe UnsafeBufferPointer(start: nil, count: 0)
    }
    return unsafe peek(upTo: count)
  }

  /// Waits until an element is there (true) or the stream has ended (false).
  @inlinable @inline(never)
  mutating func waitForElements(_ strategy: some WaitStrategy) -> Bool {
    var strategy = strategy
    while refreshLimit() == 0 {
      if isAtEnd { return false }
      strategy.pause()
    }
    return true
  }
}
