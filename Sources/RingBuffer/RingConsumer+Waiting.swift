public import Synchronization

extension RingConsumer {
  /// Takes the oldest element, waiting while the ring is empty. Nil only at the end of the stream:
  /// the producer has closed the ring and it is drained.
  @inlinable
  package mutating func pop(waiting strategy: some WaitStrategy) -> Element? {
    guard next != limit || waitForElements(strategy) else { return nil }
    return takeFirst()
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
  @inlinable @inline(__always)
  mutating func waitForElements(_ strategy: some WaitStrategy) -> Bool {
    limit = unsafe Self.limit(opposite, next: next, waiting: strategy)
    return limit != next
  }

  /// The slow path, out of line and without `self`; see `RingProducer.limit`.
  @inlinable @inline(never)
  static func limit(
    _ opposite: UnsafeMutablePointer<RingCursor>, next: RingSequence,
    waiting strategy: some WaitStrategy
  ) -> RingSequence {
    var strategy = strategy
    while true {
      // Safety: the caller is an end of the ring, which keeps the cursor alive. The loads pair as
      // in `refreshLimit` and `isAtEnd`: a sequence read after the flag is the final one.
      let published = unsafe opposite.pointee.sequence.load(ordering: .acquiring)
      if published != next.rawValue { return RingSequence(rawValue: published) }
      if unsafe opposite.pointee.isFinished.load(ordering: .acquiring) {
        return RingSequence(rawValue: unsafe opposite.pointee.sequence.load(ordering: .acquiring))
      }
      strategy.pause()
    }
  }
}
