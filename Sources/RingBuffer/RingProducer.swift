public import Synchronization

/// The writing end of a ring: one by one with `tryPush`, or in batches with `claim` and `publish`.
///
/// It cannot be copied, so there is one. When it is destroyed it closes the ring.
@safe
@usableFromInline package struct RingProducer<Element: BitwiseCopyable>: ~Copyable {
  /// How many elements the ring holds.
  @usableFromInline package let capacity: Int

  // Safety: the pointers lead into `storage`, which this end keeps alive.
  @usableFromInline let slots: UnsafeMutablePointer<Element>
  @usableFromInline let own: UnsafeMutablePointer<RingCursor>
  @usableFromInline let opposite: UnsafeMutablePointer<RingCursor>
  @usableFromInline let mask: UInt64
  @usableFromInline let storage: RingStorage<Element>

  /// The sequence of the next element; equal to the shared `published` sequence.
  @usableFromInline var next: RingSequence
  /// The first sequence that is known not to be free: the last `released` seen, plus the capacity.
  @usableFromInline var limit: RingSequence
  /// How many slots from `next` on the last `claim` gave and `publish` may still publish.
  @usableFromInline var claimed: Int

  init(_ storage: RingStorage<Element>) {
    capacity = storage.capacity
    unsafe slots = storage.slots
    unsafe own = storage.producerCursor
    unsafe opposite = storage.consumerCursor
    mask = UInt64(storage.slotCount - 1)
    self.storage = storage
    next = RingSequence(rawValue: 0)
    limit = next.advanced(by: capacity)
    claimed = 0
  }

  @inlinable
  deinit {
    // Safety: `storage` is alive until the end of this body.
    unsafe own.pointee.isFinished.store(true, ordering: .releasing)
  }
}

// Safety: an end is a unique value; moving it to another thread moves the right to use its side of
// the ring. Elements are plain bits, and must themselves be allowed to change threads.
extension RingProducer: @unchecked Sendable where Element: Sendable {}

extension RingProducer {
  /// How many elements have been published.
  @inlinable
  package var published: RingSequence { next }

  /// The consumer is gone: nothing that is pushed from here on will be read.
  @inlinable
  package var isAbandoned: Bool {
    // Safety: `storage` keeps the cursor alive. Pairs with the store in `RingConsumer.deinit`.
    unsafe opposite.pointee.isFinished.load(ordering: .acquiring)
  }

  /// Appends one element; false when the ring is full. Ends a claim that is not yet published.
  ///
  /// Cost: two stores, and a load of the consumer's sequence at most once per element, when the
  /// ring looks full. The consumer sees the element at once.
  @inlinable
  package mutating func tryPush(_ element: Element) -> Bool {
    guard next != limit || refreshLimit() > 0 else { return false }
    append(element)
    return true
  }

  /// Gives the next free slots, at most `count` and all in one piece, to be filled in place.
  ///
  /// The buffer is empty when the ring is full, and shorter than the free space where that wraps
  /// around the end of the slot memory: claim again after `publish`. Fill it from the front, then
  /// `publish` as many as were filled. The contents before that are left over from earlier laps (at
  /// first zero bytes): write, do not read. It is valid until the next call on this producer.
  @inlinable
  package mutating func claim(upTo count: Int) -> UnsafeMutableBufferPointer<Element> {
    var free = limit.distance(from: next)
    if free < count { free = refreshLimit() }
    let slot = SlotIndex(next, mask: mask).rawValue
    let contiguous = Int(truncatingIfNeeded: mask) &+ 1 &- slot
    claimed = max(0, min(count, free, contiguous))
    // Safety: [slot, slot + claimed) is inside the slot memory and free until it is published.
    return unsafe UnsafeMutableBufferPointer(start: slots + slot, count: claimed)
  }

  /// Makes the first `count` slots of the claim visible to the consumer. The rest stays claimed.
  /// Traps when `count` is negative or more than was claimed.
  @inlinable
  package mutating func publish(_ count: Int) {
    precondition(count >= 0 && count <= claimed)
    advance(by: count)
    claimed &-= count
  }

  /// Says that no more elements will come. The consumer drains the ring and then sees its end.
  @inlinable
  package consuming func close() {
    // The work is done in `deinit`.
  }

  /// Writes and publishes one element where `next < limit`.
  @inlinable @inline(__always)
  mutating func append(_ element: Element) {
    // Safety: the slot index is masked to the slot memory, and the slot is free.
    unsafe slots[SlotIndex(next, mask: mask).rawValue] = element
    advance(by: 1)
    claimed = 0
  }

  @inlinable @inline(__always)
  mutating func advance(by count: Int) {
    next = next.advanced(by: count)
    // Safety: `storage` keeps the cursor alive. Pairs with the load in `RingConsumer.refreshLimit`:
    // who sees this sequence also sees the elements written before it.
    unsafe own.pointee.sequence.store(next.rawValue, ordering: .releasing)
  }

  /// Looks at the consumer's sequence again and returns how many slots are free.
  @inlinable
  mutating func refreshLimit() -> Int {
    // Safety: `storage` keeps the cursor alive. Pairs with the store in `RingConsumer.advance`: the
    // consumer has finished reading the slots that this makes free.
    let released = unsafe opposite.pointee.sequence.load(ordering: .acquiring)
    limit = RingSequence(rawValue: released).advanced(by: capacity)
    return limit.distance(from: next)
  }
}
