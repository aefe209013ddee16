extension RingProducer {
  /// Appends one element, waiting while the ring is full. False when the consumer is gone, and then
  /// the element is not appended.
  @inlinable
  package mutating func push(_ element: Element, waiting strategy: some WaitStrategy) -> Bool {
    guard next != limit || waitForSpace(strategy) else { return false }
    return tryPush(element)
  }

  /// `claim(upTo:)`, waiting while the ring is full. Empty only when the consumer is gone (or
  /// `count` is not positive).
  @inlinable
  package mutating func claim(
    upTo count: Int, waiting strategy: some WaitStrategy
  ) -> UnsafeMutableBufferPointer<Element> {
    guard next != limit || waitForSpace(strategy) else {
      return unsafe UnsafeMutableBufferPointer(start: nil, count: 0)
    }
    return unsafe claim(upTo: count)
  }

  /// Waits until a slot is free (true) or the consumer is gone and none will be (false).
  @inlinable @inline(never)
  mutating func waitForSpace(_ strategy: some WaitStrategy) -> Bool {
    var strategy = strategy
    while refreshLimit() == 0 {
      if isAbandoned { return false }
      strategy.pause()
    }
    return true
  }
}
