public import Synchronization

extension RingProducer {
  /// Appends one element, waiting while the ring is full. False when the consumer is gone, and then
  /// the element is not appended.
  @inlinable
  package mutating func push(_ element: Element, waiting strategy: some WaitStrategy) -> Bool {
    guard next != limit || waitForSpace(strategy) else { return false }
    append(element)
    return true
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
  @inlinable @inline(__always)
  mutating func waitForSpace(_ strategy: some WaitStrategy) -> Bool {
    limit = unsafe Self.limit(opposite, next: next, capacity: capacity, waiting: strategy)
    return limit != next
  }

  /// The slow path, out of line. It gets copies of what it needs and not `self`: a call that took
  /// the address of `self` would keep the end's counters in memory for the whole loop around it.
  @inlinable @inline(never)
  static func limit(
    _ opposite: UnsafeMutablePointer<RingCursor>, next: RingSequence, capacity: Int,
    waiting strategy: some WaitStrategy
  ) -> RingSequence {
    var strategy = strategy
    while true {
      // Safety: the caller is an end of the ring, which keeps the cursor alive. The loads pair as
      // in `refreshLimit` and `isAbandoned`.
      let released = unsafe opposite.pointee.sequence.load(ordering: .acquiring)
      let limit = RingSequence(rawValue: released).advanced(by: capacity)
      if limit != next { return limit }
      if unsafe opposite.pointee.isFinished.load(ordering: .acquiring) { return limit }
      strategy.pause()
    }
  }
}
