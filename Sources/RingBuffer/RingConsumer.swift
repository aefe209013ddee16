public import Synchronization

/// The reading end of a ring: one by one with `tryPop`, or in batches with `peek` and `release`.
///
/// It cannot be copied, so there is one. When it is destroyed the producer sees `isAbandoned`.
@safe
@usableFromInline package struct RingConsumer<Element: BitwiseCopyable>: ~Copyable {
  /// How many elements the ring holds.
  @usableFromInline package let capacity: Int

  // Safety: the pointers lead into `storage`, which this end keeps alive.
  @usableFromInline let slots: UnsafeMutablePointer<Element>
  @usableFromInline let own: UnsafeMutablePointer<RingCursor>
  @usableFromInline let opposite: UnsafeMutablePointer<RingCursor>
  @usableFromInline let mask: UInt64
  @usableFromInline let storage: RingStorage<Element>

  /// The sequence of the oldest element not released; equal to the shared `released` sequence.
  @usableFromInline var next: RingSequence
  /// The first sequence that is not known to be published.
  @usableFromInline var limit: RingSequence
  /// How many elements from `next` on the last `peek` showed and `release` may still release.
  @usableFromInline var peeked: Int

  init(_ storage: RingStorage<Element>) {
    capacity = storage.capacity
    unsafe slots = storage.slots
    unsafe own = storage.consumerCursor
    unsafe opposite = storage.producerCursor
    mask = UInt64(storage.slotCount - 1)
    self.storage = storage
    next = RingSequence(rawValue: 0)
    limit = next
    peeked = 0
  }

  @inlinable
  deinit {
    // Safety: `storage` is alive until the end of this body.
    unsafe own.pointee.isFinished.store(true, ordering: .releasing)
  }
}

// Safety: see `RingProducer`.
extension RingConsumer: @unchecked Sendable where Element: Sendable {}

extension RingConsumer {
  /// How many elements have been released.
  @inlinable
  package var released: RingSequence { next }

  /// The producer has closed the ring and everything it published has been released.
  ///
  /// Ask after `tryPop` or `peek` came back empty; once true it stays true.
  @inlinable
  package var isAtEnd: Bool {
    mutating get {
      guard next == limit else { return false }
      // Safety: `storage` keeps the cursor alive. Pairs with the store in `RingProducer.deinit`,
      // which comes after the last publication: the sequence read after it is the final one.
      guard unsafe opposite.pointee.isFinished.load(ordering: .acquiring) else { return false }
      return refreshLimit() == 0
    }
  }

  /// Takes the oldest element; nil when the ring is empty, closed or not. Ends a peek that is not
  /// yet released.
  ///
  /// Cost: one load and one store, and a load of the producer's sequence at most once per element,
  /// when everything known to be published has been taken. The slot is free at once.
  @inlinable
  package mutating func tryPop() -> Element? {
    guard next != limit || refreshLimit() > 0 else { return nil }
    return takeFirst()
  }

  /// Shows the oldest elements, at most `count` and all in one piece, where they lie.
  ///
  /// The buffer is empty when the ring is, and shorter than what is published where that wraps
  /// around the end of the slot memory: peek again after `release`. It is valid until the elements
  /// are released or popped.
  @inlinable
  package mutating func peek(upTo count: Int) -> UnsafeBufferPointer<Element> {
    var available = limit.distance(from: next)
    if available < count { available = refreshLimit() }
    let slot = SlotIndex(next, mask: mask).rawValue
    let contiguous = Int(truncatingIfNeeded: mask) &+ 1 &- slot
    peeked = max(0, min(count, available, contiguous))
    // Safety: [slot, slot + peeked) is inside the slot memory and ours until it is released.
    return unsafe UnsafeBufferPointer(start: slots + slot, count: peeked)
  }

  /// Gives the first `count` slots of the peek back to the producer. The rest stays peeked.
  /// Traps when `count` is negative or more than was peeked.
  @inlinable
  package mutating func release(_ count: Int) {
    precondition(count >= 0 && count <= peeked)
    advance(by: count)
    peeked &-= count
  }

  /// Reads and releases one element where `next < limit`.
  @inlinable @inline(__always)
  mutating func takeFirst() -> Element {
    // Safety: the slot index is masked to the slot memory, and the slot is published.
    let element = unsafe slots[SlotIndex(next, mask: mask).rawValue]
    advance(by: 1)
    peeked = 0
    return element
  }

  @inlinable @inline(__always)
  mutating func advance(by count: Int) {
    next = next.advanced(by: count)
    // Safety: `storage` keeps the cursor alive. Pairs with the load in `RingProducer.refreshLimit`:
    // our reads of the slots before this sequence are over when the producer reuses them.
    unsafe own.pointee.sequence.store(next.rawValue, ordering: .releasing)
  }

  /// Looks at the producer's sequence again and returns how many elements are there to be read.
  @inlinable
  mutating func refreshLimit() -> Int {
    // Safety: `storage` keeps the cursor alive. Pairs with the store in `RingProducer.advance`: the
    // elements before this sequence are completely written.
    let published = unsafe opposite.pointee.sequence.load(ordering: .acquiring)
    limit = RingSequence(rawValue: published)
    return limit.distance(from: next)
  }
}
